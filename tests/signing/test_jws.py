"""Headers: alg, kid and typ, each once, and nothing else."""

import json
from typing import Any

import pytest

from sesame_sdk import InvalidInputError
from sesame_sdk.signing.jwt import READ_TYP, SET_TYP, Token, Verified, numeric_date
from tests.conftest import NOON
from tests.signing.parties import HUB, KEY, SHOP, TRUST, compact

CLAIMS: dict[str, Any] = {"iss": SHOP, "aud": HUB, "iat": numeric_date(NOON), "jti": "id-1", "events": {}}
HEADER: dict[str, Any] = {"alg": "Ed25519", "kid": KEY.kid, "typ": SET_TYP}


def verify(token: bytes) -> Verified:
    """As the hub does at noon."""
    return Token.parse(token).verify(TRUST, typ=SET_TYP, audience=HUB, now=NOON)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({**HEADER, "alg": "EdDSA"}, id="the older name of the algorithm"),
        pytest.param({**HEADER, "typ": "application/secevent+jwt"}, id="the long form of the type"),
        pytest.param({**HEADER, "typ": "SecEvent+JWT"}, id="the type in another case"),
    ],
)
def test_what_the_rfcs_allow_to_differ_is_accepted(header: dict[str, Any]) -> None:
    """RFC 9864 and RFC 7515 section 4.1.9."""
    assert verify(compact(header, CLAIMS)).issuer == SHOP


def without(member: str) -> dict[str, Any]:
    """The header but for one member."""
    return {name: value for name, value in HEADER.items() if name != member}


@pytest.mark.parametrize(
    ("header", "why"),
    [
        pytest.param(without("kid"), "kid", id="no kid"),
        pytest.param(without("typ"), "typ", id="no typ"),
        pytest.param(without("alg"), "alg", id="no alg"),
        pytest.param({**HEADER, "typ": "JWT"}, "must be secevent", id="the type of any JWT"),
        pytest.param({**HEADER, "typ": READ_TYP}, "must be secevent", id="a type of ours, and not this one"),
        pytest.param({**HEADER, "alg": "none"}, "Ed25519", id="no algorithm"),
        pytest.param({**HEADER, "alg": "HS256"}, "Ed25519", id="a shared secret"),
        pytest.param({**HEADER, "alg": "Ed448"}, "Ed25519", id="another curve"),
        pytest.param({**HEADER, "alg": "ed25519"}, "Ed25519", id="the algorithm in another case"),
        pytest.param({**HEADER, "jku": "https://keys.example"}, "jku", id="where to get a key"),
        pytest.param({**HEADER, "x5u": "https://keys.example"}, "x5u", id="where to get a certificate"),
        pytest.param({**HEADER, "b64": False}, "b64", id="unasked b64"),
        pytest.param({**HEADER, "b64": False, "crit": ["b64"]}, "b64, crit", id="b64 that is critical"),
        pytest.param({**HEADER, "crit": ["exp"]}, "crit", id="an unknown critical member"),
        pytest.param({**HEADER, "crit": []}, "crit", id="an empty list of critical members"),
        pytest.param({**HEADER, "jwk": KEY.public_jwk}, "jwk", id="a key brought along"),
        pytest.param({**HEADER, "kid": 1}, "text values only", id="a kid that is a number"),
        pytest.param(
            json.dumps(HEADER).encode()[:-1] + b',"typ":"x"}', "duplicate member", id="a member twice"
        ),
        pytest.param(
            b'{"kid":"x",' + json.dumps(HEADER).encode()[1:],
            "duplicate member",
            id="a member twice, the good one last",
        ),
        pytest.param(
            b'{"typ":' + b"[" * 100 + b"]" * 100 + b"," + json.dumps(HEADER).encode()[1:],
            "duplicate member",
            id="a member twice, nested deep",
        ),
        pytest.param(b"[]", "Expected `object`", id="a list"),
        pytest.param(b'{"alg":"Ed25519"', "truncated", id="half a header"),
        pytest.param(b"\xff\xfe", "header", id="bytes that are no text"),
        pytest.param({**HEADER, "kid": "k" * 600}, "at most 512", id="a header that is too long"),
    ],
)
def test_a_header_with_anything_else_is_refused(header: dict[str, Any] | bytes, why: str) -> None:
    """Although the signature over it is good."""
    with pytest.raises(InvalidInputError, match=why):
        verify(compact(header, CLAIMS))
