"""Every metric of an audit: formula, thresholds, source and hint.

The thresholds are conventions or choices of ours. None says that a policy is lawful.
"""

from typing import Final

from sesame_sdk.audit.metrics.measurement import Metric, Side, Threshold, Verdict

IMPACT_RATIO: Final = Metric(
    id="DIS-1",
    title="impact ratio",
    formula="share selected in a group / the highest share of any group",
    thresholds=(Threshold(Verdict.WARN, Side.BELOW, 0.80), Threshold(Verdict.REFUSE, Side.BELOW, 0.60)),
    hint="find the kind in which the groups differ most, and lower its cap or leave it out",
    source="29 CFR 1607.4(D), as a convention; refusal below 0.60 is our choice",
)
EXPOSURE: Final = Metric(
    id="EXPO-1",
    title="ranking exposure",
    formula="mean 1 / log2(1 + rank) of a group; lowest / highest",
    thresholds=(Threshold(Verdict.WARN, Side.BELOW, 0.80),),
    hint="let the score weigh less in the order",
    source="Singh and Joachims 2018, Fairness of Exposure in Rankings; the bound as in 29 CFR 1607.4(D)",
)
FAIR_RANKING: Final = Metric(
    id="FAIR-1",
    title="least surplus of a group in any top-k of the ranking",
    formula="members in the top j less the smallest m with BinomCDF(m; j, p) > alpha, lowest over j",
    thresholds=(Threshold(Verdict.WARN, Side.BELOW, 0.0),),
    hint="let the score weigh less in the order, or take from each group in turn",
    source="Zehlike et al. 2017, FA*IR: A Fair Top-k Ranking Algorithm",
    value_format=".0f",
)
STABILITY: Final = Metric(
    id="PSI-1",
    title="population stability index",
    formula="sum over ten bins of (actual - expected) * ln(actual / expected)",
    thresholds=(Threshold(Verdict.WATCH, Side.FROM, 0.10), Threshold(Verdict.WARN, Side.FROM, 0.25)),
    hint="check which kinds moved: people's behaviour, or what partners send",
    source="a convention of credit scoring; Yurdakul 2018, Statistical Properties of the PSI",
    row_noun="bin",
)
VOLATILITY: Final = Metric(
    id="VOL-1",
    title="largest fall from one event",
    formula="most points that one event can take / range of the policy",
    thresholds=(Threshold(Verdict.WARN, Side.ABOVE, 0.05),),
    hint="raise the floor of the kind, or lower its weight",
    source="our choice",
    row_noun="kind",
    value_format=".1%",
)
CONFORMITY_WEIGHT: Final = Metric(
    id="CNF-1",
    title="weight on expression, taste and associates",
    formula="sum of |weight| on expression, taste and associates / sum of all |weight|",
    thresholds=(Threshold(Verdict.REFUSE, Side.ABOVE, 0.0),),
    hint="leave those kinds out: rewarding conformity is the same pressure as punishing its lack",
    source="our choice, after C(2025) 5052, 165-169",
    row_noun="kind",
    value_format=".1%",
)
CONFORMITY_LOSS: Final = Metric(
    id="CNF-2",
    title="loss of variety in free choices",
    formula="1 - entropy of simulated people's free choices after they adapt / before",
    thresholds=(Threshold(Verdict.WARN, Side.ABOVE, 0.01), Threshold(Verdict.REFUSE, Side.ABOVE, 0.05)),
    hint="leave out the kind that people would change their behaviour for",
    source="our choice, after Hardt et al. 2016, Strategic Classification",
    row_noun="choice",
    value_format=".1%",
)
SOCIAL_BURDEN: Final = Metric(
    id="BRD-1",
    title="social burden",
    formula="mean least cost to pass of the qualified in a group; highest / lowest",
    thresholds=(Threshold(Verdict.WARN, Side.ABOVE, 1.25),),
    hint="add a way to the same points that costs the disadvantaged group less",
    source="Milli et al. 2019, The Social Cost of Strategic Classification; the bound is our choice",
    value_format=".2f",
)
PARTNER_INFLUENCE: Final = Metric(
    id="PTN-1",
    title="influence of one partner",
    formula="most points that one partner can move a score, up or down / range of the policy",
    thresholds=(Threshold(Verdict.WARN, Side.ABOVE, 0.15),),
    hint="lower partner_cap of the kinds that weigh most",
    source="our choice",
    row_noun="kind",
    value_format=".1%",
)
DATA_EXPOSURE: Final = Metric(
    id="DATA-1",
    title="data exposure",
    formula="recipients * fields * days / the least that the purpose needs",
    thresholds=(Threshold(Verdict.WARN, Side.ABOVE, 1.0),),
    hint="send fewer fields, to fewer partners, for fewer days",
    source="GDPR 5(1)(c)",
    row_noun="purpose",
    value_format=".2f",
)

METRICS: Final[tuple[Metric, ...]] = (
    IMPACT_RATIO,
    EXPOSURE,
    FAIR_RANKING,
    STABILITY,
    VOLATILITY,
    CONFORMITY_WEIGHT,
    CONFORMITY_LOSS,
    SOCIAL_BURDEN,
    PARTNER_INFLUENCE,
    DATA_EXPOSURE,
)
