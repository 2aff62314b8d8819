"""Findings, why the guard refuses or warns, and their form as problem details (RFC 9457)."""

from datetime import date
from enum import StrEnum
from typing import Final

from attrs import field, frozen

from sesame_sdk.errors import GuardRefusedError
from sesame_sdk.model import validators

#: Permanent id of this type of problem (RFC 9457 section 3.1.1), not an address.
REFUSED: Final = "urn:sesame-sdk:refused"
TITLE: Final = "Refused by the guard"


class Action(StrEnum):
    """The effect of a finding: a refusal, a question that a person must review, or a warning."""

    REFUSE = "refuse"
    REVIEW = "review"
    WARN = "warn"


@frozen
class Finding:
    """The finding of one rule, the same in Python, on the command line and over HTTP. Logs have its rule.

    Attributes:
        rule: id, such as ``POL-1``.
        about: what was checked: ``kind retail.order.returned``, ``policy retail-privileges``.
        source: the law or guideline behind the rule.
        dated: when that source was last read.
    """

    rule: str = field(validator=validators.text(16, pattern=r"[A-Z]{2,8}-\d{1,3}", example="POL-1"))
    action: Action = field(validator=validators.instance_of(Action))
    about: str = field(validator=validators.text(200))
    reason: str = field(validator=validators.sentence)
    hint: str = field(validator=validators.sentence)
    source: str = field(validator=validators.text(200))
    dated: date = field(validator=validators.instance_of(date))

    def __str__(self) -> str:
        return f"{self.rule} {self.about}: {self.reason} [{self.source}]"


def problem(refused: GuardRefusedError, **members: object) -> dict[str, object]:
    """A refusal as problem details, for HTTP, logs and ``--json``; `members` are further ones."""
    details: dict[str, object] = {"type": REFUSED, "title": TITLE, "detail": str(refused)}
    return details | members | {"findings": refused.findings}
