"""Seals and opens envelopes: up to a thousand signals under one signature, each of which verifies alone.

An envelope is an SD-JWT (RFC 9901): a Security Event Token that lists digests, then the signals as
disclosures, ``JWT~disclosure~...~``. Without one of its disclosures the signature is still valid: so the
signals of a person without consent, or who asks for erasure, are dropped.

Opening checks, beyond `Token.verify`:
    * ``_sd_alg`` is SHA-256; each digest is 43 characters of base64url and listed once, at most `MAX_SIGNALS`
    * each disclosure has a digest and comes once; withheld ones are counted
    * each disclosure is decoded on its own: a salt of 22 to 43 characters of base64url and a signal, no more
    * claims have the forms of `message_form`, and there are no other claims or members: a hub stores what it
      gave a receipt for, and people consented to signals only
    * nothing follows the last ``~``: key binding is not supported

Without any ``~`` it is a plain SET with its signals in the clear, and accepted too: other Shared Signals
software sends that.
"""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from attrs import field, fields, frozen

from sesame_sdk.constants import MAX_SIGNALS
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.interfaces import Signer
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import Envelope, EventType
from sesame_sdk.model.signals import Signal
from sesame_sdk.signing import base64url, jwt, sd_jwt
from sesame_sdk.signing.jwt import KeyFinder
from sesame_sdk.signing.message_form import SD_ALG, decode_claims, load_unique
from sesame_sdk.signing.sd_jwt import SdJwt

#: A salt and a signal of maximal length take about half of it.
MAX_DISCLOSURE_BYTES = 1024
_MEMBERS = {attribute.name for attribute in fields(Signal)}
_TEXTS = 4  # among a signal's values: all but the number
#: Quotes in a disclosure: around the salt, the names of the members, and those values that are text.
_QUOTES = 2 * (1 + len(_MEMBERS) + _TEXTS)
_is_digest = re.compile(r"[A-Za-z0-9_-]{43}").fullmatch
_is_salt = re.compile(r"[A-Za-z0-9_-]{22,43}").fullmatch
_decode_disclosure = codec.decoder(tuple[str, Signal]).decode


class Element(msgspec.Struct, rename={"digest": "..."}, forbid_unknown_fields=True, frozen=True):
    """The digest of a disclosure in an array (RFC 9901 section 4.2.4.2)."""

    digest: str


class Digests(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The event of an envelope whose signals are disclosures."""

    signals: Annotated[list[Element], msgspec.Meta(max_length=MAX_SIGNALS)]


class InTheClear(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The event of a plain SET."""

    signals: Annotated[tuple[Signal, ...], msgspec.Meta(max_length=MAX_SIGNALS)]


@frozen
class Opened:
    """A verified envelope with the disclosure of each signal (none if in the clear) and what was withheld."""

    envelope: Envelope
    kid: str
    token: bytes = field(repr=False)
    disclosures: tuple[bytes, ...] = field(repr=False)
    withheld: int


def seal(
    signals: Sequence[Signal],
    signer: Signer,
    *,
    issuer: str,
    audience: str,
    now: datetime,
    jti: str | None = None,
) -> bytes:
    """Sign a batch of 1 to `MAX_SIGNALS`, with every signal disclosed.

    `jti` is a new one unless the same batch is sealed again. Raises `InvalidInputError` if the receiver would
    refuse the envelope.
    """
    sealed = Envelope(jti or jwt.new_jti(), issuer, audience, now, tuple(signals))
    if not sealed.signals:
        raise InvalidInputError("must hold at least one signal", field="signals")
    disclosures, digests = sd_jwt.disclose(codec.encode_each(sealed.signals))
    token = jwt.sign_event(
        EventType.SIGNALS,
        _digest_list(digests),
        signer,
        issuer=issuer,
        audience=audience,
        now=now,
        jti=sealed.jti,
        _sd_alg=SD_ALG,
    )
    return b"~".join([token, *disclosures, b""])


def _digest_list(digests: Sequence[str]) -> msgspec.Raw:
    """The payload ``{"signals": [{"...": digest}, ...]}`` without an object each; digests need no escapes."""
    return msgspec.Raw('{{"signals":[{{"...":"{}"}}]}}'.format('"},{"...":"'.join(digests)).encode())


def open_envelope(message: SdJwt, keys: KeyFinder, *, audience: str, now: datetime) -> Opened:
    """Verify an envelope by `Token.verify` and this module's rules, and decode its disclosed signals."""
    token = message.token
    verified = token.verify(keys, typ=jwt.SET_TYP, audience=audience, now=now)
    payload = token.event_payload(EventType.SIGNALS)
    claims = decode_claims(verified.claims)
    digests: list[str] = []
    disclosures: tuple[bytes, ...] = ()
    if message.disclosures is None:
        signals = codec.decode(payload, InTheClear, field="events").signals
        _check_in_the_clear(payload)
    else:
        digests = _decode_digests(claims.algorithm, payload)
        disclosures = _order(message.disclosures, digests)
        signals = _decode_signals(disclosures)
    envelope = Envelope(verified.jti, verified.issuer, audience, verified.issued_at, signals)
    withheld = len(digests) - len(disclosures)
    return Opened(envelope, verified.kid, token.encoded, disclosures, withheld)


def recover_signals(body: bytes) -> tuple[Signal, ...]:
    """The signals of an envelope that we sealed ourselves, without verifying its signature.

    Raises `InvalidInputError`: it is damaged, or is no envelope with all its signals.
    """
    message = SdJwt.parse(body)
    payload = message.token.event_payload(EventType.SIGNALS)
    if message.disclosures is None:
        return codec.decode(payload, InTheClear, field="events").signals
    digests = _decode_digests(SD_ALG, payload)
    disclosures = _order(message.disclosures, digests)
    if len(disclosures) < len(digests):
        raise InvalidInputError("lacks a disclosure", field="envelope")
    return _decode_signals(disclosures)


def _decode_digests(algorithm: str, payload: msgspec.Raw) -> list[str]:
    if algorithm != SD_ALG:
        raise InvalidInputError(f"must be {SD_ALG}", field="_sd_alg")
    elements = codec.decode(payload, Digests, field="events").signals
    digests = [element.digest for element in elements]
    if len(set(digests)) != len(digests):
        raise InvalidInputError("lists a digest twice", field="signals")
    if not all(map(_is_digest, digests)):
        raise InvalidInputError("must be digests: 43 characters of base64url", field="signals")
    if bytes(payload) != bytes(_digest_list(digests)):  # as the SDK writes it
        load_unique(bytes(payload))
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
        decoded = [_decode_disclosure(text) for text in texts]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInputError(str(error), field="disclosure") from error
    _check_disclosed(texts)
    if not all(_is_salt(salt) for salt, _ in decoded):
        raise InvalidInputError("must have a salt of 22 to 43 characters of base64url", field="disclosure")
    return tuple([signal for _, signal in decoded])


def _check_disclosed(texts: Sequence[bytes]) -> None:
    """Check that each decoded disclosure is not too long, and holds a salt and the members of a signal."""
    if max(map(len, texts), default=0) > MAX_DISCLOSURE_BYTES:
        raise InvalidInputError(f"must be at most {MAX_DISCLOSURE_BYTES} bytes", field="disclosure")
    # A further member adds two quotes, and escaped text may add some: only those are parsed again, which
    # for each would cost more than all the rest of opening.
    for text in texts:
        if text.count(b'"') != _QUOTES:
            _check_members(json.loads(text, object_pairs_hook=list)[1])


def _check_in_the_clear(payload: msgspec.Raw) -> None:
    """Check that each signal in the clear has the members of a signal."""
    for members in load_unique(bytes(payload))["signals"]:
        _check_members(list(members.items()))


def _check_members(pairs: list[tuple[str, object]]) -> None:
    names = [name for name, _ in pairs]
    if len(names) != len(_MEMBERS) or set(names) != _MEMBERS:
        raise InvalidInputError("must have the members of a signal, each once, and no others", field="signal")
