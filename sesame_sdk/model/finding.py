"""Findings: why the guard refuses or warns."""

from datetime import date
from enum import StrEnum

from attrs import field, frozen, validators

from sesame_sdk.model import validators as model_validators


class Action(StrEnum):
    """The effect of a finding."""

    REFUSE = "refuse"
    WARN = "warn"


@frozen
class Finding:
    """The finding of one rule, the same in Python, on the command line and over HTTP. Logs have its rule.

    Attributes:
        rule: id, such as ``POL-1``.
        action: refuse or warn.
        about: what was checked: ``kind retail.order.returned``, ``policy retail-privileges``.
        reason: why.
        hint: how to fix it.
        source: the law or guideline behind the rule.
        dated: when that source was last read.
    """

    rule: str = field(validator=model_validators.text(16, pattern=r"[A-Z]{2,8}-\d{1,3}", example="POL-1"))
    action: Action = field(validator=validators.instance_of(Action))
    about: str = field(validator=model_validators.text(200))
    reason: str = field(validator=model_validators.sentence)
    hint: str = field(validator=model_validators.sentence)
    source: str = field(validator=model_validators.text(200))
    dated: date = field(validator=validators.instance_of(date))

    def __str__(self) -> str:
        return f"{self.rule} {self.about}: {self.reason} [{self.source}]"
