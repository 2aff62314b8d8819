"""``sesame disputes``: people contest signals, and the hub's operator decides."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sesame_sdk.cli.console import print_deadlines, print_json, print_note, print_rows
from sesame_sdk.cli.options import hub_option, json_option, open_hub, utc_now

if TYPE_CHECKING:
    from sesame_sdk.hub.rights.dispute_model import Dispute

#: Columns that are too long for the list; `show` has them.
_LONG_COLUMNS = ("partner", "signal")
_number = click.argument("number", type=int)
_role = click.option("--role", required=True, help="The role of who acts, never a name.")
_reason = click.option("--reason", required=True, help="The reason, as the person will read it.")


@click.group()
def disputes() -> None:
    """Open, review and decide disputes.

    A signal does not count while it is disputed or in review. Days are UTC days; business days exclude
    weekends but not public holidays.
    """


@disputes.command(name="open")
@hub_option()
@click.argument("person")
@click.argument("signal")
@click.option("--partner", required=True, metavar="URL", help="The issuer of the partner that sent it.")
@click.option("--reason", required=True, help="What is wrong, in the person's words; the partner reads it.")
def open_dispute(hub_dir: Path, person: str, signal: str, partner: str, reason: str) -> None:
    """Record that PERSON disputes SIGNAL.

    The signal stops counting at once. Its id is in the output of: sesame people export.
    """
    with open_hub(hub_dir) as hub:
        dispute = hub.rights.open_dispute(person, partner, signal, reason)
    _print_next(dispute)


@disputes.command(name="list")
@hub_option()
@click.option("--person", help="Only this person's disputes.")
@click.option("--overdue", is_flag=True, help="Only disputes with a missed deadline.")
@json_option
def list_disputes(hub_dir: Path, person: str | None, overdue: bool, as_json: bool) -> None:
    """List disputes with their next deadline."""
    today = utc_now().date()
    with open_hub(hub_dir) as hub:
        rows = [_row(dispute, today) for dispute in hub.rights.list_disputes(person)]
    if overdue:
        rows = [row for row in rows if row["deadline_status"] == "overdue"]
    if as_json:
        print_json(rows)
    else:
        short = [{name: row[name] for name in row if name not in _LONG_COLUMNS} for row in rows]
        print_deadlines(short, empty="no disputes")


@disputes.command(name="show")
@hub_option()
@_number
@json_option
def show_dispute(hub_dir: Path, number: int, as_json: bool) -> None:
    """Show a dispute's steps, deadlines and statement."""
    with open_hub(hub_dir) as hub:
        dispute = hub.rights.get_dispute(number)
    today = utc_now().date()
    deadlines = [
        {
            "deadline_status": str(deadline.status(today)),
            "action": deadline.task,
            "due": str(deadline.due),
            "done_at": f"{deadline.done_at:%Y-%m-%d %H:%M}" if deadline.done_at else None,
        }
        for deadline in dispute.deadlines()
    ]
    steps = [
        {
            "action": str(step.action),
            "at": f"{step.happened_at:%Y-%m-%d %H:%M}",
            "role": step.actor,
            "reason": step.comment or None,
        }
        for step in dispute.steps
    ]
    if as_json:
        print_json(
            {**_row(dispute, today), "statement": dispute.statement, "steps": steps, "deadlines": deadlines}
        )
        return
    print_note(
        f"dispute {number} of {dispute.signal}, a {dispute.kind} by {dispute.partner}: {dispute.state}"
    )
    print_note("the signal does not count" if dispute.restricts_signal else "the signal counts")
    print_rows(steps, title="Steps")
    print_deadlines(deadlines, title="Deadlines")
    if dispute.statement:
        print_note(f"the person's statement: {dispute.statement}")


@disputes.command()
@hub_option()
@_number
@click.argument("outcome", type=click.Choice(["upheld", "rejected"]))
@_role
@_reason
def decide(hub_dir: Path, number: int, outcome: str, role: str, reason: str) -> None:
    """Decide a dispute: upheld or rejected.

    After upheld, the signal never counts again; after rejected, it counts again at once.
    """
    with open_hub(hub_dir) as hub:
        _print_next(hub.rights.decide(number, upheld=outcome == "upheld", by=role, reason=reason))


@disputes.command()
@hub_option()
@_number
@_role
@_reason
def extend(hub_dir: Path, number: int, role: str, reason: str) -> None:
    """Extend the deadline to decide by 15 days, once."""
    with open_hub(hub_dir) as hub:
        _print_next(hub.rights.extend(number, by=role, reason=reason))


@disputes.command(name="request-review")
@hub_option()
@_number
@click.option("--reason", default="", help="The reason, in the person's words.")
def request_review(hub_dir: Path, number: int, reason: str) -> None:
    """Record that the person requests a human review.

    The dispute must be rejected. The signal stops counting again.
    """
    with open_hub(hub_dir) as hub:
        _print_next(hub.rights.request_review(number, reason))


@disputes.command()
@hub_option()
@_number
@click.argument("outcome", type=click.Choice(["overturned", "confirmed"]))
@_role
@_reason
def review(hub_dir: Path, number: int, outcome: str, role: str, reason: str) -> None:
    """Record the outcome of a human review.

    The role must have the power to overturn, and must not be the one that decided.
    """
    with open_hub(hub_dir) as hub:
        _print_next(
            hub.rights.record_review(number, overturned=outcome == "overturned", by=role, reason=reason)
        )


@disputes.command(name="mark-notified")
@hub_option()
@_number
@_role
def mark_notified(hub_dir: Path, number: int, role: str) -> None:
    """Record that the person was notified of the outcome.

    For the partner, see: sesame notices.
    """
    with open_hub(hub_dir) as hub:
        _print_next(hub.rights.record_person_informed(number, by=role))


@disputes.command(name="set-statement")
@hub_option()
@_number
@click.argument("text")
def set_statement(hub_dir: Path, number: int, text: str) -> None:
    """Add the person's statement to the signal.

    At most a hundred words; '' removes it.
    """
    with open_hub(hub_dir) as hub:
        hub.rights.set_statement(number, text)
    print_note("added the statement" if text.strip() else "removed the statement")


def _row(dispute: "Dispute", today: date) -> dict[str, Any]:
    deadline = dispute.next_deadline()
    return {
        "dispute": dispute.number,
        "deadline_status": str(deadline.status(today)) if deadline else "done",
        "state": str(dispute.state),
        "person": dispute.person,
        "partner": dispute.partner,
        "kind": dispute.kind,
        "signal": dispute.signal,
        "next": deadline.task if deadline else None,
        "due": str(deadline.due) if deadline else None,
    }


def _print_next(dispute: "Dispute") -> None:
    deadline = dispute.next_deadline()
    signal = "does not count" if dispute.restricts_signal else "counts"
    following = f"next, by the end of {deadline.due}: {deadline.task}" if deadline else "nothing left to do"
    print_note(f"dispute {dispute.number} is {dispute.state}; the signal {signal}; {following}")
