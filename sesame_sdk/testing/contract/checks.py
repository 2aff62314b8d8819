"""Checks of `signals()`, `subjects()` and `use()`. Each yields what is wrong, and nothing if nothing is.

A fault names a sample by its number and an exception by its type and place, and shows no value of either.
"""

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, islice, product
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.interfaces import ScoreConsumer, SignalProvider, Skipped
from sesame_sdk.model import codec
from sesame_sdk.model.pseudonyms import Pseudonymizer
from sesame_sdk.model.score import Score
from sesame_sdk.model.signals import Signal
from sesame_sdk.model.validators import PSEUDONYM_PATTERN
from sesame_sdk.plugins.plugin import describe_call_error
from sesame_sdk.testing.contract import hostile_events
from sesame_sdk.testing.contract.side_effects import record_side_effects
from sesame_sdk.testing.partner import LONG_AGO, PSEUDONYMIZER, SAME_PSEUDONYMIZER, Clock

#: Signals of one event: a generator that never ends must not hang a test.
MAX_SIGNALS = 10_000
NO_ID = "00000000-0000-7000-8000-000000000000"
#: Characters of an id that hold its time (RFC 9562 section 5.7).
_TIME_IN_ID = 14
OTHER_PSEUDONYMIZER = Pseudonymizer(b"another that everybody may read.")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Provider = SignalProvider[Any]
#: Up to so many subjects every subset is tried; of more, all, none, each alone, and all but each.
MAX_EXHAUSTIVE = 6
_Consumer = ScoreConsumer[Any, Any]
#: How well a subject does in an answer; more is better.
Benefit = Callable[[Any, str], float]


@frozen
class SignalsResult:
    """The result of `signals()` for one event: its output, or that it was rejected, or an error."""

    output: tuple[Signal | Skipped, ...] = ()
    rejected: bool = False
    error: str = ""

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The output without what was skipped."""
        return tuple(one for one in self.output if isinstance(one, Signal))

    @property
    def without_ids(self) -> "SignalsResult":
        """The same with one id for all, to compare everything else."""
        bare = (evolve(one, id=NO_ID) if isinstance(one, Signal) else one for one in self.output)
        return evolve(self, output=tuple(bare))


def call_signals(
    provider: _Provider, event: object, pseudonymizer: Pseudonymizer = PSEUDONYMIZER, *, copied: bool = True
) -> SignalsResult:
    """Call `signals()`, usually with a copy of the event, so that the sample stays as it is."""
    given = _copy(event) if copied else event
    try:
        output: tuple[Any, ...] = tuple(islice(provider.signals(given, pseudonymizer), MAX_SIGNALS + 1))
    except InvalidInputError:
        return SignalsResult(rejected=True)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - any exception is a result here
        return SignalsResult(error=f"signals() raised {describe_call_error(error)}")
    if len(output) > MAX_SIGNALS:
        return SignalsResult(error=f"signals() gave more than {MAX_SIGNALS} signals")
    for one in output:
        if not isinstance(one, Signal | Skipped):
            return SignalsResult(error=f"signals() gave a {type(one).__name__}, not a Signal or Skipped")
    return SignalsResult(output)


def rejections(provider: _Provider, events: Sequence[object]) -> Iterator[str]:
    """Each sample must give signals or what was skipped."""
    for number, event in enumerate(events):
        result = call_signals(provider, event)
        if result.rejected:
            yield f"events[{number}]: signals() raised InvalidInputError for a sample event"
        elif result.error:
            yield f"events[{number}]: {result.error}"


def undeclared_kinds(provider: _Provider, events: Sequence[object]) -> Iterator[str]:
    """Every signal must be of a declared kind."""
    declared = {kind.name for kind in provider.kinds}
    for number, event in enumerate(events):
        for kind in sorted({signal.kind for signal in call_signals(provider, event).signals} - declared):
            yield f"events[{number}]: {kind} is not declared in {provider.name}.kinds"


def unused_kinds(provider: _Provider, events: Sequence[object]) -> Iterator[str]:
    """Some sample must give each declared kind."""
    used = {signal.kind for event in events for signal in call_signals(provider, event).signals}
    for kind in provider.kinds:
        if kind.name not in used:
            yield f"no sample event gives a {kind.name}: add one, or do not declare the kind"


def invalid_ids(provider: _Provider, events: Sequence[object]) -> Iterator[str]:
    """An id must follow from the event and the partner's secret, carry its time, and name one signal."""
    by_id: dict[str, Signal] = {}
    for number, event in enumerate(events):
        first = call_signals(provider, event)
        same = call_signals(provider, event, SAME_PSEUDONYMIZER)
        other = call_signals(provider, event, OTHER_PSEUDONYMIZER).signals
        of_another = {text for signal in other for text in (signal.id, signal.subject)}
        for signal, repeated in zip(first.signals, same.signals, strict=False):
            if evolve(signal, id=NO_ID) == evolve(repeated, id=NO_ID) and signal.id != repeated.id:
                yield f"events[{number}]: the same event has another id again: use pseudonymizer.signal_id()"
            held = int(signal.id.replace("-", "")[:12], 16)
            if held != (signal.occurred_at - _EPOCH) // timedelta(milliseconds=1):
                yield f"events[{number}]: the id does not hold occurred_at: use pseudonymizer.signal_id()"
            if signal.id in of_another:
                yield f"events[{number}]: the id ignores the pseudonymizer: use its signal_id()"
            if signal.subject in of_another:
                yield f"events[{number}]: the subject is not a pseudonym: use pseudonymizer.pseudonym()"
            if by_id.setdefault(signal.id, signal) != signal:
                yield f"events[{number}]: two signals have one id, and the hub would drop one of them"


def keys_with_a_time(provider: _Provider, events: Sequence[object]) -> Iterator[str]:
    """Two exports of one record that differ in time only must give the same natural keys.

    The hub recognizes a signal by its natural key, and takes another time for a correction. A key may depend
    on a longer time, such as a month: it changes with a minute more or with a minute less, not with both.
    """
    for number, event in enumerate(events):
        keys = _natural_keys(call_signals(provider, event))
        if keys != _natural_keys(call_signals(provider, event)):
            continue  # `invalid_ids` reports ids that differ each time
        for name, by in (("second", timedelta(seconds=1)), ("minute", timedelta(minutes=1))):
            moved = [hostile_events.move_times(_copy(event), each) for each in (by, -by)]
            results = [call_signals(provider, each) for each in moved if each != event]
            others = [_natural_keys(result) for result in results if result.signals]
            if others and keys not in others:
                yield (
                    f"events[{number}] with its times a {name} off: another natural key, so that the hub "
                    f"counts the signal twice: pass signal_id() a key that does not hold the time"
                )


def _natural_keys(result: SignalsResult) -> set[tuple[str, str, str]]:
    """What identifies each signal: its subject, its kind, and its id without the time."""
    return {(signal.subject, signal.kind, signal.id[_TIME_IN_ID:]) for signal in result.signals}


def side_effects_of(provider: _Provider, events: Sequence[object]) -> Iterator[str]:
    """`signals()` must use no file, socket, process or database, and leave the event unchanged."""
    for number, event in enumerate(events):
        given = _copy(event)
        comparable = given == event
        with record_side_effects() as recorded:
            call_signals(provider, given, copied=False)
        if recorded:
            yield f"events[{number}]: signals() has side effects: {', '.join(recorded)}"
        if comparable and given != event:
            yield f"events[{number}]: signals() changes the event"


def differences(provider: _Provider, events: Sequence[object]) -> Iterator[str]:
    """The same event must give the same, whatever was called before."""
    first = [call_signals(provider, event).without_ids for event in events]
    again = [call_signals(provider, event).without_ids for event in reversed(events)]
    for number, (one, other) in enumerate(zip(first, reversed(again), strict=True)):
        if one != other:
            yield f"events[{number}]: signals() depends on a clock, on chance or on earlier calls"


def unhandled_events(provider: _Provider, events: Sequence[object]) -> Iterator[str]:
    """A hostile event must be rejected or skipped, or give valid signals."""
    for number, event in enumerate(events):
        for change, changed in hostile_events.variants(event):
            if error := call_signals(provider, changed).error:
                yield f"events[{number}] with {change}: {error}; raise sesame_sdk.InvalidInputError"


def encode_output(provider: _Provider, events: Iterable[object]) -> bytes:
    """The output for all samples, to be compared with that of another process."""
    return codec.encode(
        [[type(one).__name__, one] for event in events for one in call_signals(provider, event).output]
    )


def delivery_faults(provider: _Provider, events: Sequence[object], folder: Path) -> Iterator[str]:
    """A real hub, with its files in `folder`, must store once and unchanged what a real client sends."""
    from sesame_sdk.testing.hub import LocalHub  # half a second to import, and for this check alone

    declared = {kind.name for kind in provider.kinds}
    signals = [one for event in events for one in call_signals(provider, event).signals]
    # Another check reports other kinds, and subjects that are no pseudonyms.
    sent = [s for s in signals if s.kind in declared and re.fullmatch(PSEUDONYM_PATTERN, s.subject)]
    if not sent:
        return
    clock = Clock(max(LONG_AGO, *(signal.occurred_at for signal in sent)) + timedelta(days=1))
    kinds = tuple({signal.kind: None for signal in sent})
    with LocalHub(folder, clock=clock) as hub:
        partner = hub.admit_partner(kinds=provider.kinds)
        for number, subject in enumerate(dict.fromkeys(signal.subject for signal in sent)):
            person, grant = partner.send_grant(f"person {number}", *kinds)
            hub.record_consent((person, evolve(grant, subject=subject)))
        with hub.client(partner) as client:
            for _ in range(2):
                client.post(sent)
                client.deliver(concurrency=1)
            receipts = list(client.receipts())
            yield from (f"the hub rejects an envelope: {one.reason}" for one in client.dead_letters())
        stored = hub.signals(partner.issuer)
    reasons = sorted({dropped.reason for receipt in receipts for dropped in receipt.dropped})
    yield from (f"the hub drops signals: {reason}" for reason in reasons)
    if sum(receipt.accepted for receipt in receipts) != len(stored):
        yield "signals that are sent again count again"
    if not reasons and {(one.subject, one.id) for one in stored} != {(one.subject, one.id) for one in sent}:
        yield "the hub does not store every signal"
    elif set(stored) - set(sent):
        yield "the hub stores a signal that differs from what was sent"


def _copy(event: object) -> object:
    try:
        return copy.deepcopy(event)
    except Exception:  # noqa: BLE001 - an event that cannot be copied is used itself
        return event


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
