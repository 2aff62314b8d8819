"""A score and its reasons. Where a person has none, the answer is ``None``, never a low one."""

from datetime import date

from attrs import field, frozen, validators

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import validators as model_validators


@frozen
class Contribution:
    """What one kind added or took.

    Attributes:
        kind: name of the kind; empty for the part that the policy's range cut off.
        hundredths: hundredths of a point; whole, so that all of them add up exactly.
        reason: the policy's words for it.
        code: the policy's reason code; the kind's name where it has none; empty for what the range cut off.
    """

    kind: str
    hundredths: int
    reason: str
    code: str = ""

    @property
    def points(self) -> float:
        """The same in points."""
        return self.hundredths / 100


@frozen
class Score:
    """A person's score in one context on one day.

    Attributes:
        points: within the policy's range, in hundredths exactly.
        band: name of the band that the points fall in.
        as_of: the UTC day at whose start it was computed.
        policy: digest of the policy that made it.
        base: what the policy starts everybody at.
        contributions: the reasons: first what took points, the most first; then what lifted, the most first;
            what the range cut off comes last. Either empty (a consumer sees none), or base and reasons add up
            to points exactly.
    """

    points: float = field(validator=model_validators.finite)
    band: str = field(validator=model_validators.text(32))
    as_of: date = field(validator=validators.instance_of(date))
    policy: str = field(validator=model_validators.text(64))
    base: float = field(validator=model_validators.finite)
    contributions: tuple[Contribution, ...] = field(
        default=(), validator=model_validators.tuple_of(Contribution)
    )

    def __attrs_post_init__(self) -> None:
        if self.contributions:
            total = round(self.base * 100) + sum(part.hundredths for part in self.contributions)
            if total != round(self.points * 100):
                raise InvalidInputError(
                    "base and contributions do not add up to the points", field="contributions"
                )
