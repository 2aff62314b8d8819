"""What may happen to a dispute: every way through it, taken at random, ends where the rules say."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk import InvalidInputError
from sesame_sdk.hub.rights.dispute_model import (
    DECISIONS,
    MAX_STATEMENT_WORDS,
    REVIEWS,
    DeadlineStatus,
    Dispute,
    DisputeAction,
    DisputeState,
    DisputeStep,
    is_overdue,
    validate_statement,
)

MONDAY = datetime(2026, 6, 1, 9, tzinfo=UTC)
DESK, HEAD = "disputes desk", "head of fairness"
STEPS = st.tuples(st.sampled_from(DisputeAction), st.sampled_from([DESK, HEAD]), st.integers(0, 20))


def dispute(*steps: tuple[DisputeAction, str, int]) -> Dispute:
    """A dispute opened on a Monday, with these steps: action, actor, days later."""
    case = Dispute(
        7, "ada", "https://shop.example", "an id", "retail.payment.missed", (step(DisputeAction.OPENED),)
    )
    for what, by, days in steps:
        case = case.with_step(step(what, by, days))
    return case


def step(what: DisputeAction, by: str = DESK, days: int = 0) -> DisputeStep:
    """With a reason, as most need one."""
    return DisputeStep(what, MONDAY + timedelta(days=days), by, "because")


@given(st.lists(STEPS, max_size=12))
def test_whatever_is_tried_a_dispute_keeps_its_rules(tried: list[tuple[DisputeAction, str, int]]) -> None:
    """It freezes until it is rejected; nothing is decided, extended or reviewed twice, nor by one alone."""
    case, days = dispute(), 0
    for what, by, later in tried:
        days += later
        try:
            after = case.with_step(step(what, by, days))
        except InvalidInputError:
            continue
        assert after.steps[:-1] == case.steps
        case = after
    happened = [each.action for each in case.steps]
    for once in (
        {*DECISIONS},
        {*REVIEWS},
        {DisputeAction.EXTENDED},
        {DisputeAction.REVIEW_REQUESTED},
        {DisputeAction.SOURCE_NOTIFIED},
        {DisputeAction.OPENED},
    ):
        assert sum(what in once for what in happened) <= 1
    assert case.restricts_signal == (case.state is not DisputeState.REJECTED)
    if DisputeAction.CONFIRMED in happened or (
        DisputeAction.REJECTED in happened and DisputeAction.REVIEW_REQUESTED not in happened
    ):
        assert not case.restricts_signal
    else:
        assert case.restricts_signal
    decided, reviewed = case.first_step(*DECISIONS), case.first_step(*REVIEWS)
    if decided and reviewed:
        assert decided.actor != reviewed.actor
        assert decided.action is DisputeAction.REJECTED
    if DisputeAction.EXTENDED in happened and decided:
        assert happened.index(DisputeAction.EXTENDED) < happened.index(decided.action)
    heard = [what for what in happened if what is DisputeAction.RESULT_TO_PERSON]
    assert len(heard) <= (decided is not None) + (reviewed is not None)


@pytest.mark.parametrize(
    ("steps", "then", "says"),
    [
        pytest.param([], DisputeAction.OPENED, "already open", id="opened twice"),
        pytest.param(
            [], DisputeAction.RESULT_TO_PERSON, "not decided yet", id="a result sent before there is one"
        ),
        pytest.param(
            [], DisputeAction.REVIEW_REQUESTED, "no decision to overturn", id="reviewed before it is decided"
        ),
        pytest.param([], DisputeAction.CONFIRMED, "not in review", id="a review without a request"),
        pytest.param(
            [(DisputeAction.UPHELD, DESK, 1)], DisputeAction.REJECTED, "already decided", id="decided twice"
        ),
        pytest.param(
            [(DisputeAction.UPHELD, DESK, 1)],
            DisputeAction.REVIEW_REQUESTED,
            "no decision to overturn",
            id="the person won",
        ),
        pytest.param(
            [(DisputeAction.REJECTED, DESK, 1)],
            DisputeAction.EXTENDED,
            "already decided",
            id="extended too late",
        ),
        pytest.param(
            [(DisputeAction.EXTENDED, DESK, 1)],
            DisputeAction.EXTENDED,
            "already extended",
            id="extended twice",
        ),
        pytest.param(
            [(DisputeAction.REJECTED, DESK, 1), (DisputeAction.REVIEW_REQUESTED, "person", 2)],
            DisputeAction.OVERTURNED,
            "must not be the role that decided",
            id="reviewed by the person who decided",
        ),
        pytest.param(
            [
                (DisputeAction.REJECTED, DESK, 1),
                (DisputeAction.REVIEW_REQUESTED, "person", 2),
                (DisputeAction.CONFIRMED, HEAD, 3),
            ],
            DisputeAction.REVIEW_REQUESTED,
            "was already reviewed",
            id="reviewed twice",
        ),
    ],
)
def test_a_step_that_is_not_allowed_is_refused(
    steps: list[tuple[DisputeAction, str, int]], then: DisputeAction, says: str
) -> None:
    """One clear error, and nothing happens."""
    with pytest.raises(InvalidInputError, match=says):
        dispute(*steps).with_step(step(then, DESK, 9))


def test_the_deadlines_of_a_long_dispute() -> None:
    """Notified in 5 business days, decided in 30 and 15 more, result sent in 5, a review in 14."""
    case = dispute(
        (DisputeAction.SOURCE_NOTIFIED, "source", 8),
        (DisputeAction.EXTENDED, DESK, 20),
        (DisputeAction.REJECTED, DESK, 45),
        (DisputeAction.RESULT_TO_PERSON, DESK, 46),
        (DisputeAction.REVIEW_REQUESTED, "person", 50),
    )
    today = (MONDAY + timedelta(days=51)).date()
    assert [(each.task, str(each.due), each.status(today)) for each in case.deadlines()] == [
        ("notify the source", "2026-06-08", DeadlineStatus.LATE),
        ("decide", "2026-07-16", DeadlineStatus.MET),
        ("inform the person of the result", "2026-07-23", DeadlineStatus.MET),
        ("inform the source of the result", "2026-07-23", DeadlineStatus.DUE_SOON),
        ("review", "2026-08-04", DeadlineStatus.OPEN),
    ]
    ended = case.with_step(step(DisputeAction.OVERTURNED, HEAD, 60))
    assert [str(each.due) for each in ended.deadlines()][-2:] == ["2026-08-07", "2026-08-07"]
    assert ended.state is DisputeState.UPHELD
    assert not ended.with_step(step(DisputeAction.RESULT_TO_PERSON, HEAD, 61)).first_step(
        DisputeAction.RESULT_TO_SOURCE
    )


def test_a_dispute_that_is_left_alone_becomes_overdue() -> None:
    """The source first, on the day after its fifth business day."""
    case = dispute()
    assert not is_overdue(case, datetime(2026, 6, 8, tzinfo=UTC).date())
    assert is_overdue(case, datetime(2026, 6, 9, tzinfo=UTC).date())
    notified = case.with_step(step(DisputeAction.SOURCE_NOTIFIED, "source", 1))
    assert not is_overdue(notified, datetime(2026, 7, 1, tzinfo=UTC).date())
    assert is_overdue(notified, datetime(2026, 7, 2, tzinfo=UTC).date())


def test_a_decision_needs_a_role_and_a_reason() -> None:
    """A dispute needs a statement."""
    for what in (
        DisputeAction.OPENED,
        DisputeAction.UPHELD,
        DisputeAction.REJECTED,
        DisputeAction.EXTENDED,
        DisputeAction.CONFIRMED,
        DisputeAction.OVERTURNED,
    ):
        with pytest.raises(InvalidInputError, match="give a sentence"):
            DisputeStep(what, MONDAY, DESK, "")
    with pytest.raises(InvalidInputError, match="actor"):
        DisputeStep(DisputeAction.UPHELD, MONDAY, " ", "because")


def test_a_statement_has_a_hundred_words_at_most() -> None:
    """Words are what stands between blanks; without any, there is no statement."""
    assert validate_statement(" word " * MAX_STATEMENT_WORDS).count("word") == MAX_STATEMENT_WORDS
    assert validate_statement("  \n ") == ""
    with pytest.raises(InvalidInputError, match="at most 100 words, not 101"):
        validate_statement("word " * (MAX_STATEMENT_WORDS + 1))
    with pytest.raises(InvalidInputError, match="characters"):
        validate_statement("w" * 2001)
