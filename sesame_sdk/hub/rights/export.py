"""Everything about a person, written piece by piece as one JSON document (GDPR 15, 20).

All of it is one state of the ledger. Signals are read a few envelopes at a time, however many there are;
only for the scores those that count are held at once, as for any explanation.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from attrs import field, frozen
from sqlalchemy import Connection, Row, Table, and_, select

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.consent import subjects
from sesame_sdk.hub.consent.grants import list_grants
from sesame_sdk.hub.database import tables
from sesame_sdk.hub.database.ids import split_signal_id
from sesame_sdk.hub.database.timestamps import from_micros, from_micros_or_none
from sesame_sdk.hub.ingest import ledger
from sesame_sdk.hub.partners import proposals
from sesame_sdk.hub.partners.keys import void_envelopes
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
from sesame_sdk.hub.scoring import policies, score_reads, scores, signal_history
from sesame_sdk.model import codec
from sesame_sdk.model.signals import SignalKind

#: The section of an export that holds a table's data; a test checks that every table with people is here.
SECTIONS: dict[Table, str] = {
    tables.people: "person",
    tables.pseudonyms: "pseudonyms",
    tables.grants: "grants",
    tables.grant_kinds: "grants",
    tables.grant_crossings: "grants",
    tables.signals: "signals",
    tables.envelopes: "signals",
    tables.further_disclosures: "signals",
    tables.disputes: "disputes",
    tables.dispute_steps: "disputes",
    tables.notices: "notices",
    tables.score_reads: "reads",
    tables.stream_subjects: "streamed_scores",
    tables.stream_messages: "streamed_scores",  # a message carries the same scores
    tables.rescore_queue: "streamed_scores",  # rescoring updates them
}


@frozen
class Exporter:
    """Writes exports in a transaction with one snapshot. `hub` is our issuer, `as_of` the scores' day."""

    connection: Connection
    hub: str
    as_of: date
    at: datetime
    _declared: dict[tuple[int, str], SignalKind] = field(factory=dict, init=False)
    _approved: dict[str, str] = field(factory=dict, init=False)

    def chunks(self, person: str) -> Iterator[bytes]:
        """The document, in chunks. `InvalidInputError`: unknown person."""
        person_id = subjects.person_id(self.connection, person)
        head = {"format": FORMAT, "hub": self.hub, "person": person, "exported_at": self.at}
        yield codec.encode(head)[:-1]
        sections: dict[str, Iterable[object]] = {
            "pseudonyms": self._pseudonyms(person_id),
            "grants": (grant for _, grant in list_grants(self.connection, person)),
            "scores": self._scores(person),
            "disputes": map(self._dispute, dispute_store.list_disputes(self.connection, person)),
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
        columns = (tables.partners.c.issuer, tables.pseudonyms.c.subject, tables.pseudonyms.c.corrected_at)
        query = select(*columns).join(tables.pseudonyms, tables.pseudonyms.c.partner == tables.partners.c.id)
        query = query.where(tables.pseudonyms.c.person == person_id).order_by(tables.partners.c.id)
        for row in self.connection.execute(query):
            yield Pseudonym(row.issuer, row.subject, from_micros_or_none(row.corrected_at))

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
            select(
                tables.stream_subjects,
                tables.partners.c.issuer,
                tables.streams.c.purpose,
                tables.streams.c.context,
            )
            .join(tables.streams, tables.streams.c.id == tables.stream_subjects.c.stream)
            .join(tables.partners, tables.partners.c.id == tables.streams.c.partner)
        )
        query = query.where(tables.stream_subjects.c.person == person_id)
        for row in self.connection.execute(query.order_by(tables.stream_subjects.c.stream)):
            stream = (row.issuer, row.purpose, row.context)
            yield StreamedScore(*stream, row.event, row.points, row.band, row.as_of, row.pending_priority > 0)

    def _notices(self, person_id: int) -> Iterator[ExportedNotice]:
        query = (
            select(tables.notices, tables.partners.c.issuer)
            .join(tables.partners, tables.partners.c.id == tables.notices.c.partner)
            .join(tables.disputes, tables.disputes.c.id == tables.notices.c.dispute)
        )
        query = query.where(tables.disputes.c.person == person_id).order_by(tables.notices.c.id)
        for row in self.connection.execute(query):
            yield ExportedNotice(row.issuer, row.event, from_micros(row.created_at))

    def _signals(self, person_id: int) -> Iterator[ExportedSignal]:
        subjects_by_partner = redaction.pseudonyms_of(self.connection, person_id)
        query = select(tables.partners).where(tables.partners.c.id.in_(list(subjects_by_partner)))
        issuers = {row.id: row.issuer for row in self.connection.execute(query)}
        for rows in redaction.envelopes_of(self.connection, person_id):
            void = self._void_envelopes(rows)
            unreadable = redaction.unreadable_envelopes(self.connection, rows)
            for row in rows:
                if row.id in unreadable:
                    continue
                subject, issuer = subjects_by_partner[row.partner], issuers[row.partner]
                yield from self._signals_of_envelope(person_id, row, subject, issuer, revoked=row.id in void)

    def _signals_of_envelope(
        self, person_id: int, row: Row[Any], subject: str, issuer: str, *, revoked: bool
    ) -> Iterator[ExportedSignal]:
        stored_signals = redaction.signals_of(row, subject)
        verifies = self._verifies(row) if stored_signals else None
        keys = [split_signal_id(stored.signal.id)[0] for stored in stored_signals]
        histories = signal_history.read_histories(self.connection, person_id, row.partner, keys)
        dispute_numbers = self._dispute_numbers(person_id, row.partner)
        last = {key: stored for stored, key in zip(stored_signals, keys, strict=True)}
        for stored, key in zip(stored_signals, keys, strict=True):
            versions = histories.versions.get((person_id, row.partner, key), ())
            is_duplicate = signal_history.is_duplicate(versions, row.id)
            corrected_by = signal_history.find_corrections(versions).get(row.id)
            if stored is not last[key]:  # the same envelope brings it again
                is_duplicate = stored.signal == last[key].signal
                corrected_by = None if is_duplicate else row.id
            signal = stored.signal
            kind = self._kind(row.partner, signal.kind)
            yield ExportedSignal(
                id=signal.id,
                partner=issuer,
                subject=subject,
                kind=signal.kind,
                context=kind.context,
                unit=kind.unit,
                observation=kind.observation,
                approval=self._approvals().get(kind.observation, "") if kind.proposal else "",
                reason=kind.reason,
                value=signal.value,
                occurred_at=signal.occurred_at,
                received_at=from_micros(row.received_at),
                envelope=row.jti,
                kid=row.kid,
                disclosure=stored.disclosure.decode(),
                verifies=verifies,
                key_revoked=revoked,
                duplicate=is_duplicate,
                corrected_by=None if corrected_by is None else histories.envelopes[corrected_by].jti,
                dispute=dispute_numbers.get(key),
            )

    def _verifies(self, row: Row[Any]) -> bool | None:
        if not row.token:
            return None
        try:
            ledger.verify_again(self.connection, row)
        except InvalidInputError:
            return False
        return True

    def _void_envelopes(self, rows: Iterable[Row[Any]]) -> set[int]:
        chunk = tables.envelopes.c.id.in_([row.id for row in rows])
        void = tables.envelopes.c.id.in_(void_envelopes())
        return set(self.connection.scalars(select(tables.envelopes.c.id).where(chunk, void)))

    def _dispute_numbers(self, person_id: int, partner: int) -> dict[bytes, int]:
        condition = and_(tables.disputes.c.person == person_id, tables.disputes.c.partner == partner)
        query = select(tables.disputes.c.key, tables.disputes.c.id).where(condition)
        rows = self.connection.execute(query)
        return {bytes(row.key): row.id for row in rows}

    def _approvals(self) -> Mapping[str, str]:
        """The sentence of each entry that this hub approved for itself."""
        if not self._approved:
            self._approved.update(proposals.approval_texts(self.connection))
        return self._approved

    def _kind(self, partner: int, name: str) -> SignalKind:
        """A partner's latest declaration of a kind."""
        if (partner, name) not in self._declared:
            query = (
                select(tables.registered_kinds.c.declaration)
                .join(
                    tables.registrations,
                    tables.registrations.c.envelope == tables.registered_kinds.c.registration,
                )
                .join(tables.kinds, tables.kinds.c.id == tables.registered_kinds.c.kind)
                .where(tables.registrations.c.partner == partner, tables.kinds.c.name == name)
                .order_by(tables.registrations.c.envelope.desc())
                .limit(1)
            )
            declaration = self.connection.execute(query).scalar_one()
            self._declared[partner, name] = codec.decode(declaration, SignalKind)
        return self._declared[partner, name]
