"""People's rights at one hub: the facade over this room, `Hub.rights`."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, BinaryIO

import msgspec
from attrs import frozen
from sqlalchemy import Connection, Engine, Row

from sesame_sdk.hub.backup.withdrawal_log import Journal
from sesame_sdk.hub.database.engine import read_transaction
from sesame_sdk.hub.database.timestamps import from_micros
from sesame_sdk.hub.database.writer import Writer
from sesame_sdk.hub.partners import keys
from sesame_sdk.hub.rights import dispute_store, erasure, notices, vacuum
from sesame_sdk.hub.rights.dispute_model import Dispute, Step, What
from sesame_sdk.hub.rights.erasure import Erased
from sesame_sdk.hub.rights.export import Exporter
from sesame_sdk.hub.rights.notices import Owed
from sesame_sdk.hub.scoring import notice_auth
from sesame_sdk.hub.streams.management import PollRequest
from sesame_sdk.interfaces import Signer
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.stream_events import SubjectId
from sesame_sdk.signing.jwt import KeyFinder
from sesame_sdk.signing.security_events import sign_event

#: Notices of one poll at most.
MOST_POLLED = 100


@frozen
class Told:
    """Notices for a partner, by ``jti``, and whether there are more."""

    sets: dict[str, str]
    more: bool


@frozen(repr=False)
class Rights:
    """What people ask for, by way of the operator, and what partners are told of it.

    Every method that changes something returns when that is on disk.

    Attributes:
        issuer: of the hub.
        signer: its key.
        engine: of the ledger.
        writer: of the ledger.
        journal: what was taken back, for whoever restores a backup.
        keys: knows the partners' keys.
        clock: says what time it is, in UTC.
        today: the day that scores are computed for.
    """

    issuer: str
    signer: Signer
    engine: Engine
    writer: Writer
    journal: Journal
    keys: KeyFinder
    clock: Callable[[], datetime]
    today: Callable[[], date]

    # Disputes.

    def dispute(self, person: str, partner: str, signal: str, reason: str) -> Dispute:
        """Open a dispute; the signal does not count from now on. See `disputes.open_one`, and its errors."""
        at = self.clock()
        return self.writer.run(lambda c: dispute_store.open_one(c, person, partner, signal, reason, at))

    def decide(self, number: int, *, upheld: bool, by: str, reason: str) -> Dispute:
        """Decide a dispute: upheld, the signal never counts again; rejected, it counts again.

        Args:
            number: of the dispute.
            upheld: whether the person is right.
            by: the role that decides; never a name.
            reason: why, for the person.

        Raises:
            Rejected: no such dispute, or it was decided already.
        """
        return self._step(number, What.UPHELD if upheld else What.REJECTED, by, reason)

    def extend(self, number: int, *, by: str, reason: str) -> Dispute:
        """Take more time to decide, once.

        Raises:
            Rejected: no such dispute, or it was decided or extended already.
        """
        return self._step(number, What.EXTENDED, by, reason)

    def ask_review(self, number: int, words: str = "") -> Dispute:
        """Have a decision looked at by another, who may overturn it. Until then the signal does not count.

        Raises:
            Rejected: no such dispute, or there is nothing to overturn, or it was reviewed already.
        """
        return self._step(number, What.REVIEW_ASKED, "person", words)

    def review(self, number: int, *, overturned: bool, by: str, reason: str) -> Dispute:
        """Say what a review came to.

        Args:
            number: of the dispute.
            overturned: whether the person is right after all.
            by: the role that reviewed, which has the power to overturn; another than decided.
            reason: why, for the person.

        Raises:
            Rejected: no such dispute, it is not in review, or `by` decided it in the first place.
        """
        return self._step(number, What.OVERTURNED if overturned else What.CONFIRMED, by, reason)

    def person_heard(self, number: int, *, by: str) -> Dispute:
        """Write down that the person was told of the latest result.

        Raises:
            Rejected: no such dispute, it is not decided, or the person was told already.
        """
        return self._step(number, What.PERSON_HEARD, by, "")

    def state(self, number: int, words: str) -> None:
        """Put a person's own words beside a disputed signal; none takes them back.

        Raises:
            Rejected: no such dispute, or more than a hundred words.
        """
        self.writer.run(lambda connection: dispute_store.state(connection, number, words))

    def disputes(self, person: str | None = None) -> list[Dispute]:
        """Every dispute, or one person's, oldest first."""
        with read_transaction(self.engine) as connection:
            return dispute_store.listed(connection, person)

    def one_dispute(self, number: int) -> Dispute:
        """The dispute of this number.

        Raises:
            Rejected: there is none.
        """
        with read_transaction(self.engine) as connection:
            return dispute_store.one(connection, number)

    # Access and erasure.

    def export(self, person: str, out: BinaryIO) -> None:
        """Write everything about a person as JSON, in the form of `export_form`.

        Raises:
            Rejected: nobody is known by that.
        """
        with read_transaction(self.engine) as connection:
            exporter = Exporter(connection, self.issuer, self.today(), self.clock())
            out.writelines(exporter.pieces(person))

    def erase(self, person: str) -> Erased:
        """Erase a person, all of it or nothing. See `erasure`, and its errors; `scrub` afterwards."""
        at = self.clock()
        self.journal.erased(person)
        return self.writer.run(lambda connection: erasure.erase(connection, person, at))

    def scrub(self) -> None:
        """Get what was deleted out of the files too. See `scrub.scrub`, and its errors."""
        vacuum.scrub(self.engine)

    # What partners are told.

    def poll(self, token: bytes, asked: PollRequest) -> Told:
        """What a partner was not told yet (RFC 8936). What it acknowledges was told.

        What it refuses stays owed: that a partner does not understand a notice ends no duty to tell it.

        Raises:
            Rejected: the token is not believed, or was used before.
        """
        request = notice_auth.authenticate_notice_request(
            token, self.keys, audience=self.issuer, now=self.clock()
        )

        def work(connection: Connection) -> Told:
            partner = notice_auth.admit_notice_request(connection, request)
            self._told(connection, partner, asked.ack)
            most = min(asked.maxEvents, MOST_POLLED)
            found = notices.waiting(connection, partner, most + 1)
            return Told({row.jti: self._sign(row).decode() for row in found[:most]}, len(found) > most)

        return self.writer.run(work)

    def hand_over(self, partner: str, *, told: bool) -> list[bytes]:
        """The notices for a partner, for the operator to hand over by another way.

        Args:
            partner: its issuer.
            told: whether the partner has them by now; they are owed no more.

        Raises:
            Rejected: no such partner.
        """

        def work(connection: Connection) -> list[bytes]:
            number = keys.partner_id(connection, partner)
            found = notices.waiting(connection, number, MOST_POLLED)
            if told:
                self._told(connection, number, [row.jti for row in found])
            return [self._sign(row) for row in found]

        return self.writer.run(work)

    def owed(self) -> list[Owed]:
        """What partners were not told yet, and by when they have to be."""
        with read_transaction(self.engine) as connection:
            return notices.owed(connection)

    def _step(self, number: int, what: What, by: str, words: str) -> Dispute:
        step = Step(what, self.clock(), by, words.strip())
        return self.writer.run(lambda connection: dispute_store.take_step(connection, number, step))

    def _told(self, connection: Connection, partner: int, jtis: Sequence[str]) -> None:
        at = self.clock()
        for number, event in notices.told(connection, partner, jtis, at):
            dispute_store.heard(connection, number, event, at)

    def _sign(self, row: Row[Any]) -> bytes:
        """A notice as a token: the same bytes each time, while the hub's key is the same."""
        return sign_event(
            EventType(row.event),
            msgspec.Raw(row.payload),
            self.signer,
            issuer=self.issuer,
            audience=row.issuer,
            now=from_micros(row.created_at),
            jti=row.jti,
            sub_id=SubjectId(row.subject),
        )
