"""`MemoryHub`, the facade over this room; it satisfies `sesame_sdk.testing.any_hub.AnyHub`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import evolve

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.guard.rules.score_influence import contexts_that_count
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model import codec
from sesame_sdk.model.finding import Action
from sesame_sdk.model.grant import Direction, Grant
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.score import Score
from sesame_sdk.model.signals import Signal
from sesame_sdk.signing.keys import SigningKey, jwk_set
from sesame_sdk.testing.memory import readers
from sesame_sdk.testing.memory.consents import Consents
from sesame_sdk.testing.memory.door import Door
from sesame_sdk.testing.memory.kept import Arrival, Kept, Telling
from sesame_sdk.testing.memory.parties import Parties
from sesame_sdk.testing.memory.readers import Readers, Request
from sesame_sdk.testing.memory.registered import Registered
from sesame_sdk.testing.memory.scores import score_of


class MemoryHub:
    """A hub for tests: takes envelopes and registrations, keeps grants and policies, gives scores.

    Args:
        issuer: its URL.
        clock: says what time it is, in UTC.
        rules: further rules for the guard.
    """

    def __init__(
        self,
        issuer: str = "https://hub.example",
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        rules: Iterable[GuardRule] = (),
    ) -> None:
        self.issuer = issuer
        self._clock = clock
        self._guard = Guard(rules)
        self._signer = SigningKey.generate()
        self._parties = Parties()
        self._registered = Registered(self._void)
        self._consents = Consents()
        self._kept = Kept(self._void)
        self._policies: dict[str, Policy] = {}
        self._readers = Readers()
        self._door = Door(
            issuer,
            self._signer,
            clock,
            self._guard,
            self._parties,
            self._registered,
            self._consents,
            self._kept,
            self._policies,
        )

    def receive(self, body: bytes) -> bytes:
        """Take an envelope of signals or a registration; answer with a signed receipt.

        Raises:
            InvalidInputError: with a code of RFC 8935 section 2.4.
            Refused: a registration, by the guard.
        """
        return self._door.receive(body)

    def read_scores(self, token: bytes, subjects: Sequence[str]) -> dict[str, Score | None]:
        """The scores of people, for a reader; None for whoever is unknown, did not agree, or has no score.

        Raises:
            InvalidInputError: the token is not believed, or the reader may not read for this purpose at all.
            Refused: nobody may read for it.
        """
        request = self._readers.believe(token, self._parties, self.issuer, self._clock())
        policy = self._policies.get(request.context)
        policy = readers.admit(request, subjects, self._registered, policy, self._guard)
        self._readers.use_up(request)
        return {subject: self._score(request, subject, policy) for subject in subjects}

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """Its public keys, by which receipts are verified."""
        return jwk_set([self._signer.public_jwk])

    def add_partner(
        self, issuer: str, jwks: Iterable[Mapping[str, Any]], *, not_before: datetime | None = None
    ) -> None:
        """Admit a partner, or give one further keys. Raises `InvalidInputError` as `Parties.add` does."""
        if issuer == self.issuer:
            raise InvalidInputError("is this hub itself", field="issuer")
        self._parties.add(issuer, jwks, not_before or self._clock())

    def revoke_key(self, issuer: str, kid: str, at: datetime) -> None:
        """Refuse a key from `at` on; what it signed and came in since counts no more."""
        self._parties.revoke(issuer, kid, at)

    def set_policy(self, policy: Policy) -> None:
        """Make a policy the one of its context.

        Raises:
            Refused: by the guard, looking also at the kinds that are registered.
            InvalidInputError: its digest is not that of its rules.
        """
        self._guard.admit_policy(policy, self._registered.declarations())
        digest = codec.policy_digest(policy)
        if policy.digest not in ("", digest):
            raise InvalidInputError("is not that of the policy", field="digest", hint="load the policy again")
        self._policies[policy.context] = evolve(policy, digest=digest)

    def add_grants(self, told: Iterable[tuple[str, Grant]]) -> int:
        """Record what people agreed to, all or none; how many grants were new.

        Raises:
            Refused: by the guard.
            InvalidInputError: a partner is unknown, or a pseudonym belongs to another person.
        """
        given = list(told)
        for _, grant in given:
            self._parties.check(grant.partner)
        return self._consents.add(given)

    def withdraw(self, person: str, partner: str, direction: Direction | None = None) -> int:
        """End what a person granted to a partner, from now on; how many grants that ended."""
        self._parties.check(partner)
        return self._consents.withdraw(person, partner, direction, self._clock())

    def signals(self, issuer: str) -> list[Signal]:
        """What is kept of a partner's signals and did not fall with a key, for a test to look at."""
        return [one.signal for one in self._kept.standing() if one.arrival.issuer == issuer]

    def _score(self, request: Request, subject: str, policy: Policy) -> Score | None:
        person = self._consents.owner(request.issuer, subject)
        grant = self._consents.to_read(request.issuer, subject, request.purpose, request.context, request.at)
        if person is None or grant is None:
            return None
        findings = self._guard.read(evolve(request.reading, grant=grant))
        if any(finding.action is not Action.WARN for finding in findings):
            return None
        contexts = contexts_that_count(grant)
        mine = [one for one in self._kept.standing() if one.person == person]
        counting = [one for one in mine if self._counts(one, contexts, request.at)]
        return score_of(counting, policy, request.at.date())

    def _counts(self, telling: Telling, contexts: frozenset[str], at: datetime) -> bool:
        issuer, name = telling.arrival.issuer, telling.signal.kind
        kind = self._registered.kinds(issuer).get(name)
        granted = self._consents.may_count(telling.person, issuer, name, at)
        return kind is not None and kind.context in contexts and granted

    def _void(self, arrival: Arrival) -> bool:
        return self._parties.void(arrival.issuer, arrival.kid, arrival.received_at)
