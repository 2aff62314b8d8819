"""The vectors in `docs/vectors`: ours and independent software judge every one as it says.

The independent judge is jwcrypto for signatures and sd-jwt for disclosures. It does not know the rules that
this profile adds to theirs (audience, times, typ), so it judges those vectors that need none of them.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from jwcrypto.common import JWException
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from sd_jwt.verifier import SDJWTVerifier

from sesame_sdk import InvalidInputError, Manifest
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType, Receipt
from sesame_sdk.model.stream_events import ScoresChanged, StreamUpdated, SubjectRemoved, Verification
from sesame_sdk.signing.envelopes import open_envelope
from sesame_sdk.signing.jwt import Token, verify_event
from sesame_sdk.signing.keys import Trust, TrustedKey
from sesame_sdk.signing.sd_jwt import SdJwt

FOLDER = Path(__file__).parents[2] / "docs" / "vectors"
FILES = sorted(FOLDER.glob("*.json"))
PAYLOADS: dict[str, type] = {
    EventType.REGISTRATION: Manifest,
    EventType.RECEIPT: Receipt,
    EventType.SCORES_CHANGED: ScoresChanged,
    EventType.GRANT_WITHDRAWN: SubjectRemoved,
    EventType.PERSON_ERASED: SubjectRemoved,
    EventType.VERIFICATION: Verification,
    EventType.STREAM_UPDATED: StreamUpdated,
}
#: Faults that jwcrypto finds by itself; the others need the rules of `docs/payloads.md`.
JOSE_FAULTS = {"signature", "alg"}


def vectors() -> list[Any]:
    """Each vector with the document that it stands in."""
    documents = [(path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in FILES]
    return [
        pytest.param(document, vector, id=f"{name}: {vector['name']}")
        for name, document in documents
        for vector in document["vectors"]
    ]


def open_with_ours(document: dict[str, Any], vector: dict[str, Any]) -> Any:
    """The content of a message, as JSON has it."""
    at = datetime.fromisoformat(vector["received_at"])
    trust = Trust({document["issuer"]: [TrustedKey(jwk, at) for jwk in document["keys"]]})
    message = vector["message"].encode("latin-1")
    if "withheld" in vector or (vector["outcome"] == "refused" and "~" in vector["message"]):
        opened = open_envelope(SdJwt.parse(message), trust, audience=document["audience"], now=at)
        assert opened.withheld == vector["withheld"]
        return [json.loads(codec.encode(signal)) for signal in opened.envelope.signals]
    event = EventType(vector.get("event") or _event_of(document))
    payload = PAYLOADS[event]
    checks = {"event": event, "payload": payload, "audience": document["audience"], "now": at}
    return json.loads(
        codec.encode(codec.without_unset(verify_event(Token.parse(message), trust, **checks).payload))
    )


def _event_of(document: dict[str, Any]) -> str:
    """The event that the good message of a document has."""
    event: str = document["vectors"][0]["event"]
    return event


def open_with_theirs(document: dict[str, Any], vector: dict[str, Any]) -> Any:
    """The content of a message that is accepted, by jwcrypto and sd-jwt."""
    keys = {jwk["kid"]: JWK(**jwk) for jwk in document["keys"]}

    def find_key(_issuer: str, header: dict[str, Any]) -> JWK:
        return keys[header["kid"]]

    if "~" in vector["message"]:
        claims = SDJWTVerifier(vector["message"], find_key).get_verified_payload()
    else:
        token = JWS()
        token.deserialize(vector["message"])
        token.verify(keys[token.jose_header["kid"]])
        claims = json.loads(token.payload)
    assert (claims["iss"], claims["aud"]) == (document["issuer"], document["audience"])
    (event,) = claims["events"].values()
    return event


def test_each_file_has_messages_of_both_outcomes() -> None:
    """Envelopes, receipts, registrations and stream events, in more than sixty vectors."""
    assert [path.stem for path in FILES] == ["envelopes", "receipts", "registrations", "stream_events"]
    for path in FILES:
        outcomes = [each["outcome"] for each in json.loads(path.read_text(encoding="utf-8"))["vectors"]]
        assert set(outcomes) == {"accepted", "refused"}
    assert len(vectors()) > 60


@pytest.mark.parametrize(("document", "vector"), vectors())
def test_ours_judges_a_vector_as_it_says(document: dict[str, Any], vector: dict[str, Any]) -> None:
    """The content is equal, or the field at fault is."""
    if vector["outcome"] == "accepted":
        assert open_with_ours(document, vector) == vector["content"]
    else:
        with pytest.raises(InvalidInputError) as error:
            open_with_ours(document, vector)
        assert error.value.field == vector["field"]


@pytest.mark.parametrize(("document", "vector"), vectors())
def test_independent_software_judges_a_vector_alike(document: dict[str, Any], vector: dict[str, Any]) -> None:
    """It reads the same content from what is accepted, and refuses what JOSE or SD-JWT forbids."""
    if vector["outcome"] == "accepted":
        event = open_with_theirs(document, vector)
        content = event["signals"] if "withheld" in vector else event
        assert content == vector["content"]
    elif vector["field"] in JOSE_FAULTS:
        with pytest.raises((JWException, ValueError)):
            open_with_theirs(document, vector)
