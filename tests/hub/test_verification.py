"""What was changed in the database behind the hub's back is found, and what is derived is corrected."""

import io
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve
from sqlalchemy import text

from sesame_sdk import InvalidInputError
from sesame_sdk.hub.database.tables import signals
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.ingest import verification
from sesame_sdk.hub.ingest.verification import Check
from sesame_sdk.model.envelope import EventType
from sesame_sdk.signing.keys import SigningKey
from tests.hub.conftest import LATES, ORDERS
from tests.hub.fixtures import LATE, NOON, ORDER, Clock, Partner, manifest
from tests.hub.ledger import change, rows

_VALUE = "UPDATE signals SET value = 99 WHERE value = 1"
_MOVED = "UPDATE signals SET person = 2 WHERE envelope = 3"
_INVENTED = """INSERT INTO signals SELECT 2, partner, key, kind, value, occurred_at, envelope, id_time
    FROM signals WHERE envelope = 3"""
_DERIVED = {
    "a value": (_VALUE, Check.SIGNALS),
    "a time": ("UPDATE signals SET occurred_at = 1 WHERE envelope = 3", Check.SIGNALS),
    "a signal is gone": ("DELETE FROM signals WHERE envelope = 3", Check.SIGNALS),
    "a signal is invented": (_INVENTED, Check.SIGNALS),
    "a signal is another person's": (_MOVED, Check.SIGNALS),
    "a signal is of a later envelope": ("UPDATE signals SET envelope = 4 WHERE envelope = 3", Check.SIGNALS),
    "a signal is of an earlier envelope": (
        "UPDATE signals SET envelope = 2 WHERE envelope = 3",
        Check.SIGNALS,
    ),
    "a signal is of no envelope": ("UPDATE signals SET envelope = 77 WHERE envelope = 3", Check.SIGNALS),
    "a second disclosure is gone": ("DELETE FROM further_disclosures", Check.SIGNALS),
    "a second disclosure": ("UPDATE further_disclosures SET value = 8", Check.SIGNALS),
    "a second disclosure of no envelope": ("UPDATE further_disclosures SET envelope = 3", Check.SIGNALS),
    "a declaration": ("UPDATE registered_kinds SET context = 'community'", Check.REGISTRATIONS),
    "a kind is gone": ("DELETE FROM registered_kinds WHERE kind = 2", Check.REGISTRATIONS),
    "a consumer is gone": ("DELETE FROM registered_consumers", Check.REGISTRATIONS),
    "a registration": ("UPDATE registrations SET issued_at = 1", Check.REGISTRATIONS),
}
_LEDGER = {
    "one in the middle is gone": ("DELETE FROM envelopes WHERE id = 3", Check.NUMBERING),
    "the last is gone": ("DELETE FROM envelopes WHERE id = 4", Check.NUMBERING),
    "the last two are gone": ("DELETE FROM envelopes WHERE id > 2", Check.NUMBERING),
    "the recorded number": ("UPDATE ledger_heads SET number = 2", Check.NUMBERING),
    "the recorded number is gone": ("DELETE FROM ledger_heads", Check.NUMBERING),
    "when it was received": ("UPDATE envelopes SET received_at = 1 WHERE id = 3", Check.CHAIN),
    "what the receipt said": ("UPDATE envelopes SET outcome = 'x' WHERE id = 3", Check.CHAIN),
    "the last digest": ("UPDATE ledger_heads SET chain = digest FROM envelopes WHERE id = 1", Check.CHAIN),
    "the key": ("UPDATE envelopes SET kid = 'other' WHERE id = 3", Check.SIGNATURE),
    "the audience": ("UPDATE envelopes SET audience = 'https://x.example' WHERE id = 3", Check.SIGNATURE),
    "the jti": ("UPDATE envelopes SET jti = 'other' WHERE id = 3", Check.SIGNATURE),
    "the token": (
        "UPDATE envelopes SET token = (SELECT token FROM envelopes WHERE id = 1) WHERE id = 3",
        Check.SIGNATURE,
    ),
    "the disclosures": (
        "UPDATE envelopes SET disclosures = (SELECT token FROM envelopes WHERE id = 1) WHERE id = 3",
        Check.SIGNATURE,
    ),
}


@pytest.fixture
def second(hub: Hub, shop: Partner) -> Partner:
    """The shop's second key: envelope 3 is the first one's, and 4 has the same signal under the second."""
    hub.add_grants([*shop.grants("ada", ORDER), *shop.grants("bob", ORDER)])
    other = shop.with_key(SigningKey.generate())
    hub.add_partner(shop.issuer, [other.key.public_jwk])
    shop.send(shop.signal("bob", "2", value=4.0))
    shop.send(shop.signal("ada", "1"))
    other.send(shop.signal("ada", "1"), shop.signal("ada", "3", value=2.0))
    return other


@pytest.mark.usefixtures("second")
def test_a_derived_row_that_was_changed_is_found_and_corrected(hub: Hub, hub_path: Path) -> None:
    """The rebuild says what it corrects; afterwards everything is as it was."""
    before = rows(hub_path, signals)
    assert hub.verify_ledger().differences == ()
    for name, (damage, check) in _DERIVED.items():
        change(hub_path, damage)
        assert {one.check for one in hub.verify_ledger().differences} == {check}, name
        report = hub.rebuild()
        assert {one.check for one in report.changes} == {check}, name
        assert report.quarantined == (), name
        assert rows(hub_path, signals) == before, name
        assert hub.verify_ledger().differences == (), name
    assert hub.rebuild().changes == ()


@pytest.mark.usefixtures("second")
def test_a_ledger_that_was_changed_is_found(hub: Hub) -> None:
    """A missing envelope and a wrong number also by the quick part."""
    assert hub.check_ledger().differences == ()
    for name, (damage, check) in _LEDGER.items():
        with hub._engine.connect() as connection:
            connection.execute(text(damage))
            quick = verification.check_quickly(connection)
            full = verification.verify(connection, hub._signals, lambda _: None)
            connection.rollback()
        assert check in {one.check for one in full.differences}, name
        assert (check in {one.check for one in quick.differences}) == (check is Check.NUMBERING), name
    assert hub.verify_ledger().differences == ()


def test_an_envelope_that_does_not_verify_is_quarantined_and_the_rest_counts(
    hub: Hub, shop: Partner, second: Partner, hub_path: Path
) -> None:
    """Its signals count from another envelope or not at all, and the partner may send them again."""
    change(hub_path, _LEDGER["the token"][0])
    change(hub_path, "UPDATE envelopes SET disclosures = token WHERE id = 2")
    report = hub.rebuild()
    assert [one.envelope for one in report.quarantined] == [2, 3]
    assert {one.partner for one in report.quarantined} == {shop.issuer}
    assert [row[6] for row in rows(hub_path, signals)] == [4, 4]
    assert [one.envelope for one in hub.check_ledger().differences] == [2, 3]
    assert hub.explain("bob", "retail") is None
    assert second.send(shop.signal("bob", "2", value=4.0)).accepted == 1
    assert hub.explain("bob", "retail") is not None
    assert hub.rebuild().quarantined == report.quarantined
    assert {one.check for one in hub.verify_ledger().differences} == {Check.SIGNATURE}


@pytest.mark.parametrize("column", ["token", "disclosures"])
def test_any_damage_of_an_envelope_is_one_fault(
    hub: Hub, second: Partner, hub_path: Path, column: str
) -> None:
    """Whatever its bytes are, a verification ends and names it."""
    for damaged in (
        "''",
        "'~'",
        "'.'",
        "'..'",
        "'e30.e30.e30'",
        "'~~~'",
        "'~!~'",
        "'~e30~'",
        "'[]'",
        "'~W10~'",
    ):
        change(hub_path, f"UPDATE envelopes SET {column} = {damaged} WHERE id = 3")  # noqa: S608
        report = hub.verify_ledger()
        assert report.differences, damaged
        assert 3 in {one.envelope for one in report.differences}, damaged
    assert hub.rebuild().signals == 3
    assert second.send(second.signal("ada", "4")).accepted == 1


_BYTES = {"sqlite": "BLOB", "postgresql": "BYTEA"}


@pytest.mark.usefixtures("second")
def test_a_damaged_envelope_prevents_no_export_and_no_erasure(hub: Hub, hub_path: Path) -> None:
    """Once it is in quarantine it is left out of exports, and an erasure leaves nothing of it."""
    damaged = f"CAST('~no base64~' AS {_BYTES[hub._engine.dialect.name]})"
    change(hub_path, f"UPDATE envelopes SET disclosures = {damaged} WHERE id = 2")  # noqa: S608
    with pytest.raises(InvalidInputError, match="sesame hub rebuild"):
        hub.rights.erase("bob")
    hub.rebuild()
    for person in ("ada", "bob"):
        exported = io.BytesIO()
        hub.rights.export(person, exported)
        assert len(json.loads(exported.getvalue())["signals"]) == (3 if person == "ada" else 0)
    hub.rights.erase("bob")
    assert hub.explain("ada", "retail") is not None
    hub.rebuild()
    assert hub.verify_ledger().differences == ()


def test_a_revocation_does_not_depend_on_the_rest_of_the_ledger(
    hub: Hub, shop: Partner, second: Partner, clock: Clock, hub_path: Path
) -> None:
    """The key is revoked, its next envelope is rejected, and a signal that came under another key stays."""
    change(hub_path, "UPDATE envelopes SET token = '?', outcome = '?', audience = '?', verified_at = 1")
    assert hub.preview_key_revocation(shop.key.kid, NOON) == hub.revoke_key(shop.key.kid, NOON)
    clock.advance(minutes=1)
    with pytest.raises(InvalidInputError, match="revoked"):
        shop.send(shop.signal("ada", "5"))
    assert [row[6] for row in rows(hub_path, signals) if row[0] == 1] == [4, 4]
    second.register(manifest(ORDERS))
    explained = hub.explain("ada", "retail")
    assert explained is not None
    assert explained.score.points == 530.0


def _while_the_writer_waits(hub: Hub, body: bytes, meanwhile: Callable[[], object]) -> bytes:
    """Let a message wait for the writer between its verification and its storage."""
    busy, go_on = threading.Event(), threading.Event()

    def wait(_: object) -> None:
        busy.set()
        assert go_on.wait(20)

    thread = threading.Thread(target=hub._writers.ledger.run, args=(wait,))
    thread.start()
    assert busy.wait(20)
    receipt = hub.submit(body)
    meanwhile()
    go_on.set()
    thread.join()
    return receipt.result()


def test_an_envelope_that_expires_while_it_waits_verifies_for_ever(
    hub: Hub, shop: Partner, clock: Clock
) -> None:
    """It is judged by the time of its verification: a rebuild, a revocation and an export agree."""
    hub.add_grants([*shop.grants("ada", ORDER), *shop.grants("bob", ORDER)])
    other = shop.with_key(SigningKey.generate())
    hub.add_partner(shop.issuer, [other.key.public_jwk])
    exp = int(clock.now.timestamp()) + 30
    declared = manifest(ORDERS, LATES, reads=["retail"])
    for event, payload in (
        (EventType.SIGNALS, {"signals": [shop.signal("ada", "1")]}),
        (EventType.REGISTRATION, declared),
    ):
        body = shop.token(event, payload, exp=exp)
        _while_the_writer_waits(hub, body, lambda: clock.advance(minutes=3))
        clock.now = NOON
    late = shop.token(EventType.SIGNALS, {"signals": [shop.signal("ada", "2")]}, exp=exp - 1000)
    with pytest.raises(InvalidInputError, match="expired"):
        hub.receive(late)
    clock.advance(hours=1)
    assert hub.verify_ledger().differences == ()
    assert hub.rebuild().signals == 1
    other.send(other.signal("bob", "7"))
    assert hub.revoke_key(other.key.kid, clock.now).signals == 1
    assert hub.verify_ledger().differences == ()


def test_a_ledger_outlives_the_hubs_issuer_url(hub: Hub, shop: Partner, clock: Clock, hub_path: Path) -> None:
    """What came for the old URL verifies under the new one; revocations and exports work."""
    hub.add_grants(shop.grants("ada", ORDER, LATE))
    shop.send(shop.signal("ada", "1"))
    settings = hub_path / "hub.toml"
    settings.write_text(settings.read_text().replace("https://hub.example", "https://new.example"))
    with Hub.open(hub_path, clock=clock) as moved:
        assert moved.settings.issuer == "https://new.example"
        assert evolve(shop, hub=moved).send(shop.signal("ada", "2")).accepted == 1
        assert moved.verify_ledger().differences == ()
        assert moved.rebuild().signals == 2
        export = io.BytesIO()
        moved.rights.export("ada", export)
        assert [one["verifies"] for one in json.loads(export.getvalue())["signals"]] == [True, True]
        clock.advance(minutes=1)
        assert moved.revoke_key(shop.key.kid, NOON).signals == 2


@pytest.mark.usefixtures("second")
def test_differences_that_are_not_listed_any_more_are_corrected_too(
    hub: Hub, hub_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long list of envelopes that do not verify hides no changed row."""
    change(hub_path, "UPDATE envelopes SET kid = 'other' WHERE id = 2")
    hub.rebuild()
    before = rows(hub_path, signals)
    change(hub_path, "UPDATE signals SET value = 99 WHERE envelope = 3")
    monkeypatch.setattr(verification, "MAX_LISTED", 1)
    hub.rebuild()
    assert rows(hub_path, signals) == before
