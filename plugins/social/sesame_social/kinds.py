"""What a community site may say of a member."""

from sesame_sdk import Evidence, Polarity, Sensitivity, SignalKind

HELPFUL = SignalKind(
    name="community.post.helpful",
    context="community",
    unit="post",
    evidence=Evidence.OBSERVED,
    polarity=Polarity.REWARD,
    sensitivity=Sensitivity.ORDINARY,
    reason="Posts of yours that helped other people",
)
ABUSE = SignalKind(
    name="community.abuse.confirmed",
    context="community",
    unit="post",
    evidence=Evidence.OBSERVED,
    polarity=Polarity.BOTH,
    sensitivity=Sensitivity.ORDINARY,
    reason="Abuse of the site that a moderator confirmed",
)
KINDS = (HELPFUL, ABUSE)
