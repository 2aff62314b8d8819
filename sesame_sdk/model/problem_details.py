"""Encodes a refusal by the guard as problem details (RFC 9457).

HTTP responses, the hub's log and ``sesame ... --json`` share the format; its findings are those of the error.
"""

from typing import Final

from sesame_sdk.errors import GuardRefusedError

#: Permanent id of this type of problem (RFC 9457 section 3.1.1), not an address.
REFUSED: Final = "urn:sesame-sdk:refused"
TITLE: Final = "GuardRefusedError by the guard"


def problem(refused: GuardRefusedError, **members: object) -> dict[str, object]:
    """Convert a refusal to an object for `codec.encode`.

    Args:
        refused: the error.
        members: further members, such as `status`.
    """
    details: dict[str, object] = {"type": REFUSED, "title": TITLE, "detail": str(refused)}
    return details | members | {"findings": refused.findings}
