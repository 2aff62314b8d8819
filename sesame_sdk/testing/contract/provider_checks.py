"""What is asked of a provider's `signals()`. Each check yields what is wrong, and nothing if nothing is.

Faults name a sample by its number and an exception by its type and place, never by what is in it.
"""

import copy
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from attrs import evolve, frozen

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.interfaces import SignalProvider, Skipped
from sesame_sdk.model import codec
from sesame_sdk.model.pseudonyms import Pseudonymizer
from sesame_sdk.model.signals import Signal
from sesame_sdk.plugins import error_text
from sesame_sdk.testing.contract import hostile_events
from sesame_sdk.testing.contract.side_effects import watching
from sesame_sdk.testing.partner import IDENTITY, TWIN

#: Signals of one event. A generator that never ends must not hang a test.
MOST_SAID = 10_000
NO_ID = "00000000-0000-7000-8000-000000000000"
OTHER = Pseudonymizer(b"another that everybody may read.")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_Provider = SignalProvider[Any]


@frozen
class Outcome:
    """What came of one event: what was said; or that it was rejected; or what went wrong."""

    said: tuple[Signal | Skipped, ...] = ()
    rejected: bool = False
    fault: str = ""

    @property
    def signals(self) -> tuple[Signal, ...]:
        """Without what was kept back."""
        return tuple(one for one in self.said if isinstance(one, Signal))

    @property
    def without_ids(self) -> "Outcome":
        """The same, for comparing all else."""
        bare = (evolve(one, id=NO_ID) if isinstance(one, Signal) else one for one in self.said)
        return evolve(self, said=tuple(bare))


def speak(provider: _Provider, event: object, identity: Pseudonymizer = IDENTITY) -> Outcome:
    """Ask what one event says, whatever comes of it. A copy is shown: the sample stays as it is."""
    return _speak(provider, _copy(event), identity)


def _speak(provider: _Provider, event: object, identity: Pseudonymizer = IDENTITY) -> Outcome:
    try:
        said: tuple[Any, ...] = tuple(islice(provider.signals(event, identity), MOST_SAID + 1))
    except InvalidInputError:
        return Outcome(rejected=True)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - that is what is looked for
        return Outcome(fault=f"raised {error_text.in_a_call(error)}")
    if len(said) > MOST_SAID:
        return Outcome(fault=f"said more than {MOST_SAID} things")
    strange: list[str] = [_name(one) for one in said if not isinstance(one, Signal | Skipped)]
    return Outcome(fault=f"said a {strange[0]}") if strange else Outcome(said)


def understood(provider: _Provider, events: Sequence[object]) -> Iterator[str]:
    """Each sample is answered with signals or what is kept back."""
    for number, event in enumerate(events):
        outcome = speak(provider, event)
        if outcome.rejected or outcome.fault:
            yield f"events[{number}]: signals() {outcome.fault or 'rejected it, and it is a sample'}"


def undeclared(provider: _Provider, events: Sequence[object]) -> Iterator[str]:
    """Nothing is said of a kind that was not declared."""
    known = {kind.name for kind in provider.kinds}
    for number, event in enumerate(events):
        for kind in sorted({signal.kind for signal in speak(provider, event).signals} - known):
            yield f"events[{number}]: {kind} is not among {provider.name}'s kinds"


def unsaid(provider: _Provider, events: Sequence[object]) -> Iterator[str]:
    """Every declared kind is said by some sample."""
    said = {signal.kind for event in events for signal in speak(provider, event).signals}
    for kind in provider.kinds:
        if kind.name not in said:
            yield f"no sample event gives a {kind.name}: add one that does, or do not declare it"


def ids(provider: _Provider, events: Sequence[object]) -> Iterator[str]:
    """An id follows from the event and the partner's secret, carries its time, and names one thing."""
    named: dict[str, Signal] = {}
    for number, event in enumerate(events):
        first, again = speak(provider, event), speak(provider, event, TWIN)
        other = {
            one for signal in speak(provider, event, OTHER).signals for one in (signal.id, signal.subject)
        }
        for signal, twin in zip(first.signals, again.signals, strict=False):
            if evolve(signal, id=NO_ID) == evolve(twin, id=NO_ID) and signal.id != twin.id:
                yield f"events[{number}]: the same event again has another id; use identity.signal_id()"
            if _milliseconds(signal.id) != (signal.occurred_at - _EPOCH) // _MILLISECOND:
                yield f"events[{number}]: the id is not of its own time; use identity.signal_id()"
            if signal.id in other:
                yield f"events[{number}]: the id does not follow from the identity; use identity.signal_id()"
            if signal.subject in other:
                yield f"events[{number}]: the subject is no pseudonym; use identity.pseudonym()"
            if named.setdefault(signal.id, signal) != signal:
                yield f"events[{number}]: two observations have one id, so one of them is lost"


def touches(provider: _Provider, events: Sequence[object]) -> Iterator[str]:
    """No file, no socket, no process, no database; and the event is left as it was."""
    for number, event in enumerate(events):
        shown = _copy(event)
        alike = shown == event
        with watching() as touched:
            _speak(provider, shown)
        if touched:
            yield f"events[{number}]: signals() is not pure, it does: {', '.join(touched)}"
        if alike and shown != event:
            yield f"events[{number}]: signals() changes the event"


def changes(provider: _Provider, events: Sequence[object]) -> Iterator[str]:
    """The same event says the same, whatever was asked before."""
    first = [speak(provider, event).without_ids for event in events]
    again = [speak(provider, event).without_ids for event in reversed(events)]
    for number, (one, other) in enumerate(zip(first, reversed(again), strict=True)):
        if one != other:
            yield f"events[{number}]: says something else the second time: of a clock, chance or memory"


def breaks(provider: _Provider, events: Sequence[object]) -> Iterator[str]:
    """A hostile event is rejected, kept back, or says something valid; nothing else comes of it."""
    for number, event in enumerate(events):
        for what, changed in hostile_events.variants(event):
            if fault := speak(provider, changed).fault:
                yield f"events[{number}] with {what}: signals() {fault}; raise sesame_sdk.Rejected"


def aloud(provider: _Provider, events: Iterable[object]) -> bytes:
    """All that the samples say, as it can be compared with what another process says."""
    return codec.encode(
        [[type(one).__name__, one] for event in events for one in speak(provider, event).said]
    )


def _copy(event: object) -> object:
    try:
        return copy.deepcopy(event)
    except Exception:  # noqa: BLE001 - some things cannot be copied, and then they are shown themselves
        return event


def _name(value: object) -> str:
    return type(value).__name__


def _milliseconds(signal_id: str) -> int:
    return int(signal_id.replace("-", "")[:12], 16)
