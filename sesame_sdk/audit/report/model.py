"""The data of a report, from which text, JSON and HTML are made. It holds no person, and computes nothing.

The data of each chart is a class of its own, and can be printed as a table too.
"""

from attrs import field, frozen

from sesame_sdk.audit.metrics.measurement import Measurement, Verdict
from sesame_sdk.audit.simulation.adaptation import FreeChoice
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.score import Score


@frozen
class ScoreDistribution:
    """The distribution of the scores of each group.

    Attributes:
        edges: of the bins, in points, rising; one more than there are bins.
        shares: for each group, the share of its people in each bin; they add up to 1.
        medians: for each group, in points.
    """

    edges: tuple[float, ...]
    shares: dict[str, tuple[float, ...]]
    medians: dict[str, float]


@frozen
class ExposureByRank:
    """Each group's share of a ranking's attention, down to each rank.

    Attributes:
        ranks: from 1, rising.
        shares: for each group, its share of the exposure up to that rank.
        people: for each group, its share of the people: the level of the curve in a fair ranking.
    """

    ranks: tuple[int, ...]
    shares: dict[str, tuple[float, ...]]
    people: dict[str, float]


@frozen
class KindReward:
    """The points that one kind brings the simulated people.

    Attributes:
        kind: its name.
        reason: the policy's text for it.
        mean_points: points that it adds or takes, over all people with a score.
        min_points: the most that it takes from a person, negative; 0 or less.
        max_points: the most that it gives a person.
        share_affected: share of those people whose score it changes.
    """

    kind: str
    reason: str
    mean_points: float
    min_points: float
    max_points: float
    share_affected: float


@frozen
class SimulationSummary:
    """The summary of a simulation.

    Attributes:
        people: how many.
        scored: how many of them have a score.
        seed: the same seed makes the same people.
        days: simulated time.
        distribution: scores by group.
        exposure: exposure by group.
        typical_score: the median person's score, with its reasons.
        rewards: points by kind, biggest mean first.
        choices: free choices before and after adaptation.
        metrics: every metric.
    """

    people: int
    scored: int
    seed: int
    days: int
    distribution: ScoreDistribution
    exposure: ExposureByRank
    typical_score: Score
    rewards: tuple[KindReward, ...]
    choices: tuple[FreeChoice, ...]
    metrics: tuple[Measurement, ...]


@frozen
class GroupChange:
    """The effect of a new policy on one group.

    Attributes:
        people: members with a score under both policies.
        share_rising: share of them whose score rises.
        share_falling: share of them whose score falls.
        mean_change: points that the group gains on average.
        largest_fall: the largest fall, in points; 0 or less.
    """

    people: int
    share_rising: float
    share_falling: float
    mean_change: float
    largest_fall: float


@frozen
class PolicyChange:
    """The effect of a new policy on the people scored by an old one.

    Attributes:
        old_policy: the policy before.
        groups: the effect on each group; all people first.
        edges: of the bins of gained points, rising; one more than there are bins.
        shares: share of the people in each bin.
        bands_before: names of the old bands, lowest first.
        bands_after: names of the new bands, lowest first.
        band_transitions: for each old band, the share of its people in each new band.
        gained_score: people who have a score only under the new policy.
        lost_score: people who have a score only under the old one.
        psi: the stability metric between the two.
    """

    old_policy: Policy
    groups: dict[str, GroupChange]
    edges: tuple[float, ...]
    shares: tuple[float, ...]
    bands_before: tuple[str, ...]
    bands_after: tuple[str, ...]
    band_transitions: tuple[tuple[float, ...], ...]
    gained_score: int
    lost_score: int
    psi: Measurement


@frozen
class Report:
    """The audit of a policy.

    Attributes:
        name: the audited file.
        policy: the policy; None if the guard refused it.
        findings: the guard's, and those of the metrics; refusals first.
        simulation: None if the guard refused the policy.
        change: against an older policy, if one was given.
    """

    name: str
    policy: Policy | None
    findings: tuple[Finding, ...] = ()
    simulation: SimulationSummary | None = None
    change: PolicyChange | None = field(default=None)

    @property
    def refused(self) -> bool:
        """Whether any finding refuses."""
        return any(finding.action is not Action.WARN for finding in self.findings)

    @property
    def verdict(self) -> Verdict:
        """The verdict of the worst finding."""
        if self.refused:
            return Verdict.REFUSE
        return Verdict.WARN if self.findings else Verdict.CLEAN
