"""What the classifier says about a post: seven attributes, each with its own probability and threshold."""

from enum import StrEnum


class Attribute(StrEnum):
    """An attribute of a post. The names are those of Perspective, except `SCAM`.

    `TOXICITY` is what a moderator would act on: abuse of a person or a group in any of the next three ways.
    `PROFANITY` alone is no abuse. Opinions have no attribute.
    """

    TOXICITY = "TOXICITY"
    """Abuse: threats, harassment and insults of persons, or hatred of a group."""
    IDENTITY_ATTACK = "IDENTITY_ATTACK"
    """Hatred of people for what they are: gender, origin, faith, orientation, disability."""
    INSULT = "INSULT"
    """An insult of persons."""
    THREAT = "THREAT"
    """A wish or intention to harm persons."""
    PROFANITY = "PROFANITY"
    """Coarse words, whether or not they are aimed at anybody."""
    SPAM = "SPAM"
    """Unwanted advertising, scams included."""
    SCAM = "SCAM"
    """An attempt to get money or data by deceit."""
