"""``sesame score`` for partners that may read; ``sesame explain`` for the person's own view at the hub."""

from pathlib import Path

import click

from sesame_sdk.cli.console import as_json, emit, note, show
from sesame_sdk.cli.options import as_partner, at_hub, client_of, hub_at
from sesame_sdk.errors import Rejected
from sesame_sdk.model.score import Score


@click.command()
@as_partner
@click.argument("subjects", nargs=-1, required=True, metavar="SUBJECT...")
@click.option("--purpose", required=True, metavar="IRI", help="Why you read; one that you registered.")
@click.option("--context", required=True, help="Whose policy makes the score.")
@as_json
def score(home: Path, subjects: tuple[str, ...], purpose: str, context: str, as_json: bool) -> None:
    """Read scores as a partner.

    SUBJECTs are your own pseudonyms; the people see that you read. No score is a full answer, and not a
    low one: the person has none, or did not agree to this.
    """
    with client_of(home) as client:
        scores = client.scores(subjects, purpose=purpose, context=context)
    rows = [
        {
            "subject": subject,
            "points": found.points if found else None,
            "band": found.band if found else None,
            "as of": str(found.as_of) if found else None,
        }
        for subject, found in scores.items()
    ]
    show(rows, as_json=as_json)


@click.command()
@at_hub
@click.argument("person")
@click.option("--context", required=True, help="Whose policy makes the score.")
@as_json
def explain(hub_path: Path, person: str, context: str, as_json: bool) -> None:
    """Show a person's score with every reason, and who read it (at the hub).

    PERSON is what the hub calls them.
    """
    with hub_at(hub_path) as hub:
        contexts = [policy.context for policy in hub.policies()]
        if context not in contexts:
            known = ", ".join(contexts) or "none; load one with: sesame policy load"
            raise Rejected(f"no policy for {context}", field="context", mend=f"there are: {known}")
        found = hub.explain(person, context)
        reads = hub.reads_of(person)
    if as_json:
        emit({"person": person, "context": context, "score": found, "reads": reads})
    elif found is None:
        note(f"{person} has no {context} score. That is a full answer, not a low score.")
    else:
        _print_reasons(person, found)
        note(f"read {len(reads)} time(s) by partners")


def _print_reasons(person: str, found: Score) -> None:
    rows: list[dict[str, object]] = [{"points": found.base, "reason": "Where everybody starts", "kind": None}]
    rows += [
        {"points": part.points, "reason": part.reason, "kind": part.kind or None}
        for part in found.contributions
    ]
    rows.append({"points": found.points, "reason": f"Score: {found.band}", "kind": None})
    show(rows, as_json=False, title=f"{person} on {found.as_of}, policy {found.policy}")
