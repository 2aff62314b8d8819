"""Reports made by hand: plausible numbers, and the corners that a simulation seldom reaches."""

import math
from datetime import date
from itertools import pairwise
from typing import Any

from attrs import evolve

from sesame_sdk.audit.metrics import definitions
from sesame_sdk.audit.metrics.measurement import Measurement, Metric, Row, make_finding
from sesame_sdk.audit.report.model import (
    ExposureByRank,
    FreeChoice,
    GroupChange,
    KindReward,
    PolicyChange,
    Report,
    ScoreDistribution,
    SimulationSummary,
)
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.model.score import Contribution, Score
from tests.guard.builders import GOOD_POLICY, policy

TODAY = date(2026, 11, 1)
EDGES = tuple(400.0 + 20 * step for step in range(21))
RANKS = (1, 2, 3, 5, 8, 12, 20, 35, 60, 100, 180, 320, 560, 1000, 1800, 3200)
GROUPS = {"buys often": 604.0, "buys now and then": 571.5, "new here": 556.0}

REFUSAL = Finding(
    "POL-1",
    Action.REFUSE,
    "kind social.post.protest",
    "it scores what people say about politics",
    "leave the kind out",
    "GDPR 9",
    TODAY,
)

#: What somebody wrote who wants the page to run, load, close or turn round something.
HOSTILE = (
    "<script>alert(1)</script>",
    "</title></desc></svg><svg onload=alert(1)>",
    "\"><img src=https://evil.example/x onerror='alert(1)'>",
    "{{ 7 * 7 }}{% include 'page.css' %}",
    "</style><style>*{display:none}",
    "\u202eevil\u202c \x01\x1b[31m\ud800",
    "سمعة العملاء المخلصين",
    "信誉良好的顾客与邻居" * 8,
    "a name without any blank in it " * 3 + "W" * 200,
    "&amp;&lt;b&gt;",
)


def _bell(middle: float, wide: float, edges: tuple[float, ...]) -> tuple[float, ...]:
    below = [0.5 * (1 + math.erf((edge - middle) / wide / math.sqrt(2))) for edge in edges]
    parts = [right - left for left, right in pairwise(below)]
    return tuple(part / sum(parts) for part in parts)


def spread(medians: dict[str, float] = GROUPS) -> ScoreDistribution:
    """Bell-shaped scores, 45 points wide."""
    shares = {group: _bell(median, 45.0, EDGES) for group, median in medians.items()}
    return ScoreDistribution(EDGES, shares, dict(medians))


def curve(groups: tuple[str, ...] = tuple(GROUPS)) -> ExposureByRank:
    """The first group is seen more than its share, the last less."""
    people = {group: 1 / len(groups) for group in groups}
    lean = {group: (len(groups) - 1 - 2 * at) / len(groups) for at, group in enumerate(groups)}
    shares = {
        group: tuple(part * (1 + 0.6 * lean[group] / (1 + math.log(rank))) for rank in RANKS)
        for group, part in people.items()
    }
    return ExposureByRank(RANKS, shares, people)


TYPICAL = Score(
    points=577.3,
    band="ordinary",
    as_of=TODAY,
    policy="digest",
    base=550.0,
    contributions=(
        Contribution("retail.order.completed", 2_450, "Orders that you kept"),
        Contribution("retail.order.reviewed", 600, "Reviews that others found helpful"),
        Contribution("retail.order.returned", -320, "Orders that you sent back"),
    ),
)
REWARDS = (
    KindReward("retail.order.completed", "Orders that you kept", 24.456789, 0.0, 100.0, 0.91),
    KindReward("retail.order.reviewed", "Reviews that others found helpful", 4.1, 0.0, 40.0, 0.23),
    KindReward("retail.order.returned", "Orders that you sent back", -6.30000000004, -50.0, 0.0, 0.34),
)
CHOICES = (
    FreeChoice(
        "what to write about",
        ("the goods", "the shop", "the neighbourhood"),
        (0.5, 0.3, 0.2),
        (0.52, 0.3, 0.18),
    ),
    FreeChoice("where to buy", ("here", "elsewhere"), (0.55, 0.45), (0.64, 0.36)),
)


def measured(
    metric: Metric, value: float | None, *rows: tuple[str, float | None], note: str = ""
) -> Measurement:
    """A metric with rows of label and value."""
    return Measurement(metric, value, tuple(Row(label, line, 1000) for label, line in rows), note)


METRICS = (
    measured(definitions.IMPACT_RATIO, 0.72, ("buys often", 1.0), ("new here", 0.72)),
    measured(definitions.EXPOSURE, 0.91, ("buys often", 1.0), ("new here", 0.91)),
    measured(definitions.FAIR_RANKING, 0.0, ("new here", 0.0)),
    measured(definitions.STABILITY, 0.12, ("up to 560", 0.1), ("above 560", 0.02)),
    measured(
        definitions.VOLATILITY,
        0.0625,
        ("Orders that you sent back", 0.0625),
        ("Reviews that were taken down", 0.021),
        ("Orders that you kept", 0.0),
    ),
    measured(definitions.CONFORMITY_WEIGHT, 0.0),
    measured(definitions.CONFORMITY_LOSS, 0.012, ("where to buy", 0.012), ("what to write about", 0.001)),
    measured(
        definitions.SOCIAL_BURDEN,
        math.inf,
        ("buys often", 2.0),
        ("new here", math.inf),
        note="somebody never can",
    ),
    measured(definitions.PARTNER_INFLUENCE, 0.08, ("Orders that you kept", 0.08)),
    measured(definitions.DATA_EXPOSURE, None, note="no purpose was given"),
)
SIMULATION = SimulationSummary(
    people=100_000,
    scored=83_412,
    seed=7,
    days=730,
    distribution=spread(),
    exposure=curve(),
    typical_score=TYPICAL,
    rewards=REWARDS,
    choices=CHOICES,
    metrics=METRICS,
)
CHANGE_EDGES = tuple(-50.0 + 10 * step for step in range(13))
CHANGE = PolicyChange(
    old_policy=evolve(GOOD_POLICY, version=3),
    groups={
        "all people": GroupChange(80_000, 0.41, 0.12, 5.23, -48.5),
        "buys often": GroupChange(30_000, 0.55, 0.05, 9.1, -20.0),
        "new here": GroupChange(50_000, 0.3, 0.17, -1.25, -48.5),
    },
    edges=CHANGE_EDGES,
    shares=(),
    bands_before=("ordinary", "good"),
    bands_after=("ordinary", "good", "excellent"),
    band_transitions=((0.86, 0.13, 0.01), (0.04, 0.9, 0.06)),
    gained_score=1_204,
    lost_score=0,
    psi=measured(definitions.STABILITY, 0.27, ("up to 560", 0.27)),
)


def report(**changes: Any) -> Report:
    """A policy with warnings, on 100,000 simulated people; with `changes` of the simulation's fields."""
    simulation = evolve(SIMULATION, **changes)
    result = (make_finding(own, "policy retail-privileges") for own in simulation.metrics)
    audited = policy(version=4, bands=GOOD_POLICY.bands)
    return Report("retail.toml", audited, tuple(own for own in result if own), simulation)


def with_change() -> Report:
    """The same, against an older policy."""
    return evolve(report(), change=evolve(CHANGE, shares=_bell(4, 16, CHANGE_EDGES)))


def clean() -> Report:
    """A report without findings."""
    return report(metrics=tuple(own for own in METRICS if own.id in ("EXPO-1", "FAIR-1", "PTN-1")))


def refused() -> Report:
    """Refused by the guard, and so not simulated."""
    return Report("bad.toml", None, (REFUSAL, evolve(REFUSAL, action=Action.WARN, rule="PRC-1")))


def one_group() -> Report:
    """Everybody alike."""
    return report(distribution=spread({"all people": 571.0}), exposure=curve(("all people",)))


def twenty_groups() -> Report:
    """As many as an audit is likely to hold."""
    names = tuple(f"group {number}" for number in range(1, 21))
    medians = {name: 540.0 + 3 * at for at, name in enumerate(names)}
    return report(distribution=spread(medians), exposure=curve(names))


def nothing_scored() -> Report:
    """People who gave nothing to score."""
    blank = ScoreDistribution(EDGES, dict.fromkeys(GROUPS, (0.0,) * 20), {})
    unmeasured = tuple(evolve(own, value=None, rows=()) for own in METRICS)
    start = evolve(TYPICAL, points=550.0, contributions=())
    return report(
        scored=0,
        distribution=blank,
        exposure=ExposureByRank((), {}, {}),
        typical_score=start,
        rewards=(),
        choices=(),
        metrics=unmeasured,
    )


def hostile() -> Report:
    """Every name and reason is an attack."""
    result = tuple(
        Finding("POL-1", Action.REFUSE, text[:200], text, text, text[:200], TODAY) for text in HOSTILE
    )
    groups = tuple(text[:128] for text in HOSTILE)
    named = evolve(GOOD_POLICY, name=HOSTILE[0], bands=GOOD_POLICY.bands)
    parts = tuple(Contribution(f"k{at}", 100 * (at - 4), text) for at, text in enumerate(HOSTILE))
    total = 550 + sum(part.points for part in parts)
    audited = report(
        distribution=spread({name: 560.0 + at for at, name in enumerate(groups)}),
        exposure=curve(groups),
        typical_score=evolve(TYPICAL, points=total, band=HOSTILE[1][:32], contributions=parts),
        rewards=tuple(KindReward(text, text, 1.0, -2.0, 3.0, 0.5) for text in HOSTILE),
        choices=(FreeChoice(HOSTILE[1], HOSTILE, (0.1,) * 10, (0.1,) * 10),),
        metrics=(
            *METRICS[:4],
            measured(definitions.VOLATILITY, 0.06, *((name, 0.06) for name in groups), note=HOSTILE[1]),
        ),
    )
    moved = {name: GroupChange(10, 0.5, 0.5, 0.0, -1.0) for name in groups}
    crossed = evolve(
        CHANGE, old_policy=named, groups=moved, shares=_bell(4, 16, CHANGE_EDGES), bands_before=HOSTILE[:2]
    )
    return evolve(audited, name=HOSTILE[2], policy=named, findings=result, change=crossed)


REPORTS = {
    "warned": report,
    "against an older policy": with_change,
    "clean": clean,
    "refused without a simulation": refused,
    "one group": one_group,
    "twenty groups": twenty_groups,
    "no score": nothing_scored,
    "hostile": hostile,
}
