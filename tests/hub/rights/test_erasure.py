"""Erasure: a person is gone, all of it or nothing, and what remains still verifies."""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Table, func, select

from sesame_sdk import InvalidInputError, Signal
from sesame_sdk.hub.database.engine import read_transaction
from sesame_sdk.hub.database.tables import (
    envelopes,
    further_disclosures,
    metadata,
    people,
    pseudonyms,
    signals,
)
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.ingest import ledger
from sesame_sdk.hub.streams.streams import StreamRequest
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType
from sesame_sdk.signing import sd_jwt
from sesame_sdk.signing.keys import SigningKey
from tests.hub.conftest import LATES, ORDERS
from tests.hub.fixtures import LATE, NOON, ORDER, Clock, manifest
from tests.hub.rights.conftest import Scenario
from tests.hub.rights.test_notices import poll
from tests.hub.test_stream_contents import CHANGED, ERASED, Reader


def everything(hub: Hub) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with read_transaction(hub._engine) as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def replayed(hub: Hub) -> list[Signal]:
    """Every signal in the ledger, each proved by its signature again."""
    with read_transaction(hub._engine) as connection:
        envelopes = list(ledger.replay_envelopes(connection))
        assert not [envelope.fault for envelope in envelopes if envelope.fault]
        return [signal for envelope in envelopes for signal in envelope.signals]


def count(hub: Hub, table: Table) -> int:
    """Rows of a table."""
    with read_transaction(hub._engine) as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def subjects(signals: Iterable[Signal]) -> set[str]:
    """The subjects of signals."""
    return {signal.subject for signal in signals}


def test_an_erased_person_is_gone_and_the_rest_still_verifies(scenario: Scenario, hub: Hub) -> None:
    """From the same envelope bob's signal stays, with the signature whole; a rebuild agrees."""
    assert subjects(replayed(hub)) == {scenario.shop.pseudonym("ada"), scenario.shop.pseudonym("bob")}
    done = hub.rights.erase("ada")
    assert (done.signals, done.envelopes, done.partners) == (2, 1, 1)
    assert subjects(replayed(hub)) == {scenario.shop.pseudonym("bob")}
    assert hub.rebuild().signals == 1
    assert scenario.shop.read("ada", "bob")[0] is None
    assert scenario.points("bob") == 510.0
    assert (hub.list_grants("ada"), hub.list_score_reads("ada"), hub.rights.list_disputes("ada")) == (
        [],
        [],
        [],
    )
    with pytest.raises(InvalidInputError, match="unknown person"):
        hub.rights.erase("ada")


def test_what_came_in_the_clear_loses_its_token_and_keeps_the_others(scenario: Scenario, hub: Hub) -> None:
    """Like signals without consent; an envelope about no other person keeps nothing."""
    shop = scenario.shop
    for signals_ in ([shop.signal("ada", "5"), shop.signal("bob", "6")], [shop.signal("ada", "7")]):
        hub.receive(shop.token(EventType.SIGNALS, {"signals": signals_}))
    hub.rights.erase("ada")
    assert subjects(replayed(hub)) == {shop.pseudonym("bob")}
    with read_transaction(hub._engine) as connection:
        stored = connection.execute(
            select(envelopes.c.token, envelopes.c.disclosures).order_by(envelopes.c.id)
        ).all()
    assert [bool(row.token) for row in stored[-2:]] == [False, False]
    assert stored[-1].disclosures == b"[]"
    hub.rights.erase("bob")
    assert replayed(hub) == []


def test_a_pseudonym_with_json_escapes_is_found(scenario: Scenario, hub: Hub) -> None:
    """JSON has many spellings of one text, and the sender signed this one."""
    shop = scenario.shop
    spelt = "".join(f"\\u{ord(char):04x}" for char in shop.pseudonym("ada"))
    values = [codec.encode(shop.signal(person, "15")) for person in ("ada", "bob")]
    values[0] = values[0].replace(shop.pseudonym("ada").encode(), spelt.encode())
    disclosures, digests = sd_jwt.disclose(values)
    listed = {"signals": [{"...": digest} for digest in digests]}
    token = shop.token(EventType.SIGNALS, listed, _sd_alg="sha-256")
    hub.receive(b"~".join([token, *disclosures, b""]))
    assert len(replayed(hub)) == 5
    assert hub.rights.erase("ada").envelopes == 2
    assert subjects(replayed(hub)) == {shop.pseudonym("bob")}


def test_a_repeated_message_does_not_restore_the_person(scenario: Scenario, hub: Hub) -> None:
    """It gets its first receipt, byte for byte; in a new envelope the signals meet no consent."""
    shop = scenario.shop
    body = shop.seal(shop.signal("ada", "8"), shop.signal("bob", "9"))
    clear = shop.token(EventType.SIGNALS, {"signals": [shop.signal("ada", "10")]})
    receipts = [hub.receive(body), hub.receive(clear)]
    hub.rights.erase("ada")
    before = everything(hub)
    del before["rate_limits"]  # being asked again is charged for
    assert [hub.receive(body), hub.receive(clear)] == receipts
    assert {name: rows for name, rows in everything(hub).items() if name != "rate_limits"} == before
    receipt = shop.send(shop.signal("ada", "8"), shop.signal("bob", "9"))
    assert (receipt.accepted, receipt.duplicates) == (0, 1)
    assert [each.id for each in receipt.dropped] == [shop.signal("ada", "8").id]
    assert subjects(replayed(hub)) == {shop.pseudonym("bob")}


def test_a_disclosure_kept_again_under_another_key_is_dropped_too(
    scenario: Scenario, hub: Hub, clock: Clock
) -> None:
    """The second envelope has no row of signals, and is redacted too."""
    shop = scenario.shop
    new = shop.with_key(SigningKey.generate())
    hub.add_partner(shop.issuer, [new.key.public_jwk])
    assert new.send(scenario.order, scenario.late).duplicates == 2
    assert count(hub, further_disclosures) == 2
    assert hub.rights.erase("ada").envelopes == 2
    assert subjects(replayed(hub)) == {shop.pseudonym("bob")}
    assert clock.now == NOON


def test_what_a_revoked_key_signed_is_dropped_too(scenario: Scenario, hub: Hub, clock: Clock) -> None:
    """Also where another envelope has taken the row over since."""
    shop = scenario.shop
    new = shop.with_key(SigningKey.generate())
    hub.add_partner(shop.issuer, [new.key.public_jwk])
    hub.revoke_key(shop.key.kid, NOON - timedelta(seconds=1), issuer=shop.issuer)
    clock.advance(hours=1)
    new.register(manifest(ORDERS, LATES, reads=["retail"]))
    assert new.send(scenario.order).accepted == 1
    assert count(hub, further_disclosures) == 1
    assert hub.rights.erase("ada").envelopes == 2
    assert shop.pseudonym("ada") not in subjects(replayed(hub))


def test_streams_hear_of_it_and_no_older_message_goes_out(scenario: Scenario, hub: Hub) -> None:
    """A pending message with the person in it is deleted; the others in it are sent again."""
    shop = scenario.shop
    stream = Reader(shop, hub.stream_management.create(shop.stream_token(), StreamRequest())["stream_id"])
    hub.streams.rescore_pending()
    (before,) = stream.poll().values()
    assert len(before["events"][CHANGED]["changes"]) == 2
    hub.rights.erase("ada")
    events = stream.take()
    assert events[0] == (ERASED, shop.pseudonym("ada"), None)
    assert events[1:] == [(CHANGED, shop.pseudonym("bob"), 510.0)]


def test_a_new_person_never_gets_the_number_of_an_erased_one(scenario: Scenario, hub: Hub) -> None:
    """Otherwise the pending updates of one person would be sent for the other."""
    shop = scenario.shop
    stream = Reader(shop, hub.stream_management.create(shop.stream_token(), StreamRequest())["stream_id"])
    hub.add_grants(shop.grants("zoe", ORDER, LATE, reads="retail"))
    shop.send(shop.signal("zoe", "11"))
    stream.take()
    hub.rights.erase("zoe")
    hub.add_grants(shop.grants("yan", ORDER, LATE, reads="retail"))
    shop.send(shop.signal("yan", "12"))
    events = stream.take()
    assert (ERASED, shop.pseudonym("zoe"), None) in events
    assert (CHANGED, shop.pseudonym("yan"), 510.0) in events


def test_who_comes_back_comes_as_somebody_new(scenario: Scenario, hub: Hub) -> None:
    """With a new consent; nothing of before is there, and the partner may send it once more."""
    hub.rights.erase("ada")
    hub.add_grants(scenario.shop.grants("ada", ORDER, LATE, reads="retail"))
    assert scenario.points() is None
    assert scenario.shop.send(scenario.order).accepted == 1
    assert scenario.points() == 510.0
    assert [read.answered for read in hub.list_score_reads("ada")] == [False, True]


def test_an_erasure_that_fails_changes_nothing(scenario: Scenario, hub: Hub) -> None:
    """A damaged envelope is named; everything is as it was, and the rest of the hub goes on."""
    scenario.hub.rights.open_dispute("ada", scenario.shop.issuer, scenario.late.id, "I paid it")
    scenario.shop.send(scenario.shop.signal("ada", "13"))

    def damage(connection: Connection) -> None:
        last = connection.scalar(select(func.max(envelopes.c.id)))
        connection.execute(
            envelopes.update().where(envelopes.c.id == last).values(disclosures=b"~no base64~")
        )

    hub._writers.ledger.run(damage)
    before = everything(hub)
    with pytest.raises(InvalidInputError, match=r"envelope \d+: .*damaged"):
        hub.rights.erase("ada")
    assert everything(hub) == before
    assert scenario.shop.send(scenario.shop.signal("bob", "14")).accepted == 1


def test_nothing_identifies_the_erased_person_once_all_partners_are_notified(
    scenario: Scenario, hub: Hub
) -> None:
    """The remaining record has the erasure, its number of signals, and the time of the last notice."""
    hub.rights.erase("ada")
    assert poll(scenario.shop, *poll(scenario.shop)) == {}
    rows = everything(hub)
    assert [row[1:] for row in rows["erasures"]] == [
        (_micros(NOON), 2, _micros(NOON)),
    ]
    remaining = repr({name: stored for name, stored in rows.items() if name != "envelopes"})
    assert scenario.shop.pseudonym("ada") not in remaining
    assert not re.search(r"\bada\b", remaining)  # a digest may contain the characters
    assert (count(hub, people), count(hub, pseudonyms), count(hub, signals)) == (1, 1, 1)


def _micros(at: Any) -> int:
    return int(at.timestamp()) * 1_000_000
