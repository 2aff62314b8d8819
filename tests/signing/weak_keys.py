"""Public keys without an honest private key behind them, and forgeries under them."""

import hashlib

from nacl.bindings import crypto_core_ed25519_add

from sesame_sdk.signing import base64url
from sesame_sdk.signing.keys import SigningKey

#: Each encoding of a point whose order divides 8; from Chalkias, Garillot, Nikolaenko: "Taming the many
#: EdDSAs" (2020), table 1 and section 3, and libsodium's list (ed25519_ref10.c).
CANONICAL = {
    "order 1": "01" + "00" * 31,
    "order 2": "ec" + "ff" * 30 + "7f",
    "order 4, positive": "00" * 31 + "80",
    "order 4, negative": "00" * 32,
    "order 8, y1 positive": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "order 8, y1 negative": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "order 8, y2 positive": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "order 8, y2 negative": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
}
NOT_CANONICAL = {
    "order 1 with a sign": "01" + "00" * 30 + "80",
    "order 2 with a sign": "ec" + "ff" * 30 + "ff",
    "order 4, y is p": "ed" + "ff" * 30 + "7f",
    "order 4, y is p with a sign": "ed" + "ff" * 30 + "ff",
    "order 1, y is p + 1": "ee" + "ff" * 30 + "7f",
    "order 1, y is p + 1 with a sign": "ee" + "ff" * 30 + "ff",
}
TORSION = tuple(bytes.fromhex(text) for text in CANONICAL.values())
_HONEST = base64url.decode(SigningKey.generate().public_jwk["x"].encode(), field="x")
_P = 2**255 - 19

#: Every kind of point that is refused, by what it is.
WEAK_POINTS = {
    **{name: bytes.fromhex(text) for name, text in (CANONICAL | NOT_CANONICAL).items()},
    **{
        f"an honest key plus {name}": crypto_core_ed25519_add(_HONEST, bytes.fromhex(text))
        for name, text in CANONICAL.items()
        if name != "order 1"
    },
    **{
        f"y is p + {extra}, sign {sign}": (_P + extra | sign << 255).to_bytes(32, "little")
        for extra in range(19)
        for sign in (0, 1)
    },
    "off the curve": (2).to_bytes(32, "little"),
}


def weak_jwk(point: bytes) -> dict[str, str]:
    """The point as a JWK with its right thumbprint, which `thumbprint` refuses to compute."""
    x = base64url.encode(point).decode()
    digest = hashlib.sha256(f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'.encode()).digest()
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": base64url.encode(digest).decode()}


def forgeries() -> list[bytes]:
    """Forged signatures: R is a point of low order and S is 0."""
    return [point + bytes(32) for point in TORSION]
