"""The two lines before a writer: each in its order, by turns where both wait."""

from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk.hub.database.writer import TaskQueue


def _all_of(waiting: TaskQueue[int]) -> list[tuple[bool, int]]:
    """Take one of each turn until nothing waits: whose turn it was, and what was taken."""
    taken: list[tuple[bool, int]] = []
    urgent = False
    while (turn := waiting.next_turn(after_urgent=urgent)) is not None:
        urgent = turn
        work = waiting.pop(urgent=urgent)
        assert work is not None
        taken.append((urgent, work))
    return taken


@given(st.lists(st.booleans()))
def test_each_line_keeps_its_order_and_they_take_turns(lines: list[bool]) -> None:
    """Nothing is lost, and while both wait neither goes twice; the urgent go first."""
    waiting = TaskQueue[int]()
    for number, urgent in enumerate(lines):
        waiting.put(number, urgent=urgent)
    waiting.close()
    taken = _all_of(waiting)
    for line in (True, False):
        assert [number for urgent, number in taken if urgent is line] == [
            number for number, urgent in enumerate(lines) if urgent is line
        ]
    turns = [urgent for urgent, _ in taken]
    both = 2 * min(turns.count(True), turns.count(False))
    assert turns[:both] == [True, False] * (both // 2)


def test_nothing_comes_of_a_line_that_is_empty() -> None:
    """A task whose caller gives up, at once or after a while."""
    waiting = TaskQueue[int]()
    waiting.put(1, urgent=True)
    assert waiting.pop(urgent=False, timeout=0.01) is None
    assert waiting.pop(urgent=True) == 1
    assert len(waiting) == 0
