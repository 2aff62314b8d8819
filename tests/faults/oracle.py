"""What must hold after every fault, whatever it was.

* every signal that has a receipt is in the ledger exactly once
* every signal that was posted and has none is still in an outbox, or there as a dead letter with a reason
* ledger and scores are those of a hub to which nothing happened
* the ledger, proved and read again, gives the same table of signals
* no request was answered 500, and no thread of a hub died
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, select

from sesame_sdk import Signal
from sesame_sdk.delivery.outbox import Outbox
from sesame_sdk.hub.database import ids, tables, timestamps
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.ingest import ledger
from sesame_sdk.hub.ingest.ledger import IngestOutcome
from sesame_sdk.hub.scoring import policies, scores
from sesame_sdk.hub.settings import load_settings
from sesame_sdk.model import codec
from sesame_sdk.model.score import Score
from sesame_sdk.signing.envelopes import open_envelope
from sesame_sdk.signing.keys import SigningKey, Trust, TrustedKey
from sesame_sdk.signing.sd_jwt import SdJwt
from tests.hub.fixtures import LONG_AGO
from tests.hub.ledger import looking

#: Person, partner, key, kind, value and time, by the identifiers used outside the hub.
Row = tuple[str, str, bytes, str, float, int]


@frozen
class Ledger:
    """What a hub knows: every signal that counts, and every person's points and reasons."""

    rows: tuple[Row, ...]
    scores: Mapping[str, Score]


def read_ledger(path: Path) -> Ledger:
    """That of the hub in a folder."""
    settings = load_settings(path)
    with looking(path) as connection:
        return Ledger(_rows(connection), _scores(connection, settings.as_of or timestamps.utc_now().date()))


def check_nothing_lost(
    path: Path, issuer: str, key: SigningKey, outbox: Path, posted: Iterable[Signal]
) -> None:
    """Pass if every signal that was posted is in the ledger, once, or still in the outbox.

    Args:
        path: the hub's folder.
        issuer: whose outbox it is.
        key: the issuer's.
        outbox: its file, which may still be open.
        posted: what `Client.post` has returned for.
    """
    hub = load_settings(path).issuer
    with looking(path) as connection:
        replayed = list(ledger.replay_envelopes(connection))
        kept = {envelope.row.id: envelope.signals for envelope in replayed}
        assert not [envelope.fault for envelope in replayed if envelope.fault]
        answered = dict(connection.execute(select(tables.envelopes.c.jti, tables.envelopes.c.outcome)).all())
        counted = Counter(row[2] for row in _rows(connection))
    in_ledger = Counter(_key_of(signal) for all_of in kept.values() for signal in all_of)
    assert counted == in_ledger
    assert set(in_ledger.values()) <= {1}
    waiting = _waiting(outbox, hub, issuer, key)
    keys = {_key_of(signal) for signal in posted}
    assert keys <= in_ledger.keys() | waiting
    _check_receipts(outbox, answered, len(in_ledger))


def check_as_without_faults(path: Path, expected: Ledger) -> None:
    """Pass if ledger and scores are `expected`, and the table of signals can be made again."""
    ledger = read_ledger(path)
    assert len(ledger.rows) == len(expected.rows)
    assert ledger.rows == expected.rows
    assert ledger.scores == expected.scores
    with Hub.open(path) as hub:
        assert hub.rebuild().signals == len(expected.rows)
    assert read_ledger(path).rows == expected.rows


def check_log(log: Path) -> None:
    """Pass if the hub's log has no response 500 and no failed thread."""
    for line in log.read_text().splitlines():
        if line.startswith("{"):
            event: dict[str, Any] = json.loads(line)
            assert event.get("status") != 500, line
            assert event["event"] not in {"request_failed", "thread_failed"}, line


def _waiting(outbox: Path, hub: str, issuer: str, key: SigningKey) -> set[bytes]:
    """Keys of the signals that an outbox still holds, pending or dead, as its file has them."""
    with closing(sqlite3.connect(outbox)) as file:
        bodies = [row[0] for row in file.execute("SELECT data FROM body")]
    trust = Trust({issuer: [TrustedKey(key.public_jwk, LONG_AGO)]})
    late = timestamps.from_micros(1 << 52)  # whenever it says that it was signed
    opened = [open_envelope(SdJwt.parse(body), trust, audience=hub, now=late) for body in bodies]
    return {_key_of(signal) for one in opened for signal in one.envelope.signals}


def _key_of(signal: Signal) -> bytes:
    """What identifies a signal of a partner: its id without the time."""
    return ids.split_signal_id(signal.id)[0]


def _check_receipts(path: Path, answered: Mapping[str, bytes], in_ledger: int) -> None:
    outbox = Outbox(path)
    with closing(outbox):
        accepted = 0
        for receipt in outbox.receipts():
            outcome = codec.decode(answered[receipt.jti], IngestOutcome)
            assert (outcome.accepted, outcome.duplicates) == (receipt.accepted, receipt.duplicates)
            assert outcome.corrected == receipt.corrected
            assert [why for _, why in outcome.dropped] == [signal.reason for signal in receipt.dropped]
            accepted += receipt.accepted
        assert accepted <= in_ledger
        for message in outbox.dead_letters():
            assert message.code
            assert message.reason


def _rows(connection: Connection) -> tuple[Row, ...]:
    signals, kinds = tables.signals, tables.kinds
    named = (
        select(
            tables.people.c.person,
            tables.partners.c.issuer,
            signals.c.key,
            kinds.c.name,
            signals.c.value,
            signals.c.occurred_at,
        )
        .join_from(signals, tables.people, tables.people.c.id == signals.c.person)
        .join(tables.partners, tables.partners.c.id == signals.c.partner)
        .join(kinds, kinds.c.id == signals.c.kind)
    )
    return tuple(sorted(tuple(row) for row in connection.execute(named)))  # type: ignore[arg-type]


def _scores(connection: Connection, as_of: date) -> dict[str, Score]:
    persons = dict(connection.execute(select(tables.people.c.id, tables.people.c.person)).all())
    policy = policies.current_policy(connection, "retail")
    assert policy is not None
    asked = dict.fromkeys(persons, ("retail",))
    computed = scores.compute_scores(connection, asked, policy, as_of, timestamps.utc_now(), reasons=True)
    return {persons[number]: score for number, score in computed.items()}
