"""A further rule that leaks what it sees, as a plugin should not: in its log, warnings and errors."""

import logging
import warnings
from collections.abc import Iterable
from datetime import date
from typing import ClassVar

from sesame_sdk import ReadRequest
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.signals import SignalKind


class PermissiveRule(GuardRule):
    """Fails at kinds that are called so, and at every third read."""

    id: ClassVar[str] = "LOOSE-1"
    source: ClassVar[str] = "a test"
    dated: ClassVar[date] = date(2026, 6, 1)
    asked = 0

    def check_kind(self, kind: SignalKind) -> Iterable[Finding]:
        """Fail, with a name of the partner's choice in the message."""
        if "crash" in kind.name:
            raise RuntimeError(f"no {kind.name} please")
        return ()

    def check_read(self, reading: ReadRequest) -> Iterable[Finding]:
        """Leak the kind, and fail now and then."""
        PermissiveRule.asked += 1
        logging.getLogger("loose").warning("somebody reads %r", reading)
        logging.getLogger(f"loose.{reading.grant.subject}").error(f"{reading!r}")
        warnings.warn(f"a read of {reading!r}", stacklevel=1)
        if PermissiveRule.asked % 3 == 0:
            raise KeyError(reading)
        return ()
