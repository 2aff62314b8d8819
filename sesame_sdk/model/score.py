"""A score and its contributions. No score is ``None``, never a low score."""

from datetime import date

from attrs import field, frozen

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import validators


@frozen
class Contribution:
    """The contribution of one kind to a score.

    Attributes:
        kind: name of the kind; empty for the limitation to the policy's range.
        hundredths: whole hundredths of a point, so that contributions add up exactly.
        code: the policy's reason code, or the observation's id; empty for the limitation to the range.
    """

    kind: str
    hundredths: int
    reason: str
    code: str = ""

    @property
    def points(self) -> float:
        """Its points."""
        return self.hundredths / 100


@frozen
class Score:
    """A person's score in one context on one day.

    Attributes:
        points: within the policy's range, in hundredths exactly.
        as_of: the UTC day at whose start it was computed.
        policy: digest of the policy that made it.
        base: points of a new person.
        contributions: negative ones first, then positive ones, each by size; the limitation to the range
            comes last. Empty for a consumer; otherwise base and contributions add up to points exactly.
    """

    points: float = field(validator=validators.finite)
    band: str = field(validator=validators.text(32))
    as_of: date = field(validator=validators.instance_of(date))
    policy: str = field(validator=validators.text(64))
    base: float = field(validator=validators.finite)
    contributions: tuple[Contribution, ...] = field(default=(), validator=validators.tuple_of(Contribution))

    def __attrs_post_init__(self) -> None:
        if self.contributions:
            total = round(self.base * 100) + sum(part.hundredths for part in self.contributions)
            if total != round(self.points * 100):
                raise InvalidInputError(
                    "base and contributions do not add up to the points", field="contributions"
                )
