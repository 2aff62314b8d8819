"""Checks of a consumer's `subjects()` and `use()`. Each yields what is wrong, as in `provider_checks`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import cycle, product
from typing import Any

from attrs import frozen

from sesame_sdk.interfaces import ScoreConsumer
from sesame_sdk.model.score import Score
from sesame_sdk.plugins.plugin import describe_call_error
from sesame_sdk.testing.contract.side_effects import record_side_effects

#: Up to so many subjects every subset is tried; of more, all, none, each alone, and all but each.
MAX_EXHAUSTIVE = 6
_Consumer = ScoreConsumer[Any, Any]
#: How well a subject does in an answer; more is better.
Benefit = Callable[[Any, str], float]


@frozen
class CallResult:
    """The result of one call: the answer, or an error; and its side effects."""

    answer: Any = None
    error: str = ""
    side_effects: tuple[str, ...] = ()

    def differs(self, other: "CallResult") -> bool:
        """Whether the answers can be compared, and are not the same."""
        comparable = "__eq__" in {name for kind in type(self.answer).__mro__[:-1] for name in vars(kind)}
        return comparable and bool(self.answer != other.answer)


def call_subjects(consumer: _Consumer, request: object) -> CallResult:
    """Call `subjects()`."""
    return _call(lambda: tuple(consumer.subjects(request)))


def subject_faults(consumer: _Consumer, requests: Sequence[object]) -> Iterator[str]:
    """`subjects()` must give the same pseudonyms each time, without side effects."""
    for number, request in enumerate(requests):
        first, again = call_subjects(consumer, request), call_subjects(consumer, request)
        if first.error:
            yield f"requests[{number}]: subjects() {first.error}"
        elif not all(isinstance(one, str) for one in first.answer):
            yield f"requests[{number}]: subjects() gives something that is not a str"
        elif first.differs(again):
            yield f"requests[{number}]: subjects() gives something else the second time"
        if first.side_effects:
            yield f"requests[{number}]: subjects() has side effects: {', '.join(first.side_effects)}"


def missing_score_faults(
    consumer: _Consumer, requests: Sequence[object], points: Sequence[float]
) -> Iterator[str]:
    """`use()` must answer whichever subjects have no score."""
    for number, request in enumerate(requests):
        subjects = call_subjects(consumer, request).answer or ()
        for missing in _subsets(subjects):
            result = _call_use(consumer, request, _scores(subjects, missing, points))
            if result.error:
                yield f"requests[{number}]: use() {result.error} when {len(missing)} subject(s) have no score"


def use_faults(consumer: _Consumer, requests: Sequence[object], points: Sequence[float]) -> Iterator[str]:
    """`use()` must give the same answer for the same scores, without side effects."""
    for number, request in enumerate(requests):
        scores = _scores(call_subjects(consumer, request).answer or (), frozenset(), points)
        first, again = _call_use(consumer, request, scores), _call_use(consumer, request, scores)
        if not first.error and first.differs(again):
            yield f"requests[{number}]: use() gives another answer the second time"
        if first.side_effects:
            yield f"requests[{number}]: use() has side effects: {', '.join(first.side_effects)}"


def disadvantages(
    consumer: _Consumer, requests: Sequence[object], base_points: float, benefit: Benefit
) -> Iterator[str]:
    """A subject without a score must do as well as with the base score, where all others have that."""
    for number, request in enumerate(requests):
        subjects = call_subjects(consumer, request).answer or ()
        for subject in subjects:
            with_base = _call_use(consumer, request, _scores(subjects, frozenset(), [base_points]))
            without = _call_use(consumer, request, _scores(subjects, frozenset((subject,)), [base_points]))
            if with_base.error or without.error:
                continue  # another check reports it
            if benefit(without.answer, subject) < benefit(with_base.answer, subject):
                yield (
                    f"requests[{number}]: a subject without a score does worse than with "
                    f"the base score of {base_points:g} points, which all others have (rule NOS-1)"
                )


def _call(function: Callable[[], Any]) -> CallResult:
    try:
        with record_side_effects() as recorded:
            answer = function()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - any exception is a result here
        return CallResult(error=f"raised {describe_call_error(error)}")
    return CallResult(answer, side_effects=tuple(recorded))


def _call_use(consumer: _Consumer, request: object, scores: Mapping[str, Score | None]) -> CallResult:
    return _call(lambda: consumer.use(request, dict(scores)))


def _scores(
    subjects: Sequence[str], missing: frozenset[str], points: Sequence[float]
) -> dict[str, Score | None]:
    return {
        subject: None if subject in missing else Score(given, "known", date(2026, 6, 1), "digest", given)
        for subject, given in zip(subjects, cycle(points), strict=False)
    }


def _subsets(subjects: Sequence[str]) -> Iterator[frozenset[str]]:
    everyone = frozenset(subjects)
    if len(everyone) <= MAX_EXHAUSTIVE:
        for chosen in product((False, True), repeat=len(everyone)):
            yield frozenset(one for one, take in zip(sorted(everyone), chosen, strict=True) if take)
        return
    yield from (frozenset(), everyone)
    for one in sorted(everyone):
        yield from (frozenset((one,)), everyone - {one})
