"""A signal's quick check says yes exactly where its slow one, in words, finds nothing wrong."""

import math
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sesame_sdk import InvalidInputError, Signal
from sesame_sdk.model import signals, validators
from tests.conftest import NOON

GOOD: dict[str, Any] = {
    "id": "018bcfe5-6800-7abc-8abc-0123456789ab",
    "subject": "rt_V2hvIGtub3dz",
    "kind": "retail.order.completed",
    "value": 1.0,
    "occurred_at": NOON,
}
SLOW = {
    "id": validators.signal_id,
    "subject": validators.subject,
    "kind": validators.kind_name,
    "value": validators.finite,
    "occurred_at": validators.utc,
}
near_id = st.from_regex(
    r"[0-9a-g]{8}-[0-9a-f]{4}-[67][0-9a-f]{3}-[7-9a-c][0-9a-f]{3}-[0-9A-F]{12}", fullmatch=True
)
anything = st.one_of(
    st.text(max_size=140),
    st.text(st.characters(max_codepoint=0x7F), max_size=130),
    near_id,
    st.from_regex(validators.SIGNAL_ID_PATTERN, fullmatch=True),
    st.from_regex(validators.KIND_PATTERN, fullmatch=True),
    st.floats(),
    st.integers(),
    st.booleans(),
    st.none(),
    st.binary(max_size=40),
    st.lists(st.text(max_size=3), max_size=3),
    st.datetimes(
        timezones=st.sampled_from([None, UTC, timezone(timedelta(0)), timezone(timedelta(hours=1))])
    ),
)


def words(name: str, value: object) -> str | None:
    """What the slow check of one field says."""
    field = next(field for field in Signal.__attrs_attrs__ if field.name == name)
    try:
        SLOW[name](None, field, value)
    except InvalidInputError as error:
        return str(error)
    return None


@settings(max_examples=600)
@given(st.sampled_from(sorted(GOOD)), anything)
@example("id", "x18bcfe5-6800-7abc-8abc-0123456789ab")
@example("id", GOOD["id"] + "\n")
@example("id", GOOD["id"].upper())
@example("id", "\ud800" * 36)
@example("subject", "two words")
@example("subject", "\x7f")
@example("subject", "é")
@example("subject", "s" * 129)
@example("subject", "")
@example("kind", "retail.order.completed\n")
@example("value", 10**400)
@example("value", True)
@example("value", math.nan)
@example("value", -math.inf)
@example("occurred_at", NOON.replace(tzinfo=None))
def test_the_quick_check_and_the_words_agree(name: str, value: object) -> None:
    """For any value of any field; and the error is the slow check's own."""
    expected = words(name, value)
    if expected is None:
        assert getattr(Signal(**{**GOOD, name: value}), name) == value
    else:
        with pytest.raises(InvalidInputError) as caught:
            Signal(**{**GOOD, name: value})
        assert str(caught.value) == expected


def test_made_up_kinds_do_not_fill_the_memory() -> None:
    """A sender may name a new one in every signal."""
    for number in range(5000):
        Signal(**{**GOOD, "kind": f"retail.k{number}"})
    with pytest.raises(InvalidInputError, match="kind"):
        Signal(**{**GOOD, "kind": "Retail"})

    assert len(signals._known_kinds) <= signals._MAX_KNOWN_KINDS
