"""A signal that comes again with another time or value is corrected, and a withdrawn correction gives way."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from attrs import define, field, frozen
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk import InvalidInputError
from sesame_sdk.hub.database.dialects.base import ConcurrentWriteError
from sesame_sdk.hub.database.engine import dialect_of
from sesame_sdk.hub.database.ids import join_signal_id, split_signal_id
from sesame_sdk.hub.database.tables import further_disclosures, signals
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.rights.dispute_model import DisputeState
from sesame_sdk.model.envelope import Dropped, DropReason, EventType
from sesame_sdk.signing.keys import SigningKey
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import LATE, LONG_AGO, NOON, ORDER, Clock, Partner, new_hub
from tests.hub.ledger import count, rows
from tests.hub.rights.conftest import export as export  # a fixture

HOUR = timedelta(hours=1)


def stored(hub_path: Path) -> list[tuple[float, int, int]]:
    """Value, time and envelope of each row of signals."""
    return [(row[4], row[5], row[6]) for row in rows(hub_path, signals)]


def check_rebuilt(hub: Hub, hub_path: Path) -> None:
    """A verification finds nothing, and a rebuild from nothing gives the same rows."""
    before = rows(hub_path, signals), rows(hub_path, further_disclosures)
    assert hub.verify_ledger().differences == ()
    with dialect_of(hub._engine).write_connection(hub._engine) as connection, connection.begin():
        connection.execute(signals.delete())
        connection.execute(further_disclosures.delete())
    if before[0]:
        assert hub.rebuild().changes
    assert (rows(hub_path, signals), rows(hub_path, further_disclosures)) == before


def second_key(hub: Hub, partner: Partner) -> Partner:
    """The partner with another key of its own."""
    other = partner.with_key(SigningKey.generate())
    hub.add_partner(partner.issuer, [other.key.public_jwk], not_before=LONG_AGO)
    return other


@pytest.mark.parametrize(
    "again",
    [
        pytest.param({"at": NOON - timedelta(seconds=30)}, id="with seconds"),
        pytest.param({"at": NOON - HOUR}, id="read in another time zone"),
        pytest.param({"at": NOON - timedelta(microseconds=1)}, id="a microsecond before"),
        pytest.param({"value": 2.0}, id="another value"),
    ],
)
def test_an_order_that_is_exported_again_counts_once(
    shop: Partner, hub: Hub, hub_path: Path, again: dict[str, Any]
) -> None:
    """The receipt says `corrected`, the later message stands, and sent once more it is a duplicate."""
    hub.add_grants(shop.grants("ada", ORDER))
    shop.send(shop.signal("ada", "1"))
    corrected = shop.signal("ada", "1", **again)
    receipt = shop.send(corrected)
    assert (receipt.accepted, receipt.duplicates, receipt.corrected) == (0, 0, 1)
    receipt = shop.send(corrected)
    assert (receipt.accepted, receipt.duplicates, receipt.corrected) == (0, 1, 0)
    assert stored(hub_path) == [(corrected.value, to_micros(corrected.occurred_at), 3)]
    check_rebuilt(hub, hub_path)


def test_explanation_and_export_show_what_stood_before(
    shop: Partner, hub: Hub, clock: Clock, export: Callable[[str], Any]
) -> None:
    """Each with the message that said it; a duplicate between them is no version of its own."""
    hub.add_grants(shop.grants("ada", ORDER, reads="retail"))
    other = second_key(hub, shop)
    first, then = shop.signal("ada", "1"), shop.signal("ada", "1", value=3.0, at=NOON - HOUR)
    hub.receive(shop.seal(first, shop.signal("ada", "2"), jti="first"))
    hub.receive(other.seal(first, jti="repeated"))
    clock.advance(minutes=1)
    hub.receive(shop.seal(then, jti="then"))
    explanation = hub.explain("ada", "retail")
    assert explanation is not None
    assert explanation.score.points == 540.0
    (correction,) = explanation.corrections
    assert (correction.id, correction.partner, correction.kind) == (then.id, shop.issuer, ORDER)
    assert correction.stands.envelope == "then"
    assert (correction.stands.value, correction.stands.occurred_at) == (3.0, NOON - HOUR)
    (before,) = correction.before
    assert (before.value, before.occurred_at, before.envelope, before.received_at) == (
        1.0,
        NOON,
        "first",
        NOON,
    )
    exported = [(one["envelope"], one["corrected_by"], one["duplicate"]) for one in export("ada")["signals"]]
    assert sorted(exported, key=str) == [
        ("first", "then", False),
        ("first", None, False),
        ("repeated", "then", True),
        ("then", None, False),
    ]


def test_a_withdrawn_correction_brings_the_earlier_one_back(
    shop: Partner, hub: Hub, hub_path: Path, clock: Clock
) -> None:
    """By its key, revoked from an instant between the two on: time, value and envelope are as before."""
    hub.add_grants(shop.grants("ada", ORDER, reads="retail"))
    shop.send(shop.signal("ada", "1"), shop.signal("ada", "2"))
    before = stored(hub_path)
    clock.advance(minutes=10)
    shop.send(shop.signal("ada", "1", value=4.0), shop.signal("ada", "2", at=NOON - HOUR))
    assert stored(hub_path) != before
    preview = hub.preview_key_revocation(shop.key.kid, NOON + timedelta(minutes=5))
    impact = hub.revoke_key(shop.key.kid, NOON + timedelta(minutes=5))
    assert preview == impact
    assert (impact.signals, impact.retained, impact.people) == (0, 2, 0)
    assert stored(hub_path) == before
    explanation = hub.explain("ada", "retail")
    assert explanation is not None
    assert (explanation.score.points, explanation.corrections) == (520.0, ())
    check_rebuilt(hub, hub_path)


def test_what_was_said_before_and_after_a_withdrawn_correction_is_one(
    shop: Partner, hub: Hub, hub_path: Path
) -> None:
    """The signal refers to the first message that says what stands, at once and after a rebuild."""
    hub.add_grants(shop.grants("ada", ORDER))
    thief = second_key(hub, shop)
    shop.send(shop.signal("ada", "1"))
    before = stored(hub_path)
    thief.send(shop.signal("ada", "1", value=9.0))
    shop.send(shop.signal("ada", "1"))
    assert [envelope for *_, envelope in stored(hub_path)] == [4]
    hub.revoke_key(thief.key.kid, NOON)
    assert stored(hub_path) == before
    check_rebuilt(hub, hub_path)
    hub.revoke_key(shop.key.kid, NOON)
    assert hub.explain("ada", "retail") is None
    check_rebuilt(hub, hub_path)


def test_a_disputed_signal_is_not_corrected(
    shop: Partner, hub: Hub, hub_path: Path, export: Callable[[str], Any]
) -> None:
    """Until the dispute is rejected; an upheld one excludes the signal for good, whatever its time."""
    hub.add_grants(shop.grants("ada", LATE, reads="retail"))
    late = shop.signal("ada", "1", LATE)
    shop.send(late)
    before = stored(hub_path)
    dispute = hub.rights.open_dispute("ada", shop.issuer, late.id, "I paid it")
    other = second_key(hub, shop)
    moved = shop.signal("ada", "1", LATE, value=2.0, at=NOON - HOUR)
    receipt = shop.send(shop.signal("stranger", "1"), moved, late)
    assert (receipt.accepted, receipt.duplicates, receipt.corrected) == (0, 1, 0)
    assert receipt.dropped[1] == Dropped(moved.id, DropReason.DISPUTED)
    assert other.send(late).duplicates == 1
    assert other.send(moved).dropped == (Dropped(moved.id, DropReason.DISPUTED),)
    assert stored(hub_path) == before
    check_rebuilt(hub, hub_path)
    assert moved.id not in {one["id"] for one in export("ada")["signals"]}
    hub.rights.decide(dispute.number, upheld=False, by="support", reason="no payment came")
    assert shop.send(moved).corrected == 1
    check_rebuilt(hub, hub_path)
    with pytest.raises(InvalidInputError, match="already disputed"):
        hub.rights.open_dispute("ada", shop.issuer, moved.id, "again")
    hub.rights.request_review(dispute.number)
    assert other.send(shop.signal("ada", "1", LATE)).dropped[0].reason is DropReason.DISPUTED
    reviewed = hub.rights.record_review(dispute.number, overturned=True, by="board", reason="it was paid")
    assert reviewed.state is DisputeState.UPHELD
    assert shop.send(shop.signal("ada", "1", LATE, value=3.0)).dropped[0].reason is DropReason.DISPUTED
    assert hub.explain("ada", "retail") is None


def test_a_corrected_signal_is_disputed_by_any_of_its_ids(shop: Partner, hub: Hub) -> None:
    """The person may name it as it was when it was exported."""
    hub.add_grants(shop.grants("ada", LATE, reads="retail"))
    first, then = shop.signal("ada", "1", LATE), shop.signal("ada", "1", LATE, at=NOON - HOUR)
    shop.send(first)
    shop.send(then)
    assert hub.rights.open_dispute("ada", shop.issuer, first.id, "I paid it").signal == first.id
    assert hub.explain("ada", "retail") is None


def test_an_erasure_leaves_nothing_of_what_stood_before(shop: Partner, hub: Hub, hub_path: Path) -> None:
    """Neither a row nor a disclosure, and the rest of the ledger verifies."""
    for person in ("ada", "bob"):
        hub.add_grants(shop.grants(person, ORDER))
    for value in (1.0, 2.0, 3.0):
        shop.send(*(shop.signal(person, "1", value=value) for person in ("ada", "bob")))
    assert hub.rights.erase("ada").envelopes == 3
    assert (count(hub_path, signals), count(hub_path, further_disclosures)) == (1, 2)
    with hub._engine.connect() as connection:
        kept = b"".join(connection.exec_driver_sql("SELECT disclosures FROM envelopes").scalars())
    assert kept.count(b"~") == 6
    check_rebuilt(hub, hub_path)


@pytest.mark.parametrize("in_the_clear", [False, True])
def test_of_one_message_the_last_stands(
    shop: Partner, hub: Hub, hub_path: Path, in_the_clear: bool, export: Callable[[str], Any]
) -> None:
    """Each of its disclosures is counted in the receipt."""
    hub.add_grants(shop.grants("ada", ORDER))
    batch = [shop.signal("ada", "1", value=value) for value in (1.0, 2.0, 2.0, 1.0, 5.0)]
    if in_the_clear:
        receipt = shop.read_receipt(hub.receive(shop.token(EventType.SIGNALS, {"signals": batch})))
    else:
        receipt = shop.send(*batch)
    assert (receipt.accepted, receipt.duplicates, receipt.corrected) == (1, 1, 3)
    assert [value for value, *_ in stored(hub_path)] == [5.0]
    check_rebuilt(hub, hub_path)
    exported = [(one["value"], bool(one["corrected_by"])) for one in export("ada")["signals"]]
    assert exported == [(1.0, True), (2.0, True), (2.0, True), (1.0, True), (5.0, False)]


def test_a_message_that_takes_its_own_correction_back_changes_nothing(
    shop: Partner, hub: Hub, hub_path: Path
) -> None:
    """What stood before it still refers to the first message."""
    hub.add_grants(shop.grants("ada", ORDER))
    shop.send(shop.signal("ada", "1"))
    before = stored(hub_path)
    receipt = shop.send(shop.signal("ada", "1", value=2.0), shop.signal("ada", "1"))
    assert receipt.corrected == 2
    assert stored(hub_path) == before
    check_rebuilt(hub, hub_path)


def test_an_id_is_a_key_and_a_time() -> None:
    """The key is what remains if only the time differs."""
    one, two = "019e830e-1a00-78ef-955f-ac3f32410f34", "000000000001-78ef-955f-ac3f32410f34"
    two = f"{two[:8]}-{two[8:]}"
    assert split_signal_id(one)[0] == split_signal_id(two)[0]
    assert split_signal_id(two)[1] == 1
    for text in (one, two):
        assert join_signal_id(*split_signal_id(text)) == text


def test_a_later_message_that_another_worker_stored_first_is_noticed(
    hub: Hub, shop: Partner, hub_path: Path
) -> None:
    """The order of the ledger decides, so the earlier one is stored again as a later one."""
    hub.add_grants(shop.grants("ada", ORDER))
    shop.send(shop.signal("ada", "1"))
    (stands,) = rows(hub_path, signals)
    with dialect_of(hub._engine).write_connection(hub._engine) as connection, connection.begin():
        earlier = (*stands[:4], 9.0, stands[5], stands[6] - 1, stands[7])
        with pytest.raises(ConcurrentWriteError):
            hub._signals.merge(connection, [earlier], counts=True)


def test_a_later_repetition_that_another_worker_stored_first_is_noticed(
    hub: Hub, shop: Partner, hub_path: Path
) -> None:
    """Where several transactions write: on SQLite, one has the lock before its envelope has a number."""
    hub.add_grants(shop.grants("ada", ORDER))
    shop.send(shop.signal("ada", "1"))
    shop.send(shop.signal("ada", "2"))
    second_key(hub, shop).send(shop.signal("ada", "1"))
    (repeated,) = rows(hub_path, further_disclosures)
    between = (*repeated[:4], 9.0, repeated[5], repeated[6] - 1, repeated[7])
    with dialect_of(hub._engine).write_connection(hub._engine) as connection, connection.begin():
        if hub._engine.dialect.name == "postgresql":
            with pytest.raises(ConcurrentWriteError):
                hub._signals.merge(connection, [between], counts=True)
        else:
            assert hub._signals.merge(connection, [between], counts=True)


@pytest.mark.long
def test_two_workers_that_correct_the_same_signals_agree_with_the_ledger(
    hub: Hub, shop: Partner, hub_path: Path, clock: Clock
) -> None:
    """Whatever order their messages get, it is that of the ledger."""
    people = [f"p{number}" for number in range(5)]
    hub.add_grants(grant for person in people for grant in shop.grants(person, ORDER))
    keys = [shop, second_key(hub, shop)]
    with Hub.open(hub_path, clock=clock) as twin:
        messages = [
            (
                (hub, twin)[number % 2],
                keys[number // 2 % 2].seal(
                    *(shop.signal(person, "1", value=float(number % 3)) for person in people)
                ),
            )
            for number in range(120)
        ]
        with ThreadPoolExecutor(8) as pool:
            receipts = [
                shop.read_receipt(token) for token in pool.map(lambda pair: _receive(*pair), messages)
            ]
    assert sum(receipt.accepted for receipt in receipts) == len(people)
    assert sum(receipt.corrected for receipt in receipts) > len(people)
    check_rebuilt(hub, hub_path)


def _receive(hub: Hub, message: bytes) -> bytes:
    while True:
        try:
            return hub.receive(message)
        except ConcurrentWriteError:
            continue


# The same as a model that keeps every message.


@frozen
class Said:
    """A disclosure as the model keeps it."""

    envelope: int
    kid: str
    received_at: datetime
    natural_key: str
    content: tuple[float, datetime]


@define
class Model:
    """Every disclosure, and since when which key is revoked."""

    said: list[Said] = field(factory=list)
    revoked: dict[str, datetime] = field(factory=dict)

    def counts(self, one: Said) -> bool:
        """Whether its message counts."""
        return one.kid not in self.revoked or one.received_at < self.revoked[one.kid]

    def standing(self) -> dict[str, tuple[tuple[float, datetime], int]]:
        """For each natural key with a message that counts: what the last says, and the first of its run."""
        stands: dict[str, tuple[tuple[float, datetime], int]] = {}
        for natural_key in {one.natural_key for one in self.said}:
            counting = [one for one in self.said if one.natural_key == natural_key and self.counts(one)]
            last_of = {one.envelope: one for one in counting}
            ordered = [last_of[envelope] for envelope in sorted(last_of)]
            if not ordered:
                continue
            first = len(ordered) - 1
            while first and ordered[first - 1].content == ordered[-1].content:
                first -= 1
            stands[natural_key] = (ordered[-1].content, ordered[first].envelope)
        return stands


KEYS = st.integers(0, 2)
DISCLOSURES = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 2), st.integers(0, 1)), min_size=1, max_size=4
)
STEPS = st.one_of(
    st.tuples(st.just("send"), KEYS, DISCLOSURES),
    st.tuples(st.just("revoke"), KEYS, st.integers(0, 6)),
    st.tuples(st.just("rebuild"), st.just(0), st.none()),
)


@given(steps=st.lists(STEPS, min_size=3, max_size=14))
def test_any_order_of_messages_and_revocations_is_as_in_the_model(steps: list[tuple[str, int, Any]]) -> None:
    """What stands, from which message, at each step; a verification and a rebuild agree at the end."""
    with TemporaryDirectory() as folder:
        path, clock = new_hub(Path(folder) / "hub"), Clock()
        with Hub.open(path, clock=clock) as hub:
            _follow(hub, path, clock, steps)


def _follow(hub: Hub, path: Path, clock: Clock, steps: list[tuple[str, int, Any]]) -> None:
    registrar = Partner.join("https://shop.example", hub, clock, ORDERS)
    hub.add_grants(registrar.grants("ada", ORDER))
    senders, model = [second_key(hub, registrar) for _ in range(3)], Model()
    for name, which, what in steps:
        clock.advance(minutes=1)
        sender = senders[which]
        if name == "send":
            _send(hub, sender, what, model, clock.now)
        elif name == "revoke":
            since = NOON + timedelta(minutes=what, seconds=30)
            hub.revoke_key(sender.key.kid, since)
            model.revoked[sender.key.kid] = min(model.revoked.get(sender.key.kid, since), since)
        else:
            assert hub.rebuild().changes == ()
        assert _standing(path, model, registrar) == model.standing()
    check_rebuilt(hub, path)


def _send(
    hub: Hub, sender: Partner, disclosures: list[tuple[str, int, int]], model: Model, now: datetime
) -> None:
    batch = [(natural_key, (float(value), NOON - hours * HOUR)) for natural_key, value, hours in disclosures]
    sealed = sender.seal(*(sender.signal("ada", key, value=value, at=at) for key, (value, at) in batch))
    try:
        hub.receive(sealed)
    except InvalidInputError:
        assert sender.key.kid in model.revoked
        return
    envelope = hub.count_envelopes()
    model.said += [Said(envelope, sender.key.kid, now, key, content) for key, content in batch]


def _standing(path: Path, model: Model, partner: Partner) -> dict[str, tuple[tuple[float, datetime], int]]:
    by_key = {split_signal_id(partner.signal("ada", name).id)[0]: name for name in "abc"}
    revoked = {one.envelope for one in model.said if not model.counts(one)}
    found = {}
    for row in rows(path, signals):
        if row[6] not in revoked:
            at = next(at for at in (NOON, NOON - HOUR) if to_micros(at) == row[5])
            found[by_key[bytes(row[2])]] = ((row[4], at), row[6])
    return found
