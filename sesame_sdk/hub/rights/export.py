"""Everything about a person, written piece by piece as one JSON document (GDPR 15, 20).

All of it is one state of the ledger. Signals are read a few envelopes at a time, however many there are;
only for the scores those that count are held at once, as for any explanation.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

from attrs import field, frozen
from sqlalchemy import Connection, Row, Table, and_, select

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.consent import grant_cache, subjects
from sesame_sdk.hub.database.signal_ids import signal_id_to_bytes
from sesame_sdk.hub.database.tables import (
    envelopes,
    grant_crossings,
    grant_kinds,
    grants,
    partners,
    pseudonyms,
    registered_kinds,
    registrations,
    signals,
)
from sesame_sdk.hub.database.tables import kinds as kinds_table
from sesame_sdk.hub.database.tables import people as people_table
from sesame_sdk.hub.database.tables import score_reads as reads_table
from sesame_sdk.hub.database.timestamps import from_micros
from sesame_sdk.hub.partners.keys import HistoricalKeys, void_envelopes
from sesame_sdk.hub.rights import dispute_store, redaction
from sesame_sdk.hub.rights.dispute_model import Dispute
from sesame_sdk.hub.rights.export_schema import (
    FORMAT,
    Disputed,
    DueBy,
    HeldSignal,
    OwedNotice,
    Pseudonym,
    ScoreNow,
    ToldScore,
)
from sesame_sdk.hub.rights.tables import dispute_steps, duplicate_disclosures, notices
from sesame_sdk.hub.rights.tables import disputes as disputes_table
from sesame_sdk.hub.scoring import policies, score_reads, scores
from sesame_sdk.hub.streams.tables import rescore_queue, stream_messages, stream_subjects
from sesame_sdk.hub.streams.tables import streams as streams_table
from sesame_sdk.model import codec
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.signing.envelopes import open_envelope
from sesame_sdk.signing.sd_jwt import SdJwt

#: In which part of an export a table's rows are; a test looks for every table with people in it.
SECTIONS: dict[Table, str] = {
    people_table: "person",
    pseudonyms: "pseudonyms",
    grants: "grants",
    grant_kinds: "grants",
    grant_crossings: "grants",
    signals: "signals",
    envelopes: "signals",
    duplicate_disclosures: "signals",
    disputes_table: "disputes",
    dispute_steps: "disputes",
    notices: "notices",
    reads_table: "reads",
    stream_subjects: "told",
    stream_messages: "told",  # a letter carries what its rows of `told` say
    rescore_queue: "told",  # what is still to be looked at is told when it was
}


@frozen
class Exporter:
    """Writes exports from one state of a ledger.

    Attributes:
        connection: in a transaction that sees one state.
        hub: our own issuer.
        as_of: the day that scores are computed for.
        at: now; UTC.
    """

    connection: Connection
    hub: str
    as_of: date
    at: datetime
    _declared: dict[tuple[int, str], SignalKind] = field(factory=dict, init=False)

    def pieces(self, person: str) -> Iterator[bytes]:
        """The document, in pieces.

        Raises:
            InvalidInputError: nobody is known by that.
        """
        number = subjects.person_id(self.connection, person)
        head = {"format": FORMAT, "hub": self.hub, "person": person, "at": self.at}
        yield codec.encode(head)[:-1]
        sections: dict[str, Iterable[object]] = {
            "pseudonyms": self._pseudonyms(number),
            "grants": (grant for _, grant in grant_cache.list_grants(self.connection, person)),
            "scores": self._scores(person),
            "disputes": (self._dispute(one) for one in dispute_store.listed(self.connection, person)),
            "reads": score_reads.list_score_reads(self.connection, person),
            "told": self._told(number),
            "notices": self._notices(number),
            "signals": self._signals(number),
        }
        for name, members in sections.items():
            yield b',\n"%b":[' % name.encode()
            for place, member in enumerate(members):
                yield (b",\n" if place else b"\n") + codec.encode(member)
            yield b"]"
        yield b"}\n"

    def _pseudonyms(self, number: int) -> Iterator[Pseudonym]:
        chosen = select(partners.c.issuer, pseudonyms.c.subject).join(
            pseudonyms, pseudonyms.c.partner == partners.c.id
        )
        for row in self.connection.execute(
            chosen.where(pseudonyms.c.person == number).order_by(partners.c.id)
        ):
            yield Pseudonym(row.issuer, row.subject)

    def _scores(self, person: str) -> Iterator[ScoreNow]:
        for policy in policies.current_policies(self.connection):
            found = scores.explain(self.connection, person, policy.context, self.as_of, self.at)
            yield ScoreNow(policy.context, found)

    def _dispute(self, one: Dispute) -> Disputed:
        today = self.at.date()
        due = tuple(DueBy(d.what, d.due, d.done_at, d.standing(today)) for d in one.deadlines())
        named = (one.number, one.partner, one.signal, one.kind, one.state, one.statement)
        return Disputed(*named, one.steps, due)

    def _told(self, number: int) -> Iterator[ToldScore]:
        chosen = (
            select(stream_subjects, partners.c.issuer, streams_table.c.purpose, streams_table.c.context)
            .join(streams_table, streams_table.c.id == stream_subjects.c.stream)
            .join(partners, partners.c.id == streams_table.c.partner)
        )
        for row in self.connection.execute(
            chosen.where(stream_subjects.c.person == number).order_by(stream_subjects.c.stream)
        ):
            of_what = (row.issuer, row.purpose, row.context, row.event)
            yield ToldScore(*of_what, row.points, row.band, row.as_of, row.pending_priority > 0)

    def _notices(self, number: int) -> Iterator[OwedNotice]:
        chosen = (
            select(notices, partners.c.issuer)
            .join(partners, partners.c.id == notices.c.partner)
            .join(disputes_table, disputes_table.c.id == notices.c.dispute)
        )
        mine = chosen.where(disputes_table.c.person == number).order_by(notices.c.id)
        for row in self.connection.execute(mine):
            yield OwedNotice(row.issuer, row.event, from_micros(row.created_at))

    def _signals(self, number: int) -> Iterator[HeldSignal]:
        names = redaction.names_of(self.connection, number)
        issuers = {
            row.id: row.issuer
            for row in self.connection.execute(select(partners).where(partners.c.id.in_(list(names))))
        }
        for rows in redaction.stored(self.connection, number):
            void = self._void(rows)
            for row in rows:
                yield from self._of_envelope(
                    number, row, names[row.partner], issuers[row.partner], revoked=row.id in void
                )

    def _of_envelope(
        self, number: int, row: Row[Any], subject: str, issuer: str, *, revoked: bool
    ) -> Iterator[HeldSignal]:
        parts = redaction.parts_of(row, subject)
        verifies = self._verifies(row) if parts else None
        keys = [signal_id_to_bytes(part.signal.id) for part in parts]
        stand, disputed = self._stand(number, row.partner, keys), self._disputed(number, row.partner)
        for part, key in zip(parts, keys, strict=True):
            signal = part.signal
            kind = self._kind(row.partner, signal.kind)
            yield HeldSignal(
                id=signal.id,
                partner=issuer,
                subject=subject,
                kind=signal.kind,
                context=kind.context,
                unit=kind.unit,
                reason=kind.reason,
                value=signal.value,
                occurred_at=signal.occurred_at,
                received_at=from_micros(row.received_at),
                envelope=row.jti,
                key=row.kid,
                disclosure=part.disclosure.decode(),
                verifies=verifies,
                key_revoked=revoked,
                again=stand.get(key) != row.id,
                dispute=disputed.get(key),
            )

    def _verifies(self, row: Row[Any]) -> bool | None:
        if not row.token:
            return None
        try:
            open_envelope(
                SdJwt.parse(row.token + row.disclosures),
                HistoricalKeys(self.connection),
                audience=self.hub,
                now=from_micros(row.received_at),
            )
        except InvalidInputError:
            return False
        return True

    def _void(self, rows: Iterable[Row[Any]]) -> set[int]:
        some = envelopes.c.id.in_([row.id for row in rows])
        return set(self.connection.scalars(void_envelopes().where(some)))

    def _stand(self, number: int, partner: int, keys: list[bytes]) -> dict[bytes, int]:
        """The envelope that each signal stands by."""
        mine = and_(signals.c.person == number, signals.c.partner == partner, signals.c.id.in_(keys))
        rows = self.connection.execute(select(signals.c.id, signals.c.envelope).where(mine))
        return {bytes(row.id): row.envelope for row in rows}

    def _disputed(self, number: int, partner: int) -> dict[bytes, int]:
        mine = and_(disputes_table.c.person == number, disputes_table.c.partner == partner)
        rows = self.connection.execute(select(disputes_table.c.signal, disputes_table.c.id).where(mine))
        return {bytes(row.signal): row.id for row in rows}

    def _kind(self, partner: int, name: str) -> SignalKind:
        """What a partner declared a kind to be, the last time that it did."""
        if (partner, name) not in self._declared:
            chosen = (
                select(registered_kinds.c.declaration)
                .join(registrations, registrations.c.envelope == registered_kinds.c.registration)
                .join(kinds_table, kinds_table.c.id == registered_kinds.c.kind)
                .where(registrations.c.partner == partner, kinds_table.c.name == name)
                .order_by(registrations.c.envelope.desc())
                .limit(1)
            )
            told_so = self.connection.execute(chosen).scalar_one()
            self._declared[partner, name] = codec.decode(told_so, SignalKind)
        return self._declared[partner, name]
