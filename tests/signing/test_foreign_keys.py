"""Keys and signatures of transmitters of other software, which jwcrypto makes: only those that fit count."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from sesame_sdk import InvalidInputError
from sesame_sdk.model import codec
from sesame_sdk.signing.foreign_keys import read_foreign_jwk_set
from sesame_sdk.signing.jwt import MAX_FOREIGN_JTI, SET_TYP, Token
from sesame_sdk.signing.keys import SigningKey, read_jwk_set
from sesame_sdk.signing.published_keys import PublishedKeys

ISSUER, AUDIENCE = "https://tr.example.com/issuer1", "receiver.example.com/web"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEYS = {
    "Ed25519": JWK.generate(kty="OKP", crv="Ed25519", kid="ed"),
    "ES256": JWK.generate(kty="EC", crv="P-256", kid="p256"),
    "RS256": JWK.generate(kty="RSA", size=2048, kid="rsa"),
}
CLAIMS = {"iss": ISSUER, "jti": "1", "iat": int(NOW.timestamp()), "aud": ["other", AUDIENCE], "events": {}}
_EXTRA = {
    "jku": "https://tr.example.com/jwks.json",
    "x5t#S256": "AAAA",
    "cty": "json",
    "https://x.example": [1],
}


def public(key: JWK, **members: Any) -> dict[str, Any]:
    """As it is published."""
    return {**key.export_public(as_dict=True), **members}


def jwks(*keys: dict[str, Any]) -> bytes:
    """A JWK set."""
    return codec.encode({"keys": keys})


def signed(
    algorithm: str, *, key: JWK | None = None, claims: dict[str, Any] = CLAIMS, **header: Any
) -> bytes:
    """A token by jwcrypto."""
    token = JWS(json.dumps(claims))
    token.allowed_algs = ["EdDSA", "ES256", "RS256", "RS384", "PS256", "HS256"]
    signer = key or KEYS[algorithm]
    protected = {"alg": "EdDSA" if algorithm == "Ed25519" else algorithm, "kid": signer.get("kid")}
    token.add_signature(signer, protected=json.dumps({**protected, "typ": SET_TYP, **header}))
    return str(token.serialize(compact=True)).encode()


class Published:
    """Finds a key in a published set, however many times it is asked."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys = read_foreign_jwk_set(jwks(*keys))

    def find(self, issuer: str, kid: str, at: datetime) -> dict[str, Any]:  # noqa: ARG002
        """As a `KeyFinder`."""
        if kid not in self.keys:
            raise InvalidInputError("unknown", field="kid", code="invalid_key")
        return self.keys[kid]


ALL = Published(*(public(key) for key in KEYS.values()))


def verify(token: bytes, keys: Published = ALL) -> str:
    """The ``jti`` of a token that was verified."""
    parsed = Token.parse(token, foreign=True)
    return parsed.verify(keys, typ=SET_TYP, audience=AUDIENCE, now=NOW).jti


@pytest.mark.parametrize("algorithm", list(KEYS))
def test_each_algorithm_is_verified_with_its_key(algorithm: str) -> None:
    """With further header members, a long jti, and no exp; one changed byte is noticed."""
    jti = "j" * MAX_FOREIGN_JTI
    token = signed(algorithm, claims={**CLAIMS, "jti": jti}, **_EXTRA)
    assert verify(token) == jti
    head, payload, signature = token.split(b".")
    other = base64.urlsafe_b64encode(json.dumps({**CLAIMS, "jti": "2"}).encode()).rstrip(b"=")
    for forged in (
        b".".join((head, other, signature)),
        b".".join((head, payload, signature[:-8] + b"AAAAAAAA")),
    ):
        with pytest.raises(InvalidInputError) as caught:
            verify(forged)
        assert caught.value.code == "authentication_failed"


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_a_token_of_our_own_parties_is_ed25519_only(algorithm: str) -> None:
    """Without `foreign` neither the algorithms nor further header members are accepted."""
    with pytest.raises(InvalidInputError, match="alg"):
        Token.parse(signed(algorithm))
    with pytest.raises(InvalidInputError, match="exactly alg, kid and typ"):
        Token.parse(signed("Ed25519", **_EXTRA))


@pytest.mark.parametrize("named", list(KEYS))
@pytest.mark.parametrize("used", list(KEYS))
def test_the_algorithm_must_fit_the_key_with_this_kid(named: str, used: str) -> None:
    """Naming another key than the one that signed is never accepted, whatever the algorithm."""
    token = signed(used, kid=KEYS[named].get("kid"))
    if named == used:
        assert verify(token) == "1"
        return
    with pytest.raises(InvalidInputError) as caught:
        verify(token)
    assert caught.value.code == "invalid_key"


def test_a_public_key_is_no_secret_for_hmac() -> None:
    """RFC 8725 section 2.1, and ``none``, and a longer hash or another padding with the right key."""
    modulus = public(KEYS["RS256"])["n"]
    tokens = [
        signed("HS256", key=JWK(kty="oct", k=modulus, kid="rsa")),
        signed("RS384", key=KEYS["RS256"]),
        signed("PS256", key=KEYS["RS256"]),
        base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": "rsa", "typ": SET_TYP}).encode()).rstrip(
            b"="
        )
        + b"."
        + signed("RS256").split(b".")[1]
        + b".",
    ]
    for token in tokens:
        with pytest.raises(InvalidInputError, match="alg"):
            verify(token)


@pytest.mark.parametrize(
    ("members", "why"),
    [
        pytest.param({"crit": ["exp"], "exp": 1}, "crit", id="a critical extension"),
        pytest.param({"b64": False}, "b64", id="an unencoded payload"),
        pytest.param({"typ": "JWT"}, "typ", id="another type of token"),
        pytest.param({"kid": ["rsa"]}, "text", id="a kid that is no text"),
        pytest.param({"x5c": ["A" * 20_000]}, "at most", id="a header that is too long"),
    ],
)
def test_a_header_that_is_refused(members: dict[str, Any], why: str) -> None:
    """By its member."""
    head = {"alg": "RS256", "kid": "rsa", "typ": SET_TYP, **members}
    encoded = base64.urlsafe_b64encode(json.dumps(head).encode()).rstrip(b"=")
    with pytest.raises(InvalidInputError, match=why):
        verify(encoded + b"." + signed("RS256").partition(b".")[2])


def test_a_key_in_the_header_is_not_used() -> None:
    """The attacker's own key, embedded, under the kid of a known one."""
    mine = JWK.generate(kty="EC", crv="P-256", kid="p256")
    with pytest.raises(InvalidInputError) as caught:
        verify(signed("ES256", key=mine, jwk=public(mine)))
    assert caught.value.code == "authentication_failed"


_UNUSABLE: dict[str, Callable[[], dict[str, Any]]] = {
    "encryption": lambda: public(JWK.generate(kty="RSA", size=2048, kid="x"), use="enc"),
    "an algorithm for encryption": lambda: public(
        JWK.generate(kty="RSA", size=2048, kid="x"), alg="RSA-OAEP"
    ),
    "another hash": lambda: public(KEYS["RS256"], kid="x", alg="RS512"),
    "operations without verify": lambda: public(KEYS["ES256"], kid="x", key_ops=["deriveKey"]),
    "1024 bits": lambda: public(JWK.generate(kty="RSA", size=1024, kid="x")),
    "an even exponent": lambda: public(KEYS["RS256"], kid="x", e="Ag"),
    "a large exponent": lambda: public(KEYS["RS256"], kid="x", e="AQAAAAAAAAAB"),
    "P-384": lambda: public(JWK.generate(kty="EC", crv="P-384", kid="x")),
    "no point of the curve": lambda: public(KEYS["ES256"], kid="x", y=public(KEYS["ES256"])["x"]),
    "X25519": lambda: public(JWK.generate(kty="OKP", crv="X25519", kid="x")),
    "Ed448": lambda: public(JWK.generate(kty="OKP", crv="Ed448", kid="x")),
    "a post-quantum key": lambda: {"kty": "AKP", "alg": "ML-DSA-65", "pub": "AAAA", "kid": "x"},
    "no kid": lambda: {name: value for name, value in public(KEYS["ES256"]).items() if name != "kid"},
    "an unknown type in a list": lambda: {"kty": ["RSA"], "kid": "x"},
    "operations that are a number": lambda: public(KEYS["ES256"], kid="x", key_ops=7),
}


@pytest.mark.parametrize("unusable", list(_UNUSABLE))
def test_an_unusable_key_does_not_spoil_its_set(unusable: str) -> None:
    """RFC 7517 section 5: it is skipped. Alone it leaves no usable key."""
    jwk = _UNUSABLE[unusable]()
    assert list(read_foreign_jwk_set(jwks(jwk, public(KEYS["ES256"])))) == ["p256"]
    with pytest.raises(InvalidInputError, match="no usable key"):
        read_foreign_jwk_set(jwks(jwk))


def test_a_hub_may_publish_keys_for_other_uses() -> None:
    """Only those that fit are read, still by their thumbprint; a partner's are admitted all or none."""
    ours, others = SigningKey.generate().public_jwk, [make() for make in _UNUSABLE.values()]
    data = jwks(*others, ours, public(KEYS["Ed25519"]))
    assert read_jwk_set(data, skip_unusable=True) == (ours,)
    assert [key.kid for key in PublishedKeys.from_json(data).keys] == [ours["kid"]]
    with pytest.raises(InvalidInputError):
        read_jwk_set(data)


@pytest.mark.parametrize("kind", ["Ed25519", "ES256", "RS256", "oct"])
def test_a_private_key_spoils_its_set(kind: str) -> None:
    """Whoever publishes one has lost it; also a symmetric one."""
    secret = JWK.generate(kty="oct", size=256, kid="x") if kind == "oct" else KEYS[kind]
    exposed = jwks(public(KEYS["ES256"], kid="other"), secret.export(as_dict=True))
    for read in (read_foreign_jwk_set, lambda data: read_jwk_set(data, skip_unusable=True)):
        with pytest.raises(InvalidInputError, match="private key"):
            read(exposed)


def test_one_kid_names_one_key() -> None:
    """Two usable keys with one kid are refused."""
    with pytest.raises(InvalidInputError, match="duplicate"):
        read_foreign_jwk_set(jwks(public(KEYS["ES256"]), public(KEYS["RS256"], kid="p256")))
