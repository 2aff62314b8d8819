"""Rules on who may read and why: PUR-1 to PUR-6, CON-1."""

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from sesame_sdk.guard.purposes import refusing_rule
from sesame_sdk.guard.subject import READ_ON, clipped, of_consumer, of_policy, of_reading
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.grant import Direction, Grant, Reading
from sesame_sdk.model.party import ConsumerDeclaration
from sesame_sdk.model.policy import Policy


class PurposeRule(GuardRule):
    """A rule that refuses one family of purposes, wherever a purpose is stated."""

    dated: ClassVar[date] = READ_ON
    reason: ClassVar[str]
    mend: ClassVar[str] = "scores are not for this; drop the purpose"

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a policy made for such a purpose."""
        for purpose in sorted(set(policy.purposes)):
            yield from self._judge(of_policy(policy), purpose)

    def check_consumer(self, consumer: ConsumerDeclaration) -> Iterator[Finding]:
        """Refuse a consumer that reads for such a purpose."""
        yield from self._judge(of_consumer(consumer), consumer.purpose)

    def check_read(self, reading: Reading) -> Iterator[Finding]:
        """Refuse a read for such a purpose."""
        yield from self._judge(of_reading(reading), reading.purpose)

    def _judge(self, about: str, purpose: str) -> Iterator[Finding]:
        if refusing_rule(purpose) == self.id:
            named = clipped(purpose, 100).strip() or "(empty)"
            yield self.refuse(about, f"{self.reason}: {named}", self.mend)


class StatedPurpose(PurposeRule):
    """PUR-1: a purpose is stated, known, and the one that the person agreed to."""

    id = "PUR-1"
    source = "GDPR 5(1)(b), 6(4)"
    reason = "this is not a purpose that scores may be read for"
    mend = "state one of the allowed purposes by its whole IRI"

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a policy without a purpose, or with one that is not allowed."""
        yield from super().check_policy(policy)
        if not policy.purposes:
            yield self.refuse(of_policy(policy), "it does not say what its score may be read for", self.mend)

    def check_read(self, reading: Reading) -> Iterator[Finding]:
        """Refuse a read whose purpose is not allowed, or is not that of the grant."""
        yield from super().check_read(reading)
        if reading.grant is not None and reading.grant.purpose != reading.purpose:
            reason = "the person agreed to another purpose"
            yield self.refuse(
                of_reading(reading), reason, "ask the person for this purpose, or read for theirs"
            )


class Work(PurposeRule):
    """PUR-2: hiring, firing, judging work."""

    id = "PUR-2"
    source = "AIA annex III(4); GL 168"
    reason = "a score may not decide on somebody's work"


class PublicServices(PurposeRule):
    """PUR-3: public services, benefits, policing, justice, migration, voting."""

    id = "PUR-3"
    source = "AIA annex III(5)(a), (6)-(8); GL 167-168"
    reason = "a score may not serve the state against a person, nor open or close public services"


class Essentials(PurposeRule):
    """PUR-4: internet access or speed, housing, utilities, health, school, transport; also as a reward."""

    id = "PUR-4"
    source = "GL 168; AIA annex III(3), (5)"
    reason = "a score may not decide on what people need to live, not even as a reward"


class Money(PurposeRule):
    """PUR-5: credit, insurance."""

    id = "PUR-5"
    source = "Directive 2023/2225 art. 18(3); GL 170, 182"
    reason = "a score may not decide on credit or insurance"


class Resale(PurposeRule):
    """PUR-6: resale, onward sharing."""

    id = "PUR-6"
    source = "GDPR 5(1)(b)"
    reason = "a score may not be sold or passed on"


class Consent(GuardRule):
    """CON-1: the person's consent stands at this moment, and covers this reader and this score."""

    id = "CON-1"
    source = "GDPR 7(3)"
    dated = READ_ON

    def check_read(self, reading: Reading) -> Iterator[Finding]:
        """Refuse a read without a valid grant."""
        # One wording for every way of failing: the answer must not tell who is known here.
        if reading.grant is None or not _covers(reading.grant, reading):
            reason = "there is no consent to this read that is valid now"
            yield self.refuse(of_reading(reading), reason, "ask the person to grant it")


def _covers(grant: Grant, reading: Reading) -> bool:
    return (
        grant.direction is Direction.READ
        and grant.partner == reading.partner
        and grant.context == reading.context
        and grant.valid(reading.at)
    )
