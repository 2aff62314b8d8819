"""Erasure: a person is gone, all of it or nothing, and what remains still verifies."""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Table, func, select, true

from sesame_sdk import InvalidInputError, Signal
from sesame_sdk.hub.database.engine import read_transaction
from sesame_sdk.hub.database.tables import (
    duplicate_disclosures,
    envelopes,
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
from tests.hub.rights.conftest import World
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
        found = ledger.replay_envelopes(connection, hub.settings.issuer, true())
        return [signal for envelope in found for signal in envelope.signals]


def count(hub: Hub, table: Table) -> int:
    """Rows of a table."""
    with read_transaction(hub._engine) as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def subjects(found: Iterable[Signal]) -> set[str]:
    """Whom signals are about."""
    return {signal.subject for signal in found}


def test_an_erased_person_is_gone_and_the_rest_still_verifies(world: World, hub: Hub) -> None:
    """From the same envelope bob's signal stays, with the signature whole; a rebuild agrees."""
    assert subjects(replayed(hub)) == {world.shop.pseudonym("ada"), world.shop.pseudonym("bob")}
    done = hub.rights.erase("ada")
    assert (done.signals, done.envelopes, done.partners) == (2, 1, 1)
    assert subjects(replayed(hub)) == {world.shop.pseudonym("bob")}
    assert hub.rebuild_signals() == 1
    assert world.shop.read("ada", "bob")[0] is None
    assert world.points("bob") == 510.0
    assert (hub.list_grants("ada"), hub.list_score_reads("ada"), hub.rights.list_disputes("ada")) == (
        [],
        [],
        [],
    )
    with pytest.raises(InvalidInputError, match="unknown person"):
        hub.rights.erase("ada")


def test_what_came_in_the_clear_loses_its_token_and_keeps_the_others(world: World, hub: Hub) -> None:
    """As when somebody in it had not agreed; one with nobody else in it keeps nothing."""
    shop = world.shop
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


def test_a_name_that_its_sender_spelt_otherwise_is_found(world: World, hub: Hub) -> None:
    """JSON has many spellings of one text, and the sender signed this one."""
    shop = world.shop
    spelt = "".join(f"\\u{ord(letter):04x}" for letter in shop.pseudonym("ada"))
    values = [codec.encode(shop.signal(person, "15")) for person in ("ada", "bob")]
    values[0] = values[0].replace(shop.pseudonym("ada").encode(), spelt.encode())
    disclosures, digests = sd_jwt.disclose(values)
    listed = {"signals": [{"...": digest} for digest in digests]}
    token = shop.token(EventType.SIGNALS, listed, _sd_alg="sha-256")
    hub.receive(b"~".join([token, *disclosures, b""]))
    assert len(replayed(hub)) == 5
    assert hub.rights.erase("ada").envelopes == 2
    assert subjects(replayed(hub)) == {shop.pseudonym("bob")}


def test_the_same_message_again_brings_nobody_back(world: World, hub: Hub) -> None:
    """It gets its first receipt, byte for byte; in a new envelope the signals meet no consent."""
    shop = world.shop
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
    world: World, hub: Hub, clock: Clock
) -> None:
    """The second envelope stands by no row, and is found all the same."""
    shop = world.shop
    new = shop.with_key(SigningKey.generate())
    hub.add_partner(shop.issuer, [new.key.public_jwk])
    assert new.send(world.order, world.late).duplicates == 2
    assert count(hub, duplicate_disclosures) == 1
    assert hub.rights.erase("ada").envelopes == 2
    assert subjects(replayed(hub)) == {shop.pseudonym("bob")}
    assert clock.now == NOON


def test_what_a_revoked_key_signed_is_dropped_too(world: World, hub: Hub, clock: Clock) -> None:
    """Also where another envelope has taken the row over since."""
    shop = world.shop
    new = shop.with_key(SigningKey.generate())
    hub.add_partner(shop.issuer, [new.key.public_jwk])
    hub.revoke_key(shop.key.kid, NOON - timedelta(seconds=1), issuer=shop.issuer)
    clock.advance(hours=1)
    new.register(manifest(ORDERS, LATES, reads=["retail"]))
    assert new.send(world.order).accepted == 1
    assert count(hub, duplicate_disclosures) == 0
    assert hub.rights.erase("ada").envelopes == 2
    assert shop.pseudonym("ada") not in subjects(replayed(hub))


def test_streams_hear_of_it_and_no_older_message_goes_out(world: World, hub: Hub) -> None:
    """What was on its way with the person in it is thrown away; the others in it are told anew."""
    shop = world.shop
    stream = Reader(shop, hub.stream_management.create(shop.read_token(), StreamRequest())["stream_id"])
    hub.streams.rescore_pending()
    (before,) = stream.poll().values()
    assert len(before["events"][CHANGED]["changes"]) == 2
    hub.rights.erase("ada")
    told = stream.take()
    assert told[0] == (ERASED, shop.pseudonym("ada"), None)
    assert told[1:] == [(CHANGED, shop.pseudonym("bob"), 510.0)]


def test_a_new_person_never_gets_the_number_of_an_erased_one(world: World, hub: Hub) -> None:
    """Else what is still to be told of the one would be told of the other."""
    shop = world.shop
    stream = Reader(shop, hub.stream_management.create(shop.read_token(), StreamRequest())["stream_id"])
    hub.add_grants(shop.grants("zoe", ORDER, LATE, reads="retail"))
    shop.send(shop.signal("zoe", "11"))
    stream.take()
    hub.rights.erase("zoe")
    hub.add_grants(shop.grants("yan", ORDER, LATE, reads="retail"))
    shop.send(shop.signal("yan", "12"))
    told = stream.take()
    assert (ERASED, shop.pseudonym("zoe"), None) in told
    assert (CHANGED, shop.pseudonym("yan"), 510.0) in told


def test_who_comes_back_comes_as_somebody_new(world: World, hub: Hub) -> None:
    """With a new consent; nothing of before is there, and the partner may send it once more."""
    hub.rights.erase("ada")
    hub.add_grants(world.shop.grants("ada", ORDER, LATE, reads="retail"))
    assert world.points() is None
    assert world.shop.send(world.order).accepted == 1
    assert world.points() == 510.0
    assert [read.answered for read in hub.list_score_reads("ada")] == [False, True]


def test_an_erasure_that_fails_changes_nothing(world: World, hub: Hub) -> None:
    """A damaged envelope is named; everything is as it was, and the rest of the hub goes on."""
    world.hub.rights.open_dispute("ada", world.shop.issuer, world.late.id, "I paid it")
    world.shop.send(world.shop.signal("ada", "13"))

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
    assert world.shop.send(world.shop.signal("bob", "14")).accepted == 1


def test_nothing_tells_who_was_erased_once_all_are_told(world: World, hub: Hub) -> None:
    """There remains that there was an erasure, of how many signals, and when the last partner was told."""
    hub.rights.erase("ada")
    assert poll(world.shop, *poll(world.shop)) == {}
    rows = everything(hub)
    assert [row[1:] for row in rows["erasures"]] == [
        (_micros(NOON), 2, _micros(NOON)),
    ]
    said = repr({name: found for name, found in rows.items() if name != "envelopes"})
    assert world.shop.pseudonym("ada") not in said
    assert not re.search(r"\bada\b", said)  # the letters alone are in many a digest
    assert (count(hub, people), count(hub, pseudonyms), count(hub, signals)) == (1, 1, 1)


def _micros(at: Any) -> int:
    return int(at.timestamp()) * 1_000_000
