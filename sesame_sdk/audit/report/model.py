"""What an audit found: nouns that text, JSON and the page are made of. No arithmetic here, and no person.

Every picture's data is a noun of its own, and prints as a table as well as it draws.
"""

from attrs import field, frozen

from sesame_sdk.audit.metrics.measurement import Measurement, Verdict
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.score import Score


@frozen
class Spread:
    """How the scores of each group lie over the range.

    Attributes:
        edges: of the bins, in points, rising; one more than there are bins.
        shares: for each group, the share of its people in each bin; they add up to 1.
        medians: for each group, in points.
    """

    edges: tuple[float, ...]
    shares: dict[str, tuple[float, ...]]
    medians: dict[str, float]


@frozen
class Curve:
    """How much of all the attention of a ranking each group has had by each rank.

    Attributes:
        ranks: from 1, rising.
        shares: for each group, its share of the exposure up to that rank.
        people: for each group, its share of the people: where the curves would lie in a fair ranking.
    """

    ranks: tuple[int, ...]
    shares: dict[str, tuple[float, ...]]
    people: dict[str, float]


@frozen
class Reward:
    """What one kind came to among the simulated people.

    Attributes:
        kind: its name.
        reason: the policy's words for it.
        mean: points that it added or took, over everybody who has a score.
        least: the most that it took from anybody; 0 or less.
        most: the most that it gave to anybody.
        reached: share of those people whom it moved at all.
    """

    kind: str
    reason: str
    mean: float
    least: float
    most: float
    reached: float


@frozen
class Choices:
    """One free choice, before and after people adapt to the policy.

    Attributes:
        topic: what is chosen: "what to write about".
        options: the names of the options.
        before: the share of people who choose each.
        after: the same, once they know what the policy rewards.
    """

    topic: str
    options: tuple[str, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]


@frozen
class Simulation:
    """What the simulated people came to.

    Attributes:
        people: how many.
        scored: how many of them have a score.
        seed: with which the same people are made again.
        days: how long they were watched.
        spread: scores by group.
        curve: exposure by group.
        typical: the score of whoever stands in the middle, with its reasons.
        rewards: what the policy rewards, biggest mean first.
        choices: free choices before and after adaptation.
        measured: every metric.
    """

    people: int
    scored: int
    seed: int
    days: int
    spread: Spread
    curve: Curve
    typical: Score
    rewards: tuple[Reward, ...]
    choices: tuple[Choices, ...]
    measured: tuple[Measurement, ...]


@frozen
class Moved:
    """How one group fares under the new policy.

    Attributes:
        people: how many of the group have a score under both.
        rise: share of them whose score rises.
        fall: share of them whose score falls.
        mean: points that the group gains on average.
        worst: the largest fall, in points; 0 or less.
    """

    people: int
    rise: float
    fall: float
    mean: float
    worst: float


@frozen
class Change:
    """What a new policy does to the people of an old one.

    Attributes:
        old: the policy before.
        groups: how each group fares; "everybody" first.
        edges: of the bins of gained points, rising; one more than there are bins.
        shares: share of the people in each bin.
        bands_before: names of the old bands, lowest first.
        bands_after: names of the new bands, lowest first.
        crossings: for each old band, the share of its people in each new band.
        gained: people who have a score only under the new policy.
        lost: people who have a score only under the old one.
        psi: the stability metric between the two.
    """

    old: Policy
    groups: dict[str, Moved]
    edges: tuple[float, ...]
    shares: tuple[float, ...]
    bands_before: tuple[str, ...]
    bands_after: tuple[str, ...]
    crossings: tuple[tuple[float, ...], ...]
    gained: int
    lost: int
    psi: Measurement


@frozen
class Report:
    """The whole audit of a policy.

    Attributes:
        name: the file that was audited, as errors call it.
        policy: what it holds; None where the guard refused: what may not be loaded is not there.
        findings: the guard's, and those of the metrics; refusals first.
        simulation: None where the guard refused: what may not be loaded is not played either.
        change: what it does to the people of an older policy, if one was given.
    """

    name: str
    policy: Policy | None
    findings: tuple[Finding, ...] = ()
    simulation: Simulation | None = None
    change: Change | None = field(default=None)

    @property
    def refused(self) -> bool:
        """Whether anything refuses."""
        return any(finding.action is not Action.WARN for finding in self.findings)

    @property
    def verdict(self) -> Verdict:
        """The worst of all."""
        if self.refused:
            return Verdict.REFUSE
        return Verdict.WARN if self.findings else Verdict.CLEAN
