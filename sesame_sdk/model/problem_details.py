"""The guard's refusal as data: problem details after RFC 9457.

One form, whoever asks: the body of an HTTP answer, a line in the hub's log, ``sesame ... --json``. The
findings in it are those that Python raises.
"""

from typing import Final

from sesame_sdk.errors import GuardRefusedError

#: Names this kind of problem for good (RFC 9457 section 3.1.1). It is no address.
REFUSED: Final = "urn:sesame-sdk:refused"
TITLE: Final = "GuardRefusedError by the guard"


def problem(refused: GuardRefusedError, **members: object) -> dict[str, object]:
    """What a refusal says, ready for `codec.encode`.

    Args:
        refused: as it was raised.
        members: further ones that the place asks for, such as `status`.
    """
    said: dict[str, object] = {"type": REFUSED, "title": TITLE, "detail": str(refused)}
    return said | members | {"findings": refused.findings}
