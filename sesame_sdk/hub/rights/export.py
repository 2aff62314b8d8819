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
from sesame_sdk.hub.consent import subjects
from sesame_sdk.hub.consent.grants import list_grants
from sesame_sdk.hub.database.ids import signal_id_to_bytes
from sesame_sdk.hub.database.tables import (
    dispute_steps,
    duplicate_disclosures,
    envelopes,
    grant_crossings,
    grant_kinds,
    grants,
    notices,
    partners,
    pseudonyms,
    registered_kinds,
    registrations,
    rescore_queue,
    signals,
    stream_messages,
    stream_subjects,
)
from sesame_sdk.hub.database.tables import disputes as disputes_table
from sesame_sdk.hub.database.tables import kinds as kinds_table
from sesame_sdk.hub.database.tables import people as people_table
from sesame_sdk.hub.database.tables import score_reads as reads_table
from sesame_sdk.hub.database.tables import streams as streams_table
from sesame_sdk.hub.database.timestamps import from_micros
from sesame_sdk.hub.partners.keys import HistoricalKeys, void_envelopes
from sesame_sdk.hub.rights import dispute_store, redaction
from sesame_sdk.hub.rights.dispute_model import Dispute
from sesame_sdk.hub.rights.export_schema import (
    FORMAT,
    CurrentScore,
    ExportedDeadline,
    ExportedDispute,
    ExportedNotice,
    ExportedSignal,
    Pseudonym,
    StreamedScore,
)
from sesame_sdk.hub.scoring import policies, score_reads, scores
from sesame_sdk.model import codec
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.signing.envelopes import open_envelope
from sesame_sdk.signing.sd_jwt import SdJwt

#: The section of an export that holds a table's data; a test checks that every table with people is here.
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
    stream_subjects: "streamed_scores",
    stream_messages: "streamed_scores",  # a message carries the same scores
    rescore_queue: "streamed_scores",  # rescoring updates them
}


@frozen
class Exporter:
    """Writes exports from one snapshot of a ledger.

    Attributes:
        connection: in a transaction with one snapshot.
        hub: our own issuer.
        as_of: the day that scores are computed for.
        at: now; UTC.
    """

    connection: Connection
    hub: str
    as_of: date
    at: datetime
    _declared: dict[tuple[int, str], SignalKind] = field(factory=dict, init=False)

    def chunks(self, person: str) -> Iterator[bytes]:
        """The document, in chunks.

        Raises:
            InvalidInputError: unknown person.
        """
        person_id = subjects.person_id(self.connection, person)
        head = {"format": FORMAT, "hub": self.hub, "person": person, "exported_at": self.at}
        yield codec.encode(head)[:-1]
        sections: dict[str, Iterable[object]] = {
            "pseudonyms": self._pseudonyms(person_id),
            "grants": (grant for _, grant in list_grants(self.connection, person)),
            "scores": self._scores(person),
            "disputes": (
                self._dispute(dispute) for dispute in dispute_store.list_disputes(self.connection, person)
            ),
            "reads": score_reads.list_score_reads(self.connection, person),
            "streamed_scores": self._streamed_scores(person_id),
            "notices": self._notices(person_id),
            "signals": self._signals(person_id),
        }
        for name, members in sections.items():
            yield b',\n"%b":[' % name.encode()
            for index, member in enumerate(members):
                yield (b",\n" if index else b"\n") + codec.encode(member)
            yield b"]"
        yield b"}\n"

    def _pseudonyms(self, person_id: int) -> Iterator[Pseudonym]:
        query = select(partners.c.issuer, pseudonyms.c.subject).join(
            pseudonyms, pseudonyms.c.partner == partners.c.id
        )
        for row in self.connection.execute(
            query.where(pseudonyms.c.person == person_id).order_by(partners.c.id)
        ):
            yield Pseudonym(row.issuer, row.subject)

    def _scores(self, person: str) -> Iterator[CurrentScore]:
        for policy in policies.current_policies(self.connection):
            explanation = scores.explain(self.connection, person, policy.context, self.as_of, self.at)
            yield CurrentScore(policy.context, explanation)

    def _dispute(self, dispute: Dispute) -> ExportedDispute:
        today = self.at.date()
        return ExportedDispute(
            number=dispute.number,
            partner=dispute.partner,
            signal=dispute.signal,
            kind=dispute.kind,
            state=dispute.state,
            statement=dispute.statement,
            steps=dispute.steps,
            deadlines=tuple(
                ExportedDeadline(deadline.task, deadline.due, deadline.done_at, deadline.status(today))
                for deadline in dispute.deadlines()
            ),
        )

    def _streamed_scores(self, person_id: int) -> Iterator[StreamedScore]:
        query = (
            select(stream_subjects, partners.c.issuer, streams_table.c.purpose, streams_table.c.context)
            .join(streams_table, streams_table.c.id == stream_subjects.c.stream)
            .join(partners, partners.c.id == streams_table.c.partner)
        )
        for row in self.connection.execute(
            query.where(stream_subjects.c.person == person_id).order_by(stream_subjects.c.stream)
        ):
            stream = (row.issuer, row.purpose, row.context)
            yield StreamedScore(*stream, row.event, row.points, row.band, row.as_of, row.pending_priority > 0)

    def _notices(self, person_id: int) -> Iterator[ExportedNotice]:
        query = (
            select(notices, partners.c.issuer)
            .join(partners, partners.c.id == notices.c.partner)
            .join(disputes_table, disputes_table.c.id == notices.c.dispute)
        )
        query = query.where(disputes_table.c.person == person_id).order_by(notices.c.id)
        for row in self.connection.execute(query):
            yield ExportedNotice(row.issuer, row.event, from_micros(row.created_at))

    def _signals(self, person_id: int) -> Iterator[ExportedSignal]:
        subjects_by_partner = redaction.pseudonyms_of(self.connection, person_id)
        issuers = {
            row.id: row.issuer
            for row in self.connection.execute(
                select(partners).where(partners.c.id.in_(list(subjects_by_partner)))
            )
        }
        for rows in redaction.envelopes_of(self.connection, person_id):
            void = self._void_envelopes(rows)
            for row in rows:
                yield from self._signals_of_envelope(
                    person_id,
                    row,
                    subjects_by_partner[row.partner],
                    issuers[row.partner],
                    revoked=row.id in void,
                )

    def _signals_of_envelope(
        self, person_id: int, row: Row[Any], subject: str, issuer: str, *, revoked: bool
    ) -> Iterator[ExportedSignal]:
        stored_signals = redaction.signals_of(row, subject)
        verifies = self._verifies(row) if stored_signals else None
        keys = [signal_id_to_bytes(stored.signal.id) for stored in stored_signals]
        envelope_ids = self._envelope_ids(person_id, row.partner, keys)
        dispute_numbers = self._dispute_numbers(person_id, row.partner)
        for stored, key in zip(stored_signals, keys, strict=True):
            signal = stored.signal
            kind = self._kind(row.partner, signal.kind)
            yield ExportedSignal(
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
                kid=row.kid,
                disclosure=stored.disclosure.decode(),
                verifies=verifies,
                key_revoked=revoked,
                duplicate=envelope_ids.get(key) != row.id,
                dispute=dispute_numbers.get(key),
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

    def _void_envelopes(self, rows: Iterable[Row[Any]]) -> set[int]:
        chunk = envelopes.c.id.in_([row.id for row in rows])
        return set(self.connection.scalars(void_envelopes().where(chunk)))

    def _envelope_ids(self, person_id: int, partner: int, keys: list[bytes]) -> dict[bytes, int]:
        """The envelope that the row of each signal refers to."""
        condition = and_(signals.c.person == person_id, signals.c.partner == partner, signals.c.id.in_(keys))
        rows = self.connection.execute(select(signals.c.id, signals.c.envelope).where(condition))
        return {bytes(row.id): row.envelope for row in rows}

    def _dispute_numbers(self, person_id: int, partner: int) -> dict[bytes, int]:
        condition = and_(disputes_table.c.person == person_id, disputes_table.c.partner == partner)
        rows = self.connection.execute(select(disputes_table.c.signal, disputes_table.c.id).where(condition))
        return {bytes(row.signal): row.id for row in rows}

    def _kind(self, partner: int, name: str) -> SignalKind:
        """A partner's latest declaration of a kind."""
        if (partner, name) not in self._declared:
            query = (
                select(registered_kinds.c.declaration)
                .join(registrations, registrations.c.envelope == registered_kinds.c.registration)
                .join(kinds_table, kinds_table.c.id == registered_kinds.c.kind)
                .where(registrations.c.partner == partner, kinds_table.c.name == name)
                .order_by(registrations.c.envelope.desc())
                .limit(1)
            )
            declaration = self.connection.execute(query).scalar_one()
            self._declared[partner, name] = codec.decode(declaration, SignalKind)
        return self._declared[partner, name]
