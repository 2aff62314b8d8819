"""An export is everything about a person: compared with what was done, and with every row of every table."""

import io
import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from sesame_sdk import InvalidInputError
from sesame_sdk.hub.database.engine import read_transaction
from sesame_sdk.hub.database.tables import envelopes
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.rights.export_schema import Export as Form
from sesame_sdk.hub.rights.export_schema import schema
from sesame_sdk.hub.streams.streams import StreamRequest
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType
from sesame_sdk.signing import base64url
from sesame_sdk.signing.keys import SigningKey
from sesame_sdk.signing.sd_jwt import digest_of
from tests.hub.conftest import LATES, ORDERS
from tests.hub.fixtures import BENEFITS, LATE, NOON, ORDER, Clock, manifest
from tests.hub.rights.conftest import Export, Scenario
from tests.hub.test_stream_contents import Reader

DOCS = Path(__file__).parents[3] / "docs"


def test_an_export_holds_all_data(scenario: Scenario, hub: Hub, export: Export, clock: Clock) -> None:
    """Pseudonyms, grants, the score with its reasons, signals with their proof, reads, disputes, streams."""
    shop = scenario.shop
    stream = Reader(shop, hub.stream_management.create(shop.stream_token(), StreamRequest())["stream_id"])
    stream.take()
    scenario.points()
    hub.rights.open_dispute("ada", shop.issuer, scenario.late.id, "I paid it")
    hub.rights.set_statement(1, "They never answer")
    hub.withdraw_grants("ada", shop.issuer)
    clock.advance(days=6)
    document = export("ada")
    pseudonym = {"partner": shop.issuer, "subject": shop.pseudonym("ada"), "corrected_at": None}
    assert document["pseudonyms"] == [pseudonym]
    assert [grant["direction"] for grant in document["grants"]] == ["send", "read"]
    assert all(grant["withdrawn_at"] for grant in document["grants"])
    assert document["scores"] == [{"context": "retail", "explanation": None}]
    assert [(read["partner"], read["purpose"]) for read in document["reads"]] == [(shop.issuer, BENEFITS)] * 2
    (dispute,) = document["disputes"]
    assert (dispute["state"], dispute["statement"]) == ("open", "They never answer")
    assert dispute["steps"][0]["comment"] == "I paid it"
    assert {due["task"]: (due["due"], due["status"]) for due in dispute["deadlines"]} == {
        "notify the source": ("2026-06-08", "due soon"),
        "decide": ("2026-07-01", "open"),
    }
    (streamed,) = document["streamed_scores"]
    assert (streamed["partner"], streamed["event"], streamed["pending"]) == (
        shop.issuer,
        EventType.GRANT_WITHDRAWN,
        True,
    )
    (notice,) = document["notices"]
    assert (notice["partner"], notice["event"]) == (shop.issuer, EventType.SIGNAL_DISPUTED)
    by_id = {signal["id"]: signal for signal in document["signals"]}
    assert by_id.keys() == {scenario.order.id, scenario.late.id}
    late = by_id[scenario.late.id]
    assert (late["kind"], late["reason"], late["unit"], late["value"]) == (LATE, LATES.reason, "GBP", 1.0)
    assert (late["verifies"], late["duplicate"], late["key_revoked"], late["dispute"]) == (
        True,
        False,
        False,
        1,
    )
    assert datetime.fromisoformat(late["occurred_at"]) == NOON
    assert by_id[scenario.order.id]["dispute"] is None


def test_an_export_has_the_score_with_every_contribution(scenario: Scenario, export: Export) -> None:
    """As the person's own explanation has it."""
    (score,) = export("ada")["scores"]
    explained = scenario.hub.explain("ada", "retail")
    assert score["explanation"] == json.loads(codec.encode(explained))
    assert [part["kind"] for part in score["explanation"]["score"]["contributions"]] == [LATE, ORDER]


def test_a_signal_can_be_proved_from_the_export(scenario: Scenario, export: Export) -> None:
    """Its disclosure is what the digest in the signed token was made of."""
    with read_transaction(scenario.hub._engine) as connection:
        rows = connection.execute(select(envelopes.c.jti, envelopes.c.token)).all()
    tokens = {row.jti: row.token for row in rows}
    for signal in export("ada")["signals"]:
        claims = _claims(tokens[signal["envelope"]])
        listed = [one["..."] for one in claims["events"][EventType.SIGNALS]["signals"]]
        assert digest_of(signal["disclosure"].encode()) in listed


def test_an_export_distinguishes_a_failed_proof_from_a_discarded_one(
    scenario: Scenario, hub: Hub, export: Export
) -> None:
    """Whole, in the clear too, it verifies; without others' signals it cannot; after damage it does not."""
    shop = scenario.shop
    whole = [shop.signal("ada", "5")]
    parted = [shop.signal("ada", "6"), shop.signal("stranger", "7")]
    for signals in (whole, parted):
        hub.receive(shop.token(EventType.SIGNALS, {"signals": signals}))
    shop.send(shop.signal("ada", "8"), shop.signal("bob", "9"))

    def damage(connection: Any) -> None:
        last = connection.execute(select(envelopes).order_by(envelopes.c.id.desc()).limit(1)).one()
        forged = last.token[:-8] + b"AAAAAAAA"
        connection.execute(envelopes.update().where(envelopes.c.id == last.id).values(token=forged))

    hub._writers.ledger.run(damage)
    by_id = {signal["id"]: signal for signal in export("ada")["signals"]}
    proofs = [by_id[shop.signal("ada", key).id]["verifies"] for key in ("1", "5", "6", "8")]
    assert proofs == [True, True, None, False]
    assert by_id[whole[0].id]["disclosure"] == ""


def test_duplicates_and_signals_of_a_revoked_key_are_marked(
    scenario: Scenario, hub: Hub, export: Export, clock: Clock
) -> None:
    """All that the ledger holds is there, also what counts for nothing."""
    shop = scenario.shop
    new = shop.with_key(SigningKey.generate())
    hub.add_partner(shop.issuer, [new.key.public_jwk])
    new.send(scenario.order)
    rows = [(one["id"], one["kid"], one["duplicate"]) for one in export("ada")["signals"]]
    assert (scenario.order.id, new.key.kid, True) in rows
    clock.advance(hours=1)
    hub.revoke_key(shop.key.kid, NOON - timedelta(days=1), issuer=shop.issuer)
    new.register(manifest(ORDERS, LATES, reads=["retail"]))
    rows = [(one["kid"], one["duplicate"], one["key_revoked"]) for one in export("ada")["signals"]]
    assert sorted(rows) == sorted(
        [(shop.key.kid, True, True), (shop.key.kid, False, True), (new.key.kid, False, False)]
    )


def test_an_export_is_about_one_person(scenario: Scenario, export: Export) -> None:
    """Nothing of bob is in ada's, though he is in the same envelope."""
    exported = json.dumps(export("ada"))
    assert not re.search(r"\bbob\b", exported)  # a signature may contain the characters
    assert scenario.shop.pseudonym("bob") not in exported
    assert scenario.shop.signal("bob", "3").id not in exported


def test_an_export_matches_the_documented_schema(scenario: Scenario, hub: Hub) -> None:
    """It decodes as its form, with no member more; the schema in the docs is the form's."""
    hub.rights.open_dispute("ada", scenario.shop.issuer, scenario.late.id, "I paid it")
    out = io.BytesIO()
    hub.rights.export("ada", out)
    whole = codec.decode(out.getvalue(), Form)
    assert json.loads(codec.encode(whole)) == json.loads(out.getvalue())
    assert json.loads((DOCS / "export.schema.json").read_text(encoding="utf-8")) == json.loads(
        codec.encode(schema())
    )


def test_there_is_no_export_of_who_is_not_known(scenario: Scenario, hub: Hub) -> None:
    """Nor of who was erased."""
    hub.rights.erase("ada")
    for person in ("ada", "eve"):
        with pytest.raises(InvalidInputError, match="unknown person"):
            hub.rights.export(person, io.BytesIO())
    assert scenario.points("bob") == 510.0


def _claims(token: bytes) -> Any:
    return json.loads(base64url.decode(token.split(b".")[1], field="payload"))
