"""``sesame score`` for partners that may read; ``sesame explain`` for the person's own view at the hub."""

from pathlib import Path

import click
import msgspec

from sesame_sdk.cli import explanation_view
from sesame_sdk.cli.console import as_json, emit, note, show
from sesame_sdk.cli.options import as_partner, at_hub, client_of, hub_at
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.explanation import Explanation, Hypothetical
from sesame_sdk.model.policy import Policy


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
@click.option(
    "--if",
    "supposed",
    multiple=True,
    metavar="KIND=VALUE",
    help="Estimate the score with one more signal of KIND; may be given again.",
)
@as_json
def explain(hub_path: Path, person: str, context: str, supposed: tuple[str, ...], as_json: bool) -> None:
    """Show a person's score with every reason, and who read it (at the hub).

    PERSON is what the hub calls them. What took points comes first, then what lifted the score, then
    what would have to change for the next band. With --if it shows an estimate instead.
    """
    asked = [_supposed(one) for one in supposed]
    with hub_at(hub_path) as hub:
        _check(context, hub.policies())
        if asked:
            estimate = hub.what_if(person, context, asked)
            if as_json:
                emit({"person": person, "context": context, "estimate": estimate})
            else:
                explanation_view.print_estimate(person, estimate)
            return
        found = hub.explain(person, context)
        reads = hub.reads_of(person)
    if as_json:
        emit({"person": person, "context": context, **_fields(found), "reads": reads})
    elif found is None:
        note(f"{person} has no {context} score. That is a full answer, not a low score.")
    else:
        explanation_view.print_explanation(person, found)
        note(f"read {len(reads)} time(s) by partners")


def _fields(found: Explanation | None) -> dict[str, object]:
    fields: dict[str, object] = msgspec.to_builtins(found) if found else {"score": None}
    return fields


def _check(context: str, policies: tuple[Policy, ...]) -> None:
    contexts = [policy.context for policy in policies]
    if context not in contexts:
        known = ", ".join(contexts) or "none; load one with: sesame policy load"
        raise InvalidInputError(f"no policy for {context}", field="context", hint=f"there are: {known}")


def _supposed(text: str) -> Hypothetical:
    """What was written as KIND=VALUE."""
    kind, _, value = text.partition("=")
    try:
        return Hypothetical(kind.strip(), float(value))
    except InvalidInputError as error:
        raise InvalidInputError(error.message, field=f"--if {error.field}", hint=error.hint) from error
    except ValueError as error:
        hint = "write it like retail.order.completed=1"
        raise InvalidInputError("is not KIND=VALUE", field="--if", hint=hint) from error
