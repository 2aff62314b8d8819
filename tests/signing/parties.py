"""A shop that signs and a hub that believes it: what the tests of this room share."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sesame_sdk import Pseudonymizer, Signal
from sesame_sdk.model import codec
from sesame_sdk.signing import base64url
from sesame_sdk.signing.envelopes import Opened, open_envelope, seal
from sesame_sdk.signing.keys import SigningKey, Trust, TrustedKey
from sesame_sdk.signing.sd_jwt import SdJwt
from tests.conftest import NOON

SHOP = "https://shop.example"
HUB = "https://hub.example"
KEY = SigningKey.generate()
TRUST = Trust({SHOP: [TrustedKey(KEY.public_jwk, NOON - timedelta(days=30))]})
PSEUDONYMIZER = Pseudonymizer(b"a secret of thirty-two bytes....")
KIND = "retail.order.completed"


def make_signals(count: int) -> list[Signal]:
    """Valid signals of as many people."""
    return [
        Signal(
            PSEUDONYMIZER.signal_id(KIND, str(n), NOON), PSEUDONYMIZER.pseudonym(str(n)), KIND, n / 4, NOON
        )
        for n in range(count)
    ]


def sealed(count: int) -> bytes:
    """An envelope from the shop to the hub."""
    return seal(make_signals(count), KEY, issuer=SHOP, audience=HUB, now=NOON)


def opened(envelope: bytes) -> Opened:
    """The envelope as the hub opens it."""
    return open_envelope(SdJwt.parse(envelope), TRUST, audience=HUB, now=NOON)


def compact(header: Mapping[str, Any] | bytes, payload: Mapping[str, Any] | bytes) -> bytes:
    """A JWS in compact form with any header and payload, signed by the shop for real."""
    parts = [part if isinstance(part, bytes) else codec.encode(part) for part in (header, payload)]
    signing_input = b".".join(base64url.encode(part) for part in parts)
    return signing_input + b"." + base64url.encode(KEY.sign(signing_input))
