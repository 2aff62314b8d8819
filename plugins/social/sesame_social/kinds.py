"""What a community site may say of a member."""

from sesame_sdk import Evidence, Polarity, Sensitivity, SignalKind

#: Own conduct on a platform, as a term of DPV's personal data categories.
CATEGORY = "https://w3id.org/dpv/pd#SocialBehaviour"

HELPFUL = SignalKind(
    name="community.post.helpful",
    context="community",
    unit="post",
    evidence=Evidence.OBSERVED,
    polarity=Polarity.REWARD,
    sensitivity=Sensitivity.ORDINARY,
    reason="Posts of yours that helped other people",
    categories=(CATEGORY,),
    sources=("our own site",),
)
USEFUL = SignalKind(
    name="community.post.useful",
    context="community",
    unit="post",
    evidence=Evidence.INFERRED,
    polarity=Polarity.REWARD,
    sensitivity=Sensitivity.ORDINARY,
    reason="Posts of yours that explain something, by their form",
    categories=(CATEGORY,),
    sources=("our own site",),
)
ABUSE = SignalKind(
    name="community.abuse.confirmed",
    context="community",
    unit="post",
    evidence=Evidence.OBSERVED,
    polarity=Polarity.BOTH,
    sensitivity=Sensitivity.ORDINARY,
    reason="Abuse of the site that a moderator confirmed",
    categories=(CATEGORY,),
    sources=("our own site",),
)
KINDS = (HELPFUL, USEFUL, ABUSE)
