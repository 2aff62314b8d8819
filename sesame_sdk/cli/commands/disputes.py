"""``sesame disputes``: people say that a signal is wrong, and what becomes of that (at the hub)."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sesame_sdk.cli import overdue
from sesame_sdk.cli.console import as_json, emit, note, show
from sesame_sdk.cli.options import at_hub, hub_at, now

if TYPE_CHECKING:
    from sesame_sdk.hub.rights.dispute_model import Dispute

_LONG = ("partner", "signal")
_number = click.argument("number", type=int)
_by = click.option("--by", required=True, metavar="ROLE", help="Who: a role, never a name.")
_reason = click.option("--reason", required=True, help="Why, in words that the person can read.")


@click.group()
def disputes() -> None:
    """Open and decide disputes of signals, with their deadlines (at the hub).

    A signal does not count while it is disputed or in review. Days are UTC days; business days leave out
    weekends, and know of no public holidays.
    """


@disputes.command(name="open")
@at_hub
@click.argument("person")
@click.argument("signal")
@click.option("--partner", required=True, metavar="URL", help="Who sent the signal: its issuer.")
@click.option(
    "--reason", required=True, help="What is wrong with it, in the person's words; the source reads it."
)
def open_dispute(hub_path: Path, person: str, signal: str, partner: str, reason: str) -> None:
    """PERSON disputes SIGNAL. It stops counting at once.

    The ids of a person's signals are in what sesame export writes.
    """
    with hub_at(hub_path) as hub:
        found = hub.rights.dispute(person, partner, signal, reason)
    note(f"dispute {found.number} is open, and the signal does not count")
    _tell_next(found)


@disputes.command(name="list")
@at_hub
@click.option("--person", help="Only this person's.")
@click.option("--overdue", "late", is_flag=True, help="Only those with something that should be done by now.")
@as_json
def list_disputes(hub_path: Path, person: str | None, late: bool, as_json: bool) -> None:
    """List disputes with what is to be done next, and by when."""
    today = now().date()
    with hub_at(hub_path) as hub:
        found = hub.rights.disputes(person)
    rows = [_row(one, today) for one in found]
    if late:
        rows = [row for row in rows if row["standing"] == "overdue"]
    if as_json:
        emit(rows)
    else:
        # What is needed to look closer, and fits a terminal: the rest is in show.
        short = [{name: value for name, value in row.items() if name not in _LONG} for row in rows]
        overdue.show(short, empty="no disputes")


@disputes.command(name="show")
@at_hub
@_number
@as_json
def show_dispute(hub_path: Path, number: int, as_json: bool) -> None:
    """Show what happened to a dispute, what is to be done by when, and the person's own statement."""
    with hub_at(hub_path) as hub:
        found = hub.rights.one_dispute(number)
    today = now().date()
    due = [
        {
            "standing": str(each.standing(today)),
            "what": each.what,
            "by the end of": str(each.due),
            "done": f"{each.done_at:%Y-%m-%d %H:%M}" if each.done_at else None,
        }
        for each in found.deadlines()
    ]
    steps = [
        {
            "what": str(step.what),
            "at": f"{step.at:%Y-%m-%d %H:%M}",
            "by": step.by,
            "words": step.words or None,
        }
        for step in found.steps
    ]
    if as_json:
        emit({**_row(found, today), "statement": found.statement, "steps": steps, "deadlines": due})
        return
    note(f"dispute {found.number} of {found.signal}, a {found.kind} by {found.partner}: {found.state}")
    note("it counts" if not found.frozen else "it does not count")
    show(steps, as_json=False, title="What happened")
    overdue.show(due, title="By when")
    if found.statement:
        note(f"the person's own statement: {found.statement}")


@disputes.command()
@at_hub
@_number
@click.argument("outcome", type=click.Choice(["upheld", "rejected"]))
@_by
@_reason
def decide(hub_path: Path, number: int, outcome: str, by: str, reason: str) -> None:
    """Decide a dispute: upheld, the signal never counts again; rejected, it counts again at once."""
    with hub_at(hub_path) as hub:
        _tell_next(hub.rights.decide(number, upheld=outcome == "upheld", by=by, reason=reason))


@disputes.command()
@at_hub
@_number
@_by
@_reason
def extend(hub_path: Path, number: int, by: str, reason: str) -> None:
    """Take 15 days more to decide, once."""
    with hub_at(hub_path) as hub:
        _tell_next(hub.rights.extend(number, by=by, reason=reason))


@disputes.command(name="ask-review")
@at_hub
@_number
@click.option("--words", default="", help="Why, in the person's words.")
def ask_review(hub_path: Path, number: int, words: str) -> None:
    """The person asks for a human review of a dispute that was rejected. The signal stops counting again."""
    with hub_at(hub_path) as hub:
        _tell_next(hub.rights.ask_review(number, words))


@disputes.command()
@at_hub
@_number
@click.argument("outcome", type=click.Choice(["overturned", "confirmed"]))
@_by
@_reason
def review(hub_path: Path, number: int, outcome: str, by: str, reason: str) -> None:
    """Say what a human review came to. ROLE must have the power to overturn, and be another than decided."""
    with hub_at(hub_path) as hub:
        _tell_next(hub.rights.review(number, overturned=outcome == "overturned", by=by, reason=reason))


@disputes.command()
@at_hub
@_number
@_by
def told(hub_path: Path, number: int, by: str) -> None:
    """Write down that the person was told of the latest result. For the source see: sesame notices."""
    with hub_at(hub_path) as hub:
        _tell_next(hub.rights.person_heard(number, by=by))


@disputes.command()
@at_hub
@_number
@click.argument("words")
def statement(hub_path: Path, number: int, words: str) -> None:
    """Put the person's own WORDS, a hundred at most, beside the signal; '' takes them back."""
    with hub_at(hub_path) as hub:
        hub.rights.state(number, words)
    note("the statement stands beside the signal" if words.strip() else "there is no statement any more")


def _row(one: "Dispute", today: date) -> dict[str, Any]:
    ahead = one.next_deadline()
    return {
        "dispute": one.number,
        "standing": str(ahead.standing(today)) if ahead else "done",
        "state": str(one.state),
        "person": one.person,
        "partner": one.partner,
        "kind": one.kind,
        "signal": one.signal,
        "next": ahead.what if ahead else None,
        "by the end of": str(ahead.due) if ahead else None,
    }


def _tell_next(one: "Dispute") -> None:
    ahead = one.next_deadline()
    counts = "does not count" if one.frozen else "counts"
    then = f"next, by the end of {ahead.due}: {ahead.what}" if ahead else "nothing is left to be done"
    note(f"dispute {one.number} is {one.state}, and the signal {counts}; {then}")
