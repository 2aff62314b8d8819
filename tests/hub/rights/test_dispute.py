"""What may happen to a dispute: every way through it, taken at random, ends where the rules say."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk import InvalidInputError
from sesame_sdk.hub.rights.deadlines import DeadlineStatus
from sesame_sdk.hub.rights.dispute_model import (
    DECISIONS,
    MOST_WORDS,
    REVIEWS,
    Dispute,
    DisputeState,
    Step,
    What,
    check_statement,
    overdue,
)

MONDAY = datetime(2026, 6, 1, 9, tzinfo=UTC)
DESK, HEAD = "disputes desk", "head of fairness"
STEPS = st.tuples(st.sampled_from(What), st.sampled_from([DESK, HEAD]), st.integers(0, 20))


def dispute(*steps: tuple[What, str, int]) -> Dispute:
    """One that was opened on a Monday and went through these: what, by whom, days later."""
    found = Dispute(7, "ada", "https://shop.example", "an id", "retail.payment.missed", (step(What.OPENED),))
    for what, by, days in steps:
        found = found.with_step(step(what, by, days))
    return found


def step(what: What, by: str = DESK, days: int = 0) -> Step:
    """With a reason, as most need one."""
    return Step(what, MONDAY + timedelta(days=days), by, "because")


@given(st.lists(STEPS, max_size=12))
def test_whatever_is_tried_a_dispute_keeps_its_rules(tried: list[tuple[What, str, int]]) -> None:
    """It freezes until it is rejected; nothing is decided, extended or reviewed twice, nor by one alone."""
    found, days = dispute(), 0
    for what, by, later in tried:
        days += later
        try:
            after = found.with_step(step(what, by, days))
        except InvalidInputError:
            continue
        assert after.steps[:-1] == found.steps
        found = after
    happened = [each.what for each in found.steps]
    for once in (
        {*DECISIONS},
        {*REVIEWS},
        {What.EXTENDED},
        {What.REVIEW_ASKED},
        {What.SOURCE_TOLD},
        {What.OPENED},
    ):
        assert sum(what in once for what in happened) <= 1
    assert found.frozen == (found.state is not DisputeState.REJECTED)
    if What.CONFIRMED in happened or (What.REJECTED in happened and What.REVIEW_ASKED not in happened):
        assert not found.frozen
    else:
        assert found.frozen
    decided, reviewed = found.first(*DECISIONS), found.first(*REVIEWS)
    if decided and reviewed:
        assert decided.by != reviewed.by
        assert decided.what is What.REJECTED
    if What.EXTENDED in happened and decided:
        assert happened.index(What.EXTENDED) < happened.index(decided.what)
    heard = [what for what in happened if what is What.PERSON_HEARD]
    assert len(heard) <= (decided is not None) + (reviewed is not None)


@pytest.mark.parametrize(
    ("steps", "then", "says"),
    [
        pytest.param([], What.OPENED, "open already", id="opened twice"),
        pytest.param([], What.PERSON_HEARD, "not decided yet", id="told of a result that is not there"),
        pytest.param([], What.REVIEW_ASKED, "nothing to overturn", id="reviewed before it is decided"),
        pytest.param([], What.CONFIRMED, "not in review", id="a review that nobody asked for"),
        pytest.param([(What.UPHELD, DESK, 1)], What.REJECTED, "decided already", id="decided twice"),
        pytest.param([(What.UPHELD, DESK, 1)], What.REVIEW_ASKED, "nothing to overturn", id="the person won"),
        pytest.param([(What.REJECTED, DESK, 1)], What.EXTENDED, "decided already", id="extended too late"),
        pytest.param([(What.EXTENDED, DESK, 1)], What.EXTENDED, "extended already", id="extended twice"),
        pytest.param(
            [(What.REJECTED, DESK, 1), (What.REVIEW_ASKED, "person", 2)],
            What.OVERTURNED,
            "who decided it",
            id="reviewed by whoever decided",
        ),
        pytest.param(
            [(What.REJECTED, DESK, 1), (What.REVIEW_ASKED, "person", 2), (What.CONFIRMED, HEAD, 3)],
            What.REVIEW_ASKED,
            "was reviewed",
            id="reviewed twice",
        ),
    ],
)
def test_what_cannot_be_is_said_so(steps: list[tuple[What, str, int]], then: What, says: str) -> None:
    """One clear error, and nothing happens."""
    with pytest.raises(InvalidInputError, match=says):
        dispute(*steps).with_step(step(then, DESK, 9))


def test_the_deadlines_of_a_long_dispute() -> None:
    """Told in 5 business days, decided in 30 and 15 more, the result told in 5, a review in 14."""
    found = dispute(
        (What.SOURCE_TOLD, "source", 8),
        (What.EXTENDED, DESK, 20),
        (What.REJECTED, DESK, 45),
        (What.PERSON_HEARD, DESK, 46),
        (What.REVIEW_ASKED, "person", 50),
    )
    today = (MONDAY + timedelta(days=51)).date()
    assert [(each.what, str(each.due), each.standing(today)) for each in found.deadlines()] == [
        ("tell the source", "2026-06-08", DeadlineStatus.LATE),
        ("decide", "2026-07-16", DeadlineStatus.KEPT),
        ("tell the person the result", "2026-07-23", DeadlineStatus.KEPT),
        ("tell the source the result", "2026-07-23", DeadlineStatus.SOON),
        ("review", "2026-08-04", DeadlineStatus.OPEN),
    ]
    ended = found.with_step(step(What.OVERTURNED, HEAD, 60))
    assert [str(each.due) for each in ended.deadlines()][-2:] == ["2026-08-07", "2026-08-07"]
    assert ended.state is DisputeState.UPHELD
    assert not ended.with_step(step(What.PERSON_HEARD, HEAD, 61)).first(What.SOURCE_HEARD)


def test_a_dispute_that_is_left_alone_becomes_overdue() -> None:
    """The source first, on the day after its fifth business day."""
    found = dispute()
    assert not overdue(found, datetime(2026, 6, 8, tzinfo=UTC).date())
    assert overdue(found, datetime(2026, 6, 9, tzinfo=UTC).date())
    told = found.with_step(step(What.SOURCE_TOLD, "source", 1))
    assert not overdue(told, datetime(2026, 7, 1, tzinfo=UTC).date())
    assert overdue(told, datetime(2026, 7, 2, tzinfo=UTC).date())


def test_a_decision_needs_a_role_and_a_reason() -> None:
    """And whoever disputes says what is wrong."""
    for what in (What.OPENED, What.UPHELD, What.REJECTED, What.EXTENDED, What.CONFIRMED, What.OVERTURNED):
        with pytest.raises(InvalidInputError, match="say why"):
            Step(what, MONDAY, DESK, "")
    with pytest.raises(InvalidInputError, match="by"):
        Step(What.UPHELD, MONDAY, " ", "because")


def test_a_statement_has_a_hundred_words_at_most() -> None:
    """Words are what stands between blanks; without any, there is no statement."""
    assert check_statement(" word " * MOST_WORDS).count("word") == MOST_WORDS
    assert check_statement("  \n ") == ""
    with pytest.raises(InvalidInputError, match="at most 100 words, not 101"):
        check_statement("word " * (MOST_WORDS + 1))
    with pytest.raises(InvalidInputError, match="characters"):
        check_statement("w" * 2001)
