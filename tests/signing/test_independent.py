"""Two implementations that are not ours, jwcrypto and sd-jwt, read what we write; and we what they write."""

import json
from typing import Any

import pytest
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from sd_jwt.common import SDObj
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier

from sesame_sdk import InvalidInputError, Signal
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType, Receipt
from sesame_sdk.signing.envelopes import open_envelope
from sesame_sdk.signing.jwt import SET_TYP, Token, numeric_date, sign_event, verify_event
from sesame_sdk.signing.keys import Trust, TrustedKey
from sesame_sdk.signing.sd_jwt import SdJwt
from tests.conftest import NOON
from tests.signing.parties import HUB, KEY, SHOP, make_signals, sealed

SIGNALS = make_signals(25)
THEIRS = JWK.generate(kty="OKP", crv="Ed25519")
TRUST = Trust({SHOP: [TrustedKey(THEIRS.export_public(as_dict=True), NOON)]})
CLAIMS = {"iss": SHOP, "aud": HUB, "iat": numeric_date(NOON), "jti": "batch-1"}
ALGORITHMS = ("Ed25519", "EdDSA")


def plain(signal: Signal) -> dict[str, Any]:
    """A signal as JSON has it."""
    claims: dict[str, Any] = json.loads(codec.encode(signal))
    return claims


def our_key(issuer: str, header: dict[str, Any]) -> JWK:
    """What a verifier looks up: the shop's key by its id."""
    assert (issuer, header["kid"]) == (SHOP, KEY.kid)
    return JWK(**KEY.public_jwk)


def header(algorithm: str) -> dict[str, str]:
    """What our rules ask of anybody's header."""
    return {"alg": algorithm, "typ": SET_TYP, "kid": THEIRS.thumbprint()}


def signed(payload: dict[str, Any], algorithm: str) -> str:
    """A token by jwcrypto."""
    token = JWS(json.dumps(payload))
    token.add_signature(THEIRS, algorithm, json.dumps(header(algorithm)))
    compact: str = token.serialize(compact=True)
    return compact


def issued(algorithm: str) -> SDJWTIssuer:
    """The same batch by the sd-jwt package, with digests of nothing mixed in."""
    batch = {"signals": [SDObj(plain(signal)) for signal in SIGNALS]}
    return SDJWTIssuer(
        {**CLAIMS, "events": {EventType.SIGNALS.value: batch}},
        THEIRS,
        sign_alg=algorithm,
        add_decoy_claims=False,
        extra_header_parameters=header(algorithm),
    )


def test_jwcrypto_verifies_our_signature() -> None:
    """And reads the header and the claims that we wrote."""
    token = JWS()
    token.deserialize(sealed(25).partition(b"~")[0].decode(), JWK(**KEY.public_jwk))

    assert token.jose_header == {"alg": "Ed25519", "kid": KEY.kid, "typ": SET_TYP}
    assert json.loads(token.payload)["iss"] == SHOP


def test_sd_jwt_expands_our_envelope_into_our_signals() -> None:
    """Signature, digests, disclosures and all."""
    claims = SDJWTVerifier(sealed(25).decode(), our_key).get_verified_payload()

    assert claims["events"][EventType.SIGNALS.value]["signals"] == [plain(signal) for signal in SIGNALS]


def test_sd_jwt_expands_what_we_left_of_an_envelope() -> None:
    """After every second signal was dropped."""
    token, *shown, end = sealed(25).decode().split("~")
    claims = SDJWTVerifier("~".join([token, *shown[::2], end]), our_key).get_verified_payload()

    assert claims["events"][EventType.SIGNALS.value]["signals"] == [plain(signal) for signal in SIGNALS[::2]]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_we_open_an_envelope_that_sd_jwt_issued(algorithm: str) -> None:
    """Under either name of the algorithm, with its own way of writing JSON and of salting."""
    envelope = open_envelope(
        SdJwt.parse(issued(algorithm).sd_jwt_issuance.encode()), TRUST, audience=HUB, now=NOON
    )

    assert envelope.envelope.signals == tuple(SIGNALS)
    assert (envelope.envelope.jti, envelope.withheld, len(envelope.disclosures)) == ("batch-1", 0, 25)


def test_we_open_what_a_holder_left_of_an_envelope_that_sd_jwt_issued() -> None:
    """The same, with disclosures left out and in another order."""
    token, *shown, end = issued("EdDSA").sd_jwt_issuance.split("~")
    envelope = open_envelope(
        SdJwt.parse("~".join([token, *shown[9:3:-1], end]).encode()), TRUST, audience=HUB, now=NOON
    )

    assert envelope.envelope.signals == tuple(SIGNALS[4:10])
    assert envelope.withheld == 19


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_we_open_signals_in_the_clear_that_jwcrypto_signed(algorithm: str) -> None:
    """A plain Security Event Token, as other Shared Signals software sends."""
    batch = {"signals": [plain(signal) for signal in SIGNALS]}
    token = signed({**CLAIMS, "events": {EventType.SIGNALS.value: batch}}, algorithm)

    envelope = open_envelope(SdJwt.parse(token.encode()), TRUST, audience=HUB, now=NOON)
    assert envelope.envelope.signals == tuple(SIGNALS)


def test_an_event_crosses_in_both_directions() -> None:
    """A receipt of ours is verified by jwcrypto; one that jwcrypto signed is read by us."""
    receipt = Receipt("batch-1", NOON, 3)
    ours = JWS()
    ours.deserialize(
        sign_event(EventType.RECEIPT, receipt, KEY, issuer=SHOP, audience=HUB, now=NOON).decode(),
        JWK(**KEY.public_jwk),
    )
    events = json.loads(ours.payload)["events"]
    envelope = verify_event(
        Token.parse(signed({**CLAIMS, "events": events}, "Ed25519").encode()),
        TRUST,
        event=EventType.RECEIPT,
        payload=Receipt,
        audience=HUB,
        now=NOON,
    )

    assert envelope.payload == receipt


def test_their_keys_are_refused_when_they_are_not_trusted() -> None:
    """Being well made is not enough."""
    no_partners = Trust({SHOP: [TrustedKey(KEY.public_jwk, NOON)]})

    with pytest.raises(InvalidInputError, match="not a key of this issuer"):
        open_envelope(
            SdJwt.parse(issued("EdDSA").sd_jwt_issuance.encode()), no_partners, audience=HUB, now=NOON
        )
