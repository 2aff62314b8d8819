"""Tokens: what must hold before a claim is believed."""

from datetime import UTC, timedelta
from typing import Any

import pytest
from attrs import evolve, frozen

from sesame_sdk import ConfigurationError, InvalidInputError
from sesame_sdk.constants import MAX_TOKEN_BYTES
from sesame_sdk.model import codec
from sesame_sdk.signing import base64url
from sesame_sdk.signing.jwt import READ_TYP, SET_TYP, Token, Verified, numeric_date, sign_claims
from sesame_sdk.signing.keys import SigningKey, Trust, TrustedKey
from tests.conftest import NOON
from tests.signing.parties import HUB, KEY, SHOP, TRUST, compact

CLAIMS: dict[str, Any] = {"iss": SHOP, "aud": HUB, "iat": numeric_date(NOON), "jti": "id-1", "events": {}}
HEADER: dict[str, Any] = {"alg": "Ed25519", "kid": KEY.kid, "typ": SET_TYP}


def verify(token: bytes, typ: str = SET_TYP) -> Verified:
    """As the hub does at noon."""
    return Token.parse(token).verify(TRUST, typ=typ, audience=HUB, now=NOON)


def test_what_is_signed_is_believed() -> None:
    """With every standard claim, and the payload as it was."""
    verified = verify(sign_claims(CLAIMS, KEY, typ=SET_TYP))

    assert verified == Verified(SHOP, KEY.kid, "id-1", NOON, codec.encode(CLAIMS))


def test_a_key_may_live_anywhere() -> None:
    """A signer is whatever has the three members: here one that keeps its key to itself."""

    class Vault:
        kid = KEY.kid
        public_jwk = KEY.public_jwk

        def sign(self, data: bytes) -> bytes:
            return KEY.sign(data)

    assert verify(sign_claims(codec.encode(CLAIMS), Vault(), typ=SET_TYP)).jti == "id-1"


def test_a_signer_that_returns_something_else_is_caught_at_once() -> None:
    """Not at the other side, a day later."""

    @frozen
    class Broken:
        kid: str = KEY.kid
        public_jwk: dict[str, Any] = KEY.public_jwk

        def sign(self, data: bytes) -> bytes:
            return b"\x30\x44" + KEY.sign(data)

    with pytest.raises(ConfigurationError, match="64 bytes"):
        sign_claims(CLAIMS, Broken(), typ=SET_TYP)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"iss": "https://unknown.example"}, "invalid_issuer", id="an issuer that is not known"),
        pytest.param({"iss": None}, "invalid_request", id="no issuer"),
        pytest.param({"iss": ""}, "invalid_request", id="an empty issuer"),
        pytest.param({"aud": "https://other.example"}, "invalid_audience", id="for somebody else"),
        pytest.param({"aud": ["https://other.example"]}, "invalid_audience", id="for others"),
        pytest.param({"aud": []}, "invalid_audience", id="an empty audience"),
        pytest.param({"aud": HUB + "/"}, "invalid_audience", id="our audience plus a character"),
        pytest.param({"aud": None}, "invalid_request", id="no audience"),
        pytest.param({"aud": [HUB, 5]}, "invalid_request", id="an audience that is a number"),
        pytest.param({"jti": None}, "invalid_request", id="no id"),
        pytest.param({"jti": ""}, "invalid_request", id="an empty id"),
        pytest.param({"jti": 7}, "invalid_request", id="an id that is a number"),
        pytest.param({"jti": "x" * 65}, "invalid_request", id="an id that is too long"),
        pytest.param({"iat": numeric_date(NOON) + 61}, "invalid_request", id="signed in the future"),
        pytest.param({"iat": 15203800012}, "invalid_request", id="signed in the year 2451"),
        pytest.param({"iat": 10**30}, "invalid_request", id="signed at no date at all"),
        pytest.param({"iat": None}, "invalid_request", id="not dated"),
        pytest.param({"iat": "1748779200"}, "invalid_request", id="a date that is text"),
        pytest.param({"iat": True}, "invalid_request", id="a date that is true"),
        pytest.param({"nbf": numeric_date(NOON) + 61}, "invalid_request", id="not to be used yet"),
        pytest.param({"exp": numeric_date(NOON) - 60}, "invalid_request", id="no longer to be used"),
        pytest.param({"exp": -(10**30)}, "invalid_request", id="an end that is no date"),
    ],
)
def test_claims_that_do_not_hold_are_refused(change: dict[str, Any], code: str) -> None:
    """With the code of RFC 8935 that a sender can act on."""
    claims = {name: value for name, value in {**CLAIMS, **change}.items() if value is not None}

    with pytest.raises(InvalidInputError) as caught:
        verify(sign_claims(claims, KEY, typ=SET_TYP))
    assert caught.value.code == code


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"aud": [HUB, "https://other.example"]}, id="for us and others"),
        pytest.param({"iat": numeric_date(NOON) + 60}, id="a clock one minute ahead"),
        pytest.param({"iat": numeric_date(NOON) - 0.5}, id="a date with a fraction"),
        pytest.param({"iat": 0}, id="an old token: how old is for the caller to judge"),
        pytest.param({"exp": numeric_date(NOON) - 59}, id="an end within the leeway"),
        pytest.param({"nbf": numeric_date(NOON) + 60}, id="a begin within the leeway"),
        pytest.param({"txn": "8675309", "sub_id": {"format": "opaque"}}, id="claims that we do not know"),
    ],
)
def test_claims_that_hold_are_accepted(change: dict[str, Any]) -> None:
    """Up to the very edge."""
    assert verify(sign_claims({**CLAIMS, **change}, KEY, typ=SET_TYP)).jti == "id-1"


def test_the_leeway_is_the_callers() -> None:
    """A hub that trusts no clock but its own may say so."""
    token = sign_claims({**CLAIMS, "iat": numeric_date(NOON) + 1}, KEY, typ=SET_TYP)

    with pytest.raises(InvalidInputError, match="future"):
        Token.parse(token).verify(TRUST, typ=SET_TYP, audience=HUB, now=NOON, leeway=timedelta(0))


@pytest.mark.parametrize(("signed", "asked"), [(SET_TYP, READ_TYP), (READ_TYP, SET_TYP)])
def test_no_token_passes_for_another_kind(signed: str, asked: str) -> None:
    """A message is no permission to read, and a permission is no message."""
    token = sign_claims(CLAIMS, KEY, typ=signed)

    assert verify(token, signed).jti == "id-1"
    with pytest.raises(InvalidInputError, match="typ"):
        verify(token, asked)


def test_another_partys_key_cannot_sign_for_the_issuer() -> None:
    """Neither by its own id nor under the issuer's."""
    thief = SigningKey.generate()
    under_false_id = sign_claims(CLAIMS, evolve(Named(thief), kid=KEY.kid), typ=SET_TYP)

    with pytest.raises(InvalidInputError) as own_id:
        verify(sign_claims(CLAIMS, thief, typ=SET_TYP))
    with pytest.raises(InvalidInputError) as false_id:
        verify(under_false_id)
    assert (own_id.value.code, false_id.value.code) == ("invalid_key", "authentication_failed")


@frozen
class Named:
    """A key that says it is another."""

    key: SigningKey
    kid: str = ""

    @property
    def public_jwk(self) -> dict[str, Any]:
        """Its own."""
        return self.key.public_jwk

    def sign(self, data: bytes) -> bytes:
        """With its own key."""
        return self.key.sign(data)


def test_the_signature_is_looked_at_before_any_claim_but_the_issuer() -> None:
    """An unsigned token learns nothing of what we think of its audience or its date."""
    signing_input, _, _ = sign_claims({"iss": SHOP, "aud": 5, "iat": "x"}, KEY, typ=SET_TYP).rpartition(b".")

    with pytest.raises(InvalidInputError) as caught:
        verify(signing_input + b"." + base64url.encode(b"\0" * 64))
    assert caught.value.code == "authentication_failed"


TOKEN = sign_claims(CLAIMS, KEY, typ=SET_TYP)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"..", id="three empty parts"),
        pytest.param(TOKEN.rpartition(b".")[0], id="no signature"),
        pytest.param(TOKEN.rpartition(b".")[0] + b".", id="an empty signature"),
        pytest.param(TOKEN + b".", id="a fourth part"),
        pytest.param(TOKEN + b"=", id="padding"),
        pytest.param(TOKEN + b"\n", id="a line break"),
        pytest.param(b" " + TOKEN, id="a space before it"),
        pytest.param(codec.encode({"payload": "", "signatures": []}), id="the JSON form"),
        pytest.param(compact(HEADER, b"[" * 300_000), id="nested beyond the parser's depth"),
        pytest.param(compact(HEADER, b"\xff"), id="a payload that is no text"),
        pytest.param(compact(HEADER, b'"claims"'), id="a payload that is no object"),
    ],
)
def test_what_is_no_token_is_refused(token: bytes) -> None:
    """With our own error, whatever it is."""
    with pytest.raises(InvalidInputError):
        verify(token)


def test_an_oversize_token_is_refused_before_it_is_read() -> None:
    """No key is looked up, and nothing is decoded."""
    with pytest.raises(InvalidInputError, match=f"at most {MAX_TOKEN_BYTES} bytes"):
        Token.parse(b"x" * (MAX_TOKEN_BYTES + 1)).verify(Trust({}), typ=SET_TYP, audience=HUB, now=NOON)


def test_a_time_without_a_zone_is_not_signed() -> None:
    """The local zone of a server says nothing."""
    with pytest.raises(InvalidInputError, match="UTC"):
        numeric_date(NOON.replace(tzinfo=None))
    assert numeric_date(NOON.replace(tzinfo=UTC)) == NOON.timestamp()


def test_a_refusal_never_repeats_the_token() -> None:
    """Errors are logged, and tokens are not."""
    with pytest.raises(InvalidInputError) as caught:
        Token.parse(TOKEN).verify(
            Trust({SHOP: [TrustedKey(SigningKey.generate().public_jwk, NOON)]}),
            typ=SET_TYP,
            audience=HUB,
            now=NOON,
        )
    assert TOKEN.decode()[-20:] not in str(caught.value)
