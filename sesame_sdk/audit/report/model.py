"""The data of a report, from which text, JSON and HTML are made. It holds no person, and computes nothing."""

from attrs import field, frozen

from sesame_sdk.audit.metrics.measurement import Measurement, Verdict
from sesame_sdk.audit.simulation.simulate import FreeChoice
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.score import Score


@frozen
class ScoreDistribution:
    """The distribution of the scores of each group."""

    edges: tuple[float, ...]  # of the bins, in points, rising; one more than there are bins
    shares: dict[str, tuple[float, ...]]  # of each group's people in each bin; they add up to 1
    medians: dict[str, float]  # in points


@frozen
class ExposureByRank:
    """Each group's share of a ranking's attention, down to each rank."""

    ranks: tuple[int, ...]  # from 1, rising
    shares: dict[str, tuple[float, ...]]  # for each group, its share of the exposure up to that rank
    people: dict[str, float]  # each group's share of the people: the level of the curve in a fair ranking


@frozen
class KindReward:
    """The points that one kind brings the simulated people who have a score."""

    kind: str
    reason: str
    mean_points: float
    min_points: float  # the most that it takes from a person; 0 or less
    max_points: float  # the most that it gives a person
    share_affected: float  # share of those people whose score it changes


@frozen
class SimulationSummary:
    """The summary of a simulation."""

    people: int
    scored: int  # people who have a score
    seed: int
    days: int
    distribution: ScoreDistribution
    exposure: ExposureByRank
    typical_score: Score  # of the median person
    rewards: tuple[KindReward, ...]  # highest mean first
    choices: tuple[FreeChoice, ...]
    metrics: tuple[Measurement, ...]


@frozen
class GroupChange:
    """The effect of a new policy on one group's members with a score under both policies, in points."""

    people: int
    share_rising: float
    share_falling: float
    mean_change: float  # points that the group gains on average
    largest_fall: float  # in points; 0 or less


@frozen
class PolicyChange:
    """The effect of a new policy on the people scored by an old one."""

    old_policy: Policy
    groups: dict[str, GroupChange]  # all people first
    edges: tuple[float, ...]  # of the bins of gained points, rising; one more than there are bins
    shares: tuple[float, ...]  # of the people in each bin
    bands_before: tuple[str, ...]  # lowest first
    bands_after: tuple[str, ...]  # lowest first
    band_transitions: tuple[tuple[float, ...], ...]  # share of each old band's people in each new one
    gained_score: int  # people who have a score only under the new policy
    lost_score: int  # people who have a score only under the old one
    psi: Measurement


@frozen
class Report:
    """The audit of a policy, without `policy` and `simulation` if the guard refused it; refusals first."""

    name: str
    policy: Policy | None
    findings: tuple[Finding, ...] = ()
    simulation: SimulationSummary | None = None
    change: PolicyChange | None = field(default=None)

    @property
    def refused(self) -> bool:
        """Whether any finding refuses."""
        return any(finding.action is Action.REFUSE for finding in self.findings)

    @property
    def verdict(self) -> Verdict:
        """The verdict of the worst finding."""
        if self.refused:
            return Verdict.REFUSE
        return Verdict.WARN if self.findings else Verdict.CLEAN
