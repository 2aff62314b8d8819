"""Each way in which a message can be wrong: refused with its code of RFC 8935 section 2.4, nothing kept."""

import json
import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from sesame_sdk.hub.database import timestamps
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType
from sesame_sdk.signing import base64url
from sesame_sdk.signing.keys import SigningKey, public_point
from tests.hub.fixtures import ORDER
from tests.rogue import forging
from tests.rogue.deployment import CODES, Deployment
from tests.rogue.forging import claims, disclosed, disclosure, header, jws, signed

Make = Callable[[Deployment], bytes]
_A_MINUTE = timedelta(minutes=2)
_DEEP = b"[" * 100_000 + b"]" * 100_000


def _good(deployment: Deployment) -> bytes:
    return codec.encode(deployment.order())


def _plain(deployment: Deployment, **members: object) -> bytes:
    return signed(deployment.shop, claims(deployment.shop), **members)


def _saying(deployment: Deployment, **other: object) -> bytes:
    return signed(deployment.shop, claims(deployment.shop, **other))


def _raw_header(deployment: Deployment, text: str) -> bytes:
    key = deployment.shop.key
    return jws(text.replace("KID", key.kid).encode(), claims(deployment.shop), key.sign)


def _raw_payload(deployment: Deployment, change: Callable[[bytes], bytes]) -> bytes:
    return signed(deployment.shop, change(forging.text(claims(deployment.shop))))


def _by(deployment: Deployment, key: SigningKey) -> bytes:
    return deployment.shop.with_key(key).seal(deployment.order())


def _used(deployment: Deployment) -> bytes:
    """The envelope whose id was used, with another signal."""
    deployment.post(deployment.shop.seal(deployment.order("used"), jti="used-already"))
    return deployment.shop.seal(deployment.order("otherwise"), jti="used-already")


def _stripped(deployment: Deployment) -> bytes:
    whole = deployment.shop.seal(deployment.order("a"), deployment.order("b"), jti="whole-at-first")
    deployment.post(whole)
    return b"~".join([*whole.split(b"~")[:-2], b""])


def _swapped(deployment: Deployment) -> bytes:
    """The signature of one token under another's header and payload."""
    one, two = (deployment.shop.seal(deployment.order(name)) for name in "ab")
    return b".".join([*one.split(b"~")[0].split(b".")[:2], two.split(b"~")[0].split(b".")[2]]) + b"~"


KEYS: dict[str, tuple[str, Make]] = {
    "another key under the name of the right one": (
        "authentication_failed",
        lambda s: jws(header(s.shop.key), claims(s.shop), SigningKey.generate().sign),
    ),
    "the signature of another message": ("authentication_failed", _swapped),
    "an unknown key": ("invalid_key", lambda s: _by(s, SigningKey.generate())),
    "a key that was revoked": ("invalid_key", lambda s: _by(s, s.revoked)),
    "a key that does not count yet": ("invalid_key", lambda s: _by(s, s.early)),
    "another partner's key": ("invalid_key", lambda s: _by(s, s.twin.key)),
    "the hub's own key": ("invalid_key", lambda s: _plain(s, kid=s.hub.jwks()["keys"][0]["kid"])),
    "an unknown issuer": ("invalid_issuer", lambda s: _saying(s, iss="https://unknown.example")),
    "the hub itself, says the shop": ("invalid_issuer", lambda s: _saying(s, iss=s.url)),
    "another audience": ("invalid_audience", lambda s: _saying(s, aud="https://other.example")),
    "several audiences and not this one": (
        "invalid_audience",
        lambda s: _saying(s, aud=["https://a.example"]),
    ),
    "an audience that only begins like this one": ("invalid_audience", lambda s: _saying(s, aud=s.url + "0")),
}
TIMES: dict[str, tuple[str, Make]] = {
    "expired": (
        "invalid_request",
        lambda s: _saying(s, exp=forging.seconds(timestamps.utc_now() - _A_MINUTE)),
    ),
    "not yet valid": (
        "invalid_request",
        lambda s: _saying(s, nbf=forging.seconds(timestamps.utc_now() + _A_MINUTE)),
    ),
    "signed in the future": (
        "invalid_request",
        lambda s: _saying(s, iat=forging.seconds(timestamps.utc_now() + _A_MINUTE)),
    ),
    "signed more than a year ago": (
        "invalid_request",
        lambda s: _saying(s, iat=forging.seconds(timestamps.utc_now() - timedelta(days=366))),
    ),
    "signed at no date": ("invalid_request", lambda s: _saying(s, iat=1e300)),
    "signed before all dates": ("invalid_request", lambda s: _saying(s, iat=-1e15)),
    "signed at a text": ("invalid_request", lambda s: _saying(s, iat="now")),
    "an id that was used for another message": ("invalid_request", _used),
    "a used id with a signal withheld": ("invalid_request", _stripped),
    "no id": ("invalid_request", lambda s: _saying(s, jti=None)),
    "an empty id": ("invalid_request", lambda s: _saying(s, jti="")),
    "an id that is too long": ("invalid_request", lambda s: _saying(s, jti="j" * 65)),
    "an id with a NUL in it": ("invalid_request", lambda s: _saying(s, jti="a\0b")),
}
HEADERS: dict[str, tuple[str, Make]] = {
    "alg none without a signature": (
        "invalid_request",
        lambda s: jws(header(s.shop.key, alg="none"), claims(s.shop), lambda _: b""),
    ),
    "alg none with a good signature": ("invalid_request", lambda s: _plain(s, alg="none")),
    "alg None": ("invalid_request", lambda s: _plain(s, alg="None")),
    "an HMAC under the bytes of the public key": (
        "invalid_request",
        lambda s: forging.by_hmac(public_point(s.shop.key.public_jwk), claims(s.shop), s.shop.key),
    ),
    "an HMAC under the text of the public key": (
        "invalid_request",
        lambda s: forging.by_hmac(s.shop.key.public_jwk["x"].encode(), claims(s.shop), s.shop.key),
    ),
    "an HMAC under the published key set": (
        "invalid_request",
        lambda s: forging.by_hmac(json.dumps(s.shop.key.public_jwk).encode(), claims(s.shop), s.shop.key),
    ),
    "alg ES256": ("invalid_request", lambda s: _plain(s, alg="ES256")),
    "alg ed25519 in lower case": ("invalid_request", lambda s: _plain(s, alg="ed25519")),
    "alg as a list": ("invalid_request", lambda s: _plain(s, alg=["Ed25519"])),
    "alg twice": (
        "invalid_request",
        lambda s: _raw_header(s, '{"alg":"none","alg":"Ed25519","kid":"KID","typ":"secevent+jwt"}'),
    ),
    "kid twice": (
        "invalid_request",
        lambda s: _raw_header(s, '{"alg":"Ed25519","kid":"x","kid":"KID","typ":"secevent+jwt"}'),
    ),
    "kid twice, once with an escape": (
        "invalid_request",
        lambda s: _raw_header(s, '{"alg":"Ed25519","k\\u0069d":"x","kid":"KID","typ":"secevent+jwt"}'),
    ),
    "b64 false, marked critical": ("invalid_request", lambda s: _plain(s, b64=False, crit=["b64"])),
    "b64 false, not marked critical": ("invalid_request", lambda s: _plain(s, b64=False)),
    "b64 true": ("invalid_request", lambda s: _plain(s, b64=True)),
    "an unknown critical member": ("invalid_request", lambda s: _plain(s, crit=["x"], x=1)),
    "a key brought along": ("invalid_request", lambda s: _plain(s, jwk=s.shop.key.public_jwk)),
    "an address to fetch a key from": ("invalid_request", lambda s: _plain(s, jku="https://evil.example")),
    "no kid": ("invalid_request", lambda s: _plain(s, kid=None)),
    "no typ": ("invalid_request", lambda s: _plain(s, typ=None)),
    "the typ of another kind of token": ("invalid_request", lambda s: _plain(s, typ="sesame-read+jwt")),
    "a header that is too long": ("invalid_request", lambda s: _plain(s, kid="k" * 600)),
    "a header that is no object": ("invalid_request", lambda s: _raw_header(s, '["Ed25519"]')),
    "a header in invalid UTF-8": (
        "invalid_request",
        lambda s: jws(b'{"alg":"Ed25519","kid":"\xff"}', claims(s.shop), s.shop.key.sign),
    ),
    "a header nested deeply": (
        "invalid_request",
        lambda s: jws(b"[" * 250 + b"]" * 250, claims(s.shop), s.shop.key.sign),
    ),
}
FORMS: dict[str, tuple[str, Make]] = {
    "nothing": ("invalid_request", lambda _: b""),
    "two parts": ("invalid_request", lambda _: b"a.b"),
    "four parts": ("invalid_request", lambda s: _plain(s) + b".x"),
    "JWS in JSON": ("invalid_request", lambda _: b'{"payload":"","signatures":[]}'),
    "padding behind the signature": ("authentication_failed", lambda s: _plain(s) + b"="),
    "a line break behind the signature": ("authentication_failed", lambda s: _plain(s) + b"\n"),
    "characters of the other alphabet": ("invalid_request", lambda s: _plain(s).replace(b".", b"+.", 1)),
    "a payload nested deeply": ("invalid_request", lambda s: signed(s.shop, _DEEP)),
    "a claim nested deeply": (
        "invalid_request",
        lambda s: _raw_payload(s, lambda text: text[:-1] + b',"x":' + _DEEP + b"}"),
    ),
    "a payload in invalid UTF-8": (
        "invalid_request",
        lambda s: _raw_payload(s, lambda text: text.replace(b"https", b"\xff\xfe", 1)),
    ),
    "a payload with half a character": (
        "invalid_request",
        lambda s: _raw_payload(s, lambda text: text.replace(b"jti-", b"\\ud800", 1)),
    ),
    "a payload after a byte order mark": (
        "invalid_request",
        lambda s: _raw_payload(s, lambda text: b"\xef\xbb\xbf" + text),
    ),
    "a payload in UTF-16": (
        "invalid_request",
        lambda s: _raw_payload(s, lambda text: text.decode().encode("utf-16")),
    ),
    "a payload cut short": ("invalid_request", lambda s: _raw_payload(s, lambda text: text[:-1])),
    "two payloads": ("invalid_request", lambda s: _raw_payload(s, lambda text: text * 2)),
    "a token that is too long": ("invalid_request", lambda s: _saying(s, txn="x" * (1 << 20))),
    "a claim that people did not agree to": ("invalid_request", lambda s: _saying(s, email="ada@example")),
    "no event": ("invalid_request", lambda s: signed(s.shop, claims(s.shop, {}))),
    "two events": (
        "invalid_request",
        lambda s: signed(s.shop, claims(s.shop, {one: {} for one in list(EventType)[:2]})),
    ),
    "an unknown event": (
        "invalid_request",
        lambda s: signed(s.shop, claims(s.shop, {"urn:x": {}})),
    ),
    "an event that is not for a hub": (
        "invalid_request",
        lambda s: signed(s.shop, claims(s.shop, {EventType.RECEIPT.value: {}})),
    ),
}
DISCLOSURES: dict[str, tuple[str, Make]] = {
    "a disclosure with no digest": (
        "invalid_request",
        lambda s: forging.envelope(
            s.shop, [disclosed(s.order("a")), disclosed(s.order("b"))], [disclosed(s.order("a"))]
        ),
    ),
    "a disclosure instead of the one that was signed": (
        "invalid_request",
        lambda s: forging.envelope(s.shop, [disclosed(s.order("a"))], [disclosed(s.order("b"))]),
    ),
    "a disclosure twice": (
        "invalid_request",
        lambda s: forging.envelope(s.shop, [disclosed(s.order())] * 2, [disclosed(s.order())]),
    ),
    "a digest twice": (
        "invalid_request",
        lambda s: forging.envelope(s.shop, [disclosed(s.order())], [disclosed(s.order())] * 2),
    ),
    "disclosure and digest twice": (
        "invalid_request",
        lambda s: forging.envelope(s.shop, [disclosed(s.order())] * 2),
    ),
    "disclosures without a last tilde": (
        "invalid_request",
        lambda s: forging.envelope(s.shop, [disclosed(s.order())], end=b"x"),
    ),
    "a key binding token at the end": (
        "invalid_request",
        lambda s: forging.envelope(s.shop, [disclosed(s.order())], end=_plain(s, typ="kb+jwt")),
    ),
    "an empty disclosure": ("invalid_request", lambda s: forging.envelope(s.shop, [b""])),
    "digests of another hash": (
        "invalid_request",
        lambda s: forging.envelope(s.shop, [disclosed(s.order())], _sd_alg="sha-512"),
    ),
    "more disclosures than may be": (
        "invalid_request",
        lambda s: forging.envelope(s.shop, [b"x%d" % number for number in range(1001)]),
    ),
    "more digests than may be": (
        "invalid_request",
        lambda s: forging.envelope(s.shop, [], [b"x%d" % number for number in range(1001)]),
    ),
    "a disclosure of an object's member": (
        "invalid_request",
        lambda s: forging.envelope(s.shop, [base64url.encode(b'["salt","name",%b]' % _good(s))]),
    ),
    "a disclosure without salt": (
        "invalid_request",
        lambda s: forging.envelope(s.shop, [base64url.encode(b"[%b]" % _good(s))]),
    ),
    "a disclosure that is no JSON": (
        "invalid_request",
        lambda s: forging.envelope(s.shop, [base64url.encode(b"not JSON")]),
    ),
    "a disclosure in invalid UTF-8": (
        "invalid_request",
        lambda s: forging.envelope(s.shop, [disclosure(_good(s).replace(b"retail", b"\xff\xff\xff", 1))]),
    ),
    "a disclosure with padding": (
        "invalid_request",
        lambda s: forging.envelope(s.shop, [disclosed(s.order()) + b"=="]),
    ),
    "a disclosure nested deeply": (
        "invalid_request",
        lambda s: forging.envelope(s.shop, [disclosure(_DEEP)]),
    ),
    "a disclosure nested as deeply as its length allows": (
        "invalid_request",
        lambda s: forging.envelope(
            s.shop, [disclosure(_good(s)[:-1] + b',"x":' + b"[" * 390 + b"]" * 390 + b"}")]
        ),
    ),
    "something beside the signal": (
        "invalid_request",
        lambda s: forging.envelope(s.shop, [disclosure(_good(s)[:-1] + b',"note":"she is ill"}')]),
    ),
    "a member of the signal twice": (
        "invalid_request",
        lambda s: forging.envelope(s.shop, [disclosure(_good(s)[:-1] + b',"value":9.0}')]),
    ),
    "something beside the signal in the clear": (
        "invalid_request",
        lambda s: forging.in_the_clear(s.shop, b"[" + _good(s)[:-1] + b',"note":"she is ill"}]'),
    ),
    "a nested digest in the clear": (
        "invalid_request",
        lambda s: forging.in_the_clear(s.shop, b"[" + _good(s)[:-1] + b',"_sd":["x"]}]'),
    ),
}
_VALUES = {
    "NaN": b"NaN",
    "infinity": b"Infinity",
    "less than every number": b"-Infinity",
    "more than a double holds": b"1e999",
    "a whole number of a thousand digits": b"1" + b"0" * 999,
    "a text": b'"1.0"',
    "yes": b"true",
    "nothing": b"null",
    "a list": b"[1.0]",
}
VALUES: dict[str, tuple[str, Make]] = {
    f"the value {name}": (
        "invalid_request",
        lambda s, text=text: forging.envelope(
            s.shop, [disclosure(_good(s).replace(b'"value":1.0', b'"value":' + text))]
        ),  # type: ignore[misc]
    )
    for name, text in _VALUES.items()
} | {
    "a time without a zone": (
        "invalid_request",
        lambda s: forging.envelope(s.shop, [disclosure(_good(s).replace(b'Z"', b'"'))]),
    ),
    "an id that is none": (
        "invalid_request",
        lambda s: forging.envelope(
            s.shop, [disclosure(re.sub(rb"(-[0-9a-f]{4})-7", rb"\1-4", _good(s), count=1))]
        ),
    ),
    "a kind that is no name": (
        "invalid_request",
        lambda s: forging.envelope(
            s.shop, [disclosure(_good(s).replace(ORDER.encode(), b"retail;drop table"))]
        ),
    ),
}
WAYS = KEYS | TIMES | HEADERS | FORMS | DISCLOSURES | VALUES


@pytest.mark.parametrize("way", WAYS)
def test_a_message_that_is_wrong_is_refused_and_nothing_is_kept(deployment: Deployment, way: str) -> None:
    """400, the code, the reason in words, and no row of any table is another one than before."""
    code, make = WAYS[way]
    body = make(deployment)
    with deployment.unchanged():
        answer = deployment.post(body)
    problem = answer.json()
    assert (answer.status_code, problem["err"]) == (400, code), problem
    assert problem.keys() == {"err", "description"}
    assert code in CODES
    assert deployment.shop.pseudonym("ada") not in answer.text
