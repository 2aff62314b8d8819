"""Public keys that have no private key, or more than one meaning: refused wherever a key comes in."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sesame_sdk import ConfigurationError, InvalidInputError
from sesame_sdk.delivery.outbox import Outbox
from sesame_sdk.model import codec
from sesame_sdk.partner.key_pinning import PinnedKeys
from sesame_sdk.signing import base64url, jws
from sesame_sdk.signing.keys import SigningKey, TrustedKey, public_point, read_jwk_set, thumbprint
from sesame_sdk.testing import LocalHub
from tests.conftest import NOON
from tests.signing.weak_keys import TORSION, WEAK_POINTS, forgeries, weak_jwk

HUB = "https://hub.example"
SIGNING_INPUTS = [
    base64url.encode(codec.encode({"alg": "Ed25519", "kid": "k", "typ": "secevent+jwt"}))
    + b"."
    + base64url.encode(codec.encode({"n": number}))
    for number in range(32)
]


def verified_by_openssl(point: bytes) -> int:
    """How many of 256 forgeries the bare library takes for signatures of this key."""
    key, count = Ed25519PublicKey.from_public_bytes(point), 0
    for signing_input in SIGNING_INPUTS:
        for forgery in forgeries():
            with suppress(InvalidSignature):
                key.verify(forgery, signing_input)
                count += 1
    return count


def taken_as_token(jwk: dict[str, str]) -> int:
    """How many of the same forgeries pass for tokens."""
    count = 0
    for signing_input in SIGNING_INPUTS:
        for forgery in forgeries():
            with suppress(InvalidInputError):
                jws.parse(signing_input + b"." + base64url.encode(forgery)).verify(jwk)
                count += 1
    return count


@pytest.mark.parametrize("point", [pytest.param(point, id=point.hex()[:8]) for point in TORSION])
def test_forgeries_under_a_key_of_low_order_are_refused(point: bytes) -> None:
    """OpenSSL takes many of them for valid, which is why the key itself has to be refused."""
    assert verified_by_openssl(point) >= 16
    assert taken_as_token(weak_jwk(point)) == 0


ENTRANCES: dict[str, Callable[[dict[str, str], Path], object]] = {
    "a JWK set": lambda jwk, _: read_jwk_set(codec.encode({"keys": [jwk]})),
    "a trust store": lambda jwk, _: TrustedKey(jwk, NOON),
    "a thumbprint": lambda jwk, _: thumbprint(jwk),
    "a signature": lambda jwk, _: jws.parse(SIGNING_INPUTS[0] + b"." + b"A" * 86).verify(jwk),
}


@pytest.mark.parametrize(
    "entrance", [pytest.param(entrance, id=name) for name, entrance in ENTRANCES.items()]
)
@pytest.mark.parametrize("point", [pytest.param(point, id=name) for name, point in WEAK_POINTS.items()])
def test_no_entrance_takes_a_weak_key(
    point: bytes, entrance: Callable[[dict[str, str], Path], object], tmp_path: Path
) -> None:
    """Of low or mixed order, off the curve, or encoded in more than one way."""
    with pytest.raises(InvalidInputError, match="point of prime order") as refused:
        entrance(weak_jwk(point), tmp_path)
    assert (refused.value.field, refused.value.code) == ("x", "invalid_key")


def test_a_hub_admits_no_partner_with_a_weak_key() -> None:
    """And nothing of the partner is stored."""
    with LocalHub() as local:
        for point in WEAK_POINTS.values():
            with pytest.raises(InvalidInputError, match="point of prime order"):
                local.hub.add_partner("https://shop.example", [weak_jwk(point)])
        assert local.hub.list_partners() == []


def test_a_partner_pins_no_weak_key_of_a_hub(tmp_path: Path) -> None:
    """Neither at first use nor when the operator confirms: the hub does not publish valid keys."""
    outbox = Outbox(tmp_path / "outbox.sqlite")
    for point in WEAK_POINTS.values():
        published = codec.encode({"keys": [weak_jwk(point)]})
        keys = PinnedKeys(HUB, partial(bytes, published), outbox)
        for pin in (keys.check, keys.repin):
            with pytest.raises(ConfigurationError, match="does not publish valid keys"):
                pin()
    assert outbox.pinned_keys(HUB) is None
    outbox.close()


def test_honest_keys_are_accepted() -> None:
    """Each generated key is in the main subgroup."""
    for _ in range(50):
        assert len(public_point(SigningKey.generate().public_jwk)) == 32
