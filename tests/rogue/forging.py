"""Making what the SDK would never make: tokens by hand, part by part."""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sesame_sdk import Signal
from sesame_sdk.hub.database import timestamps
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType
from sesame_sdk.signing import base64url
from sesame_sdk.signing.keys import SigningKey
from sesame_sdk.signing.sd_jwt import digest_of
from tests.hub.fixtures import Partner

#: JSON as it is, or what becomes JSON.
Json = bytes | dict[str, Any]
_SALT = "a-salt-of-two-and-20-l"


def text(part: Json) -> bytes:
    """JSON text."""
    return part if isinstance(part, bytes) else json.dumps(part).encode()


def jws(header: Json, payload: Json, sign: Callable[[bytes], bytes]) -> bytes:
    """A JWS in compact form, whatever is in it."""
    signed = base64url.encode(text(header)) + b"." + base64url.encode(text(payload))
    return signed + b"." + base64url.encode(sign(signed))


def header(key: SigningKey, **other: Any) -> dict[str, Any]:
    """The header that a hub requires, with changes; None leaves a member out."""
    members = {"alg": "Ed25519", "kid": key.kid, "typ": "secevent+jwt"} | other
    return {name: value for name, value in members.items() if value is not None}


def claims(partner: Partner, events: dict[str, Any] | None = None, **other: Any) -> dict[str, Any]:
    """The claims of an event, and what is to be otherwise; None leaves a claim out."""
    members = {
        "iss": partner.issuer,
        "aud": partner.hub.settings.issuer,
        "iat": seconds(),
        "jti": "jti-" + base64url.encode(hashlib.sha256(repr(other).encode()).digest()).decode()[:20],
        "_sd_alg": "sha-256",
        "events": {EventType.SIGNALS.value: {"signals": []}} if events is None else events,
    } | other
    return {name: value for name, value in members.items() if value is not None}


def seconds(at: datetime | None = None, **_: Any) -> int:
    """A NumericDate: now, unless it is given."""
    return int((at or timestamps.utc_now()).timestamp())


def signed(partner: Partner, payload: Json, **members: Any) -> bytes:
    """A token by a partner's own key over any payload, with these members of the header otherwise."""
    return jws(header(partner.key, **members), payload, partner.key.sign)


def by_hmac(secret: bytes, payload: Json, key: SigningKey) -> bytes:
    """A token whose signature is an HMAC."""
    return jws(
        header(key, alg="HS256"), payload, lambda data: hmac.new(secret, data, hashlib.sha256).digest()
    )


def disclosure(value: bytes) -> bytes:
    """A disclosure of any JSON."""
    return base64url.encode(b'["%b",%b]' % (_SALT.encode(), value))


def disclosed(signal: Signal) -> bytes:
    """The disclosure of a signal."""
    return disclosure(codec.encode(signal))


def listing(*digests: str) -> dict[str, Any]:
    """An event that lists digests."""
    return {EventType.SIGNALS.value: {"signals": [{"...": digest} for digest in digests]}}


def envelope(
    partner: Partner, shown: list[bytes], listed: list[bytes] | None = None, end: bytes = b"", **other: Any
) -> bytes:
    """An envelope with some disclosures and the digests of others; of the same, unless given."""
    events = listing(*(digest_of(one) for one in (shown if listed is None else listed)))
    return b"~".join([signed(partner, claims(partner, events, **other)), *shown, end])


def in_the_clear(partner: Partner, signals: bytes, **other: Any) -> bytes:
    """A plain SET whose signals are this JSON."""
    other = {"_sd_alg": None} | other
    mark = {EventType.SIGNALS.value: {"signals": ["here"]}}
    return signed(partner, text(claims(partner, mark, **other)).replace(b'["here"]', signals))
