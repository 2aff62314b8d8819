"""Seals and opens envelopes: up to a thousand signals under one signature, each of which verifies alone.

An envelope is an SD-JWT (RFC 9901): a Security Event Token that lists digests, then the signals as
disclosures, ``JWT~disclosure~...~``. Without one of its disclosures the signature is still valid: so the
signals of a person without consent, or who asks for erasure, are dropped.

Opening checks, beyond `Token.verify`:
    * ``_sd_alg`` is SHA-256; each digest is listed once, at most `MAX_SIGNALS` of them
    * each disclosure has a digest and comes once; withheld ones are counted
    * each disclosure is decoded on its own: salt and signal, and nothing else
    * there are no other claims or members: see `envelope_schema`
    * nothing follows the last ``~``: key binding is not supported

Without any ``~`` it is a plain SET with its signals in the clear, and accepted too: other Shared Signals
software sends that.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from attrs import field, frozen

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.interfaces import Signer
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import Envelope, EventType
from sesame_sdk.model.signals import Signal
from sesame_sdk.signing import base64url, envelope_schema, jwt, sd_jwt, security_events
from sesame_sdk.signing.jwt import KeyFinder
from sesame_sdk.signing.sd_jwt import SdJwt


@frozen
class Opened:
    """A verified envelope, and what is needed to verify any part of it again.

    Attributes:
        envelope: its content.
        kid: the key that signed it.
        token: the JWT alone.
        disclosures: one for each signal, in the order of ``envelope.signals``; none if in the clear.
        withheld: number of digests whose disclosure was left out.
    """

    envelope: Envelope
    kid: str
    token: bytes = field(repr=False)
    disclosures: tuple[bytes, ...] = field(repr=False)
    withheld: int


_decode_disclosure = codec.decoder(tuple[str, Signal]).decode


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
        signer: signs with the private key.
        issuer: URL of the sender.
        audience: URL of the hub.
        now: when; UTC.
        jti: the envelope's id; a new one unless the same batch is sealed again.

    Returns:
        The envelope, with every signal disclosed.

    Raises:
        InvalidInputError: the receiver would refuse it.
    """
    sealed = Envelope(jti or security_events.new_jti(), issuer, audience, now, tuple(signals))
    if not sealed.signals:
        raise InvalidInputError("must hold at least one signal", field="signals")
    disclosures, digests = sd_jwt.disclose(codec.encode_each(sealed.signals))
    token = security_events.sign_event(
        EventType.SIGNALS,
        _digest_list(digests),
        signer,
        issuer=issuer,
        audience=audience,
        now=now,
        jti=sealed.jti,
        _sd_alg=envelope_schema.SD_ALG,
    )
    return b"~".join([token, *disclosures, b""])


def _digest_list(digests: Sequence[str]) -> msgspec.Raw:
    """The payload ``{"signals": [{"...": digest}, ...]}`` without an object each; digests need no escapes."""
    return msgspec.Raw('{{"signals":[{{"...":"{}"}}]}}'.format('"},{"...":"'.join(digests)).encode())


def open_envelope(message: SdJwt, keys: KeyFinder, *, audience: str, now: datetime) -> Opened:
    """Verify an envelope and decode the signals that it discloses.

    Args:
        message: the envelope, parsed.
        keys: the keys that are valid at `now`.
        audience: our own issuer URL.
        now: when it came in; UTC.

    Raises:
        InvalidInputError: see `Token.verify` and the rules of this module.
    """
    token = message.token
    verified = token.verify(keys, typ=jwt.SET_TYP, audience=audience, now=now)
    payload = token.event_payload(EventType.SIGNALS)
    claims = codec.decode(verified.claims, envelope_schema.EnvelopeClaims, field="claims")
    digests: list[str] = []
    disclosures: tuple[bytes, ...] = ()
    if message.disclosures is None:
        signals = codec.decode(payload, envelope_schema.InTheClear, field="events").signals
        envelope_schema.check_in_the_clear(payload)
    else:
        digests = _decode_digests(claims.algorithm, payload)
        disclosures = _order(message.disclosures, digests)
        signals = _decode_signals(disclosures)
    envelope = Envelope(verified.jti, verified.issuer, audience, verified.issued_at, signals)
    withheld = len(digests) - len(disclosures)
    return Opened(envelope, verified.kid, token.encoded, disclosures, withheld)


def _decode_digests(algorithm: str, payload: msgspec.Raw) -> list[str]:
    if algorithm != envelope_schema.SD_ALG:
        raise InvalidInputError(f"must be {envelope_schema.SD_ALG}", field="_sd_alg")
    elements = codec.decode(payload, envelope_schema.Digests, field="events").signals
    digests = [element.digest for element in elements]
    if len(set(digests)) != len(digests):
        raise InvalidInputError("lists a digest twice", field="signals")
    return digests


def _order(disclosures: tuple[bytes, ...], signed: list[str]) -> tuple[bytes, ...]:
    """The disclosures in the order of the digests that were signed; each must have one of its own."""
    digests = sd_jwt.digests_of(disclosures)
    if digests == signed:  # all disclosed, in order: as a sender sends them
        return disclosures
    by_digest = dict(zip(digests, disclosures, strict=True))
    if len(by_digest) != len(disclosures):
        raise InvalidInputError("is a duplicate", field="disclosure")
    ordered = tuple(by_digest[digest] for digest in signed if digest in by_digest)
    if len(ordered) != len(disclosures):
        raise InvalidInputError("has no digest in the signed payload", field="disclosure")
    return ordered


def _decode_signals(disclosures: Sequence[bytes]) -> tuple[Signal, ...]:
    """The signal of each disclosure; the digests cover how they are spelled."""
    texts = base64url.decode_all(disclosures, field="disclosure")
    try:
        signals = tuple([_decode_disclosure(text)[1] for text in texts])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInputError(str(error), field="disclosure") from error
    envelope_schema.check_disclosed(texts)
    return signals
