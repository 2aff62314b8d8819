"""Envelopes: up to a thousand signals under one signature, each shown and proved alone.

An envelope is an SD-JWT (RFC 9901): a Security Event Token that lists digests, then the signals as
disclosures, ``JWT~disclosure~...~``. Leaving a disclosure out takes that signal away and leaves the
signature whole: that is how a person without consent, or one who asks for erasure, is dropped.

Opening checks, beyond what `tokens` does:
    * ``_sd_alg`` is SHA-256; digests are listed once each, and at most `MAX_SIGNALS`
    * each disclosure is listed, and comes once; those withheld are counted, not missed
    * each disclosure is read on its own: salt and signal, and nothing else
    * nothing else travels along: see `forms`
    * nothing stands behind the last ``~``: nobody here asks for key binding

Without any ``~`` it is a plain SET with its signals in the clear, and taken too: that is what other
Shared Signals software sends.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from attrs import field, frozen

from sesame_sdk.constants import MAX_ENVELOPE_BYTES, MAX_SIGNALS
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.interfaces import Signer
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import Envelope, EventType
from sesame_sdk.model.signals import Signal
from sesame_sdk.signing import base64url, envelope_schema, jwt, sd_jwt, security_events
from sesame_sdk.signing.jwt import KeyFinder


@frozen
class Opened:
    """A verified envelope, and what is needed to prove any part of it again.

    Attributes:
        envelope: who said what.
        kid: signed with which key.
        token: the JWT alone.
        disclosures: one a signal, in the order of ``envelope.signals``; none when they came in the clear.
        withheld: digests whose disclosure was left out.
    """

    envelope: Envelope
    kid: str
    token: bytes = field(repr=False)
    disclosures: tuple[bytes, ...] = field(repr=False)
    withheld: int


_read_disclosed = codec.decoder(tuple[str, Signal]).decode


def seal(
    signals: Sequence[Signal],
    signer: Signer,
    *,
    issuer: str,
    audience: str,
    now: datetime,
    jti: str | None = None,
) -> bytes:
    """Sign a batch of signals.

    Args:
        signals: 1 to `MAX_SIGNALS`.
        signer: where the private key lives.
        issuer: URL of the sender.
        audience: URL of the hub.
        now: when; UTC.
        jti: the envelope's id; a new one unless the same batch is sealed again.

    Returns:
        The envelope with every signal disclosed.

    Raises:
        InvalidInputError: naming what is wrong; nothing is signed that the other side would refuse.
    """
    sealed = Envelope(jti or security_events.new_jti(), issuer, audience, now, tuple(signals))
    if not sealed.signals:
        raise InvalidInputError("must hold at least one signal", field="signals")
    disclosures, digests = sd_jwt.disclose(codec.encode_each(sealed.signals))
    token = security_events.sign_event(
        EventType.SIGNALS,
        _listing(digests),
        signer,
        issuer=issuer,
        audience=audience,
        now=now,
        jti=sealed.jti,
        _sd_alg=envelope_schema.SD_ALG,
    )
    return b"~".join([token, *disclosures, b""])


def _listing(digests: Sequence[str]) -> msgspec.Raw:
    """The payload ``{"signals": [{"...": digest}, ...]}`` without an object each; digests need no escapes."""
    return msgspec.Raw('{{"signals":[{{"...":"{}"}}]}}'.format('"},{"...":"'.join(digests)).encode())


def open_envelope(data: bytes, keys: KeyFinder, *, audience: str, now: datetime) -> Opened:
    """Verify an envelope and read the signals that it still shows.

    Args:
        data: as it came in, at most `MAX_ENVELOPE_BYTES`.
        keys: whose keys count at `now`.
        audience: who we are.
        now: when it came in; UTC.

    Raises:
        InvalidInputError: see `tokens.verify_claims` and the rules of this module.
    """
    token, disclosures = _split(data)
    verified = jwt.verify_claims(token, keys, typ=jwt.SET_TYP, audience=audience, now=now)
    payload = security_events.raw_payload(verified.claims, EventType.SIGNALS)
    form = codec.decode(verified.claims, envelope_schema.EnvelopeClaims, field="claims")
    listed: list[str] = []
    shown: tuple[bytes, ...] = ()
    if disclosures is None:
        signals = codec.decode(payload, envelope_schema.InTheClear, field="events").signals
        envelope_schema.check_in_the_clear(payload)
    else:
        listed = _listed(form.algorithm, payload)
        shown = _in_order(listed, disclosures)
        signals = _read(shown)
    envelope = Envelope(verified.jti, verified.issuer, audience, verified.issued_at, signals)
    return Opened(envelope, verified.kid, token, shown, withheld=len(listed) - len(shown))


def _split(data: bytes) -> tuple[bytes, list[bytes] | None]:
    """The JWT and its disclosures; None where there can be none."""
    if len(data) > MAX_ENVELOPE_BYTES:
        raise InvalidInputError(
            f"must be at most {MAX_ENVELOPE_BYTES} bytes, not {len(data)}", field="envelope"
        )
    if data.count(b"~") > MAX_SIGNALS + 1:
        raise InvalidInputError(f"must hold at most {MAX_SIGNALS} disclosures", field="envelope")
    token, *disclosures = data.split(b"~")
    if not disclosures:
        return token, None
    if disclosures.pop():
        raise InvalidInputError("must end in ~; key binding is not used here", field="envelope")
    return token, disclosures


def _listed(algorithm: str, payload: msgspec.Raw) -> list[str]:
    """The digests that were signed."""
    if algorithm != envelope_schema.SD_ALG:
        raise InvalidInputError(f"must be {envelope_schema.SD_ALG}", field="_sd_alg")
    listed = [
        element.digest for element in codec.decode(payload, envelope_schema.Digests, field="events").signals
    ]
    if len(set(listed)) != len(listed):
        raise InvalidInputError("lists a digest twice", field="signals")
    return listed


def _in_order(listed: list[str], disclosures: list[bytes]) -> tuple[bytes, ...]:
    """The disclosures in the order of their digests; each must have one of its own."""
    digests = sd_jwt.digests_of(disclosures)
    if digests == listed:  # nothing left out, nothing moved: what a sender sends
        return tuple(disclosures)
    by_digest = dict(zip(digests, disclosures, strict=True))
    if len(by_digest) != len(disclosures):
        raise InvalidInputError("comes twice", field="disclosure")
    shown = tuple(by_digest[digest] for digest in listed if digest in by_digest)
    if len(shown) != len(disclosures):
        raise InvalidInputError("is not in what was signed", field="disclosure")
    return shown


def _read(disclosures: Sequence[bytes]) -> tuple[Signal, ...]:
    """Each disclosure on its own; the digest has vouched for its spelling already."""
    texts = base64url.decode_all(disclosures, field="disclosure")
    try:
        signals = tuple([_read_disclosed(text)[1] for text in texts])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInputError(str(error), field="disclosure") from error
    envelope_schema.check_disclosed(texts)
    return signals
