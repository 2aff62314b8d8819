"""What is asked of a consumer: whose scores it wants, and what it makes of them. As in `speaking`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import cycle, product
from typing import Any

from attrs import frozen

from sesame_sdk.interfaces import ScoreConsumer
from sesame_sdk.model.score import Score
from sesame_sdk.plugins import error_text
from sesame_sdk.testing.contract.side_effects import watching

#: Of so many subjects every subset is tried; of more, all, none, each alone, and all but each.
MOST_WHOLE = 6
_Consumer = ScoreConsumer[Any, Any]
#: How well a subject comes off in an answer; more is better.
Standing = Callable[[Any, str], float]


@frozen
class Answered:
    """What came of one question: the answer, or what went wrong; and what was touched."""

    answer: Any = None
    fault: str = ""
    touched: tuple[str, ...] = ()

    def differs(self, other: "Answered") -> bool:
        """Whether the answers can be compared, and are not the same."""
        comparable = "__eq__" in {name for kind in type(self.answer).__mro__[:-1] for name in vars(kind)}
        return comparable and bool(self.answer != other.answer)


def subjects_of(consumer: _Consumer, request: object) -> Answered:
    """Ask whose scores are needed."""
    return _ask(lambda: tuple(consumer.subjects(request)))


def wants(consumer: _Consumer, requests: Sequence[object]) -> Iterator[str]:
    """The subjects of a request are a tuple of pseudonyms, the same each time, and nothing is touched."""
    for number, request in enumerate(requests):
        first, again = subjects_of(consumer, request), subjects_of(consumer, request)
        if first.fault:
            yield f"requests[{number}]: subjects() {first.fault}"
        elif not all(isinstance(one, str) for one in first.answer):
            yield f"requests[{number}]: subjects() gives something that is no pseudonym"
        elif first.differs(again):
            yield f"requests[{number}]: subjects() gives others the second time"
        if first.touched:
            yield f"requests[{number}]: subjects() is not pure, it does: {', '.join(first.touched)}"


def fails_without(consumer: _Consumer, requests: Sequence[object], points: Sequence[float]) -> Iterator[str]:
    """Whoever has no score, the request is answered."""
    for number, request in enumerate(requests):
        subjects = subjects_of(consumer, request).answer or ()
        for missing in _subsets(subjects):
            answered = _use(consumer, request, _scores(subjects, missing, points))
            if answered.fault:
                yield f"requests[{number}]: use() {answered.fault}, {len(missing)} without a score"


def impure(consumer: _Consumer, requests: Sequence[object], points: Sequence[float]) -> Iterator[str]:
    """The same scores give the same answer, and nothing is touched."""
    for number, request in enumerate(requests):
        scores = _scores(subjects_of(consumer, request).answer or (), frozenset(), points)
        first, again = _use(consumer, request, scores), _use(consumer, request, scores)
        if not first.fault and first.differs(again):
            yield f"requests[{number}]: use() answers otherwise the second time"
        if first.touched:
            yield f"requests[{number}]: use() is not pure, it does: {', '.join(first.touched)}"


def disadvantages(
    consumer: _Consumer, requests: Sequence[object], ordinary: float, standing: Standing
) -> Iterator[str]:
    """Where all others have the ordinary score, whoever has none comes off no worse than with it."""
    for number, request in enumerate(requests):
        subjects = subjects_of(consumer, request).answer or ()
        for subject in subjects:
            usual = _use(consumer, request, _scores(subjects, frozenset(), [ordinary]))
            without = _use(consumer, request, _scores(subjects, frozenset((subject,)), [ordinary]))
            if usual.fault or without.fault:
                continue  # told elsewhere
            if standing(without.answer, subject) < standing(usual.answer, subject):
                yield (
                    f"requests[{number}]: somebody without a score comes off worse than with "
                    f"the ordinary {ordinary:g} points, which all others have (rule NOS-1)"
                )


def _ask(question: Callable[[], Any]) -> Answered:
    try:
        with watching() as touched:
            answer = question()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - that is what is looked for
        return Answered(fault=f"raised {error_text.in_a_call(error)}")
    return Answered(answer, touched=tuple(touched))


def _use(consumer: _Consumer, request: object, scores: Mapping[str, Score | None]) -> Answered:
    return _ask(lambda: consumer.use(request, dict(scores)))


def _scores(
    subjects: Sequence[str], missing: frozenset[str], points: Sequence[float]
) -> dict[str, Score | None]:
    return {
        subject: None if subject in missing else Score(given, "known", date(2026, 6, 1), "digest", given)
        for subject, given in zip(subjects, cycle(points), strict=False)
    }


def _subsets(subjects: Sequence[str]) -> Iterator[frozenset[str]]:
    everybody = frozenset(subjects)
    if len(everybody) <= MOST_WHOLE:
        for chosen in product((False, True), repeat=len(everybody)):
            yield frozenset(one for one, take in zip(sorted(everybody), chosen, strict=True) if take)
        return
    yield from (frozenset(), everybody)
    for one in sorted(everybody):
        yield from (frozenset((one,)), everybody - {one})
