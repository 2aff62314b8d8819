"""What people agreed to.

Rules:
    * a partner's pseudonym belongs to one person for good, and a person has one with each partner
    * the same consent told twice is one; told again as withdrawn, it ends, and never later than it did
    * only people who are known to be 18 consent (rule MIN-1)
"""

from collections.abc import Iterable
from datetime import datetime

from attrs import define, evolve, field

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.model.grant import Direction, Grant

LONGEST_REFERENCE = 128
#: Person by partner and pseudonym.
_Names = dict[tuple[str, str], str]
#: When each consent was withdrawn, by person and the consent as it was given.
_Ends = dict[tuple[str, Grant], datetime | None]


@define
class Consents:
    """Consents, in the order in which they were told."""

    _all: _Ends = field(factory=dict)
    _owners: _Names = field(factory=dict)
    _guard: Guard = field(factory=Guard)

    def add(self, told: Iterable[tuple[str, Grant]]) -> int:
        """Record consents, all or none; how many were new.

        Raises:
            Refused: by the guard.
            InvalidInputError: a pseudonym is another person's, or the person has another one.
        """
        recorded, owners = dict(self._all), dict(self._owners)
        for person, grant in told:
            self._guard.admit_grant(grant)
            _tie(owners, person, grant)
            given = (person, evolve(grant, withdrawn_at=None))
            ends = [end for end in (recorded.get(given), grant.withdrawn_at) if end is not None]
            recorded[given] = min(ends, default=None)
        added = len(recorded) - len(self._all)
        self._all, self._owners = recorded, owners
        return added

    def withdraw(self, person: str, partner: str, direction: Direction | None, at: datetime) -> int:
        """End what a person granted to a partner; how many grants that ended."""
        ended = [
            (who, given)
            for (who, given), end in self._all.items()
            if (who, given.partner) == (person, partner)
            and direction in (None, given.direction)
            and (evolve(given, withdrawn_at=end).valid(at) or given.given_at > at)
        ]
        self._all |= dict.fromkeys(ended, at)
        return len(ended)

    def owner(self, partner: str, subject: str) -> str | None:
        """The person behind a partner's pseudonym."""
        return self._owners.get((partner, subject))

    def sendable(self, partner: str, subject: str, at: datetime) -> frozenset[str]:
        """The kinds that a partner may send about a pseudonym now."""
        mine = self._valid(partner, subject, Direction.SEND, at)
        return frozenset(kind for grant in mine for kind in grant.kinds)

    def may_count(self, person: str, partner: str, kind: str, at: datetime) -> bool:
        """Whether a person lets a partner say a kind now."""
        return any(
            kind in self.sendable(partner, subject, at)
            for (issuer, subject), owner in self._owners.items()
            if (issuer, owner) == (partner, person)
        )

    def to_read(self, partner: str, subject: str, purpose: str, context: str, at: datetime) -> Grant | None:
        """The latest consent that covers a read, if one does."""
        covering = [
            grant
            for grant in self._valid(partner, subject, Direction.READ, at)
            if (grant.purpose, grant.context) == (purpose, context)
        ]
        return max(reversed(covering), key=lambda grant: grant.given_at, default=None)

    def _valid(self, partner: str, subject: str, direction: Direction, at: datetime) -> list[Grant]:
        wanted = (partner, subject, direction)
        told = (
            evolve(given, withdrawn_at=end)
            for (_, given), end in self._all.items()
            if (given.partner, given.subject, given.direction) == wanted
        )
        return [grant for grant in told if grant.valid(at)]


def _tie(owners: _Names, person: str, grant: Grant) -> None:
    if not 0 < len(person) <= LONGEST_REFERENCE or not person.strip():
        raise InvalidInputError(f"must be 1 to {LONGEST_REFERENCE} characters", field="person")
    if owners.setdefault((grant.partner, grant.subject), person) != person:
        raise InvalidInputError(
            "belongs to another person already", field="subject", hint="check whose it is"
        )
    if sum(1 for (partner, _), owner in owners.items() if (partner, owner) == (grant.partner, person)) > 1:
        raise InvalidInputError(
            "the partner knows this person by another pseudonym already", field="subject", hint="use that one"
        )
