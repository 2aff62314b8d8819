"""``sesame score`` for readers, ``sesame explain`` at the hub."""

from pathlib import Path

import click
import msgspec

from sesame_sdk.catalogue.observations import Language
from sesame_sdk.cli import explanation_view
from sesame_sdk.cli.console import print_json, print_note, print_rows
from sesame_sdk.cli.options import config_option, hub_option, json_option, open_client, open_hub
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.explanation import Hypothetical
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.score import Score
from sesame_sdk.scoring.explain import in_language


@click.command()
@config_option()
@click.argument("subjects", nargs=-1, required=True, metavar="SUBJECT...")
@click.option("--purpose", required=True, metavar="IRI", help="A registered purpose.")
@click.option("--context", required=True, help="The context of the scores.")
@json_option
def score(config_dir: Path, subjects: tuple[str, ...], purpose: str, context: str, as_json: bool) -> None:
    """Read scores from a hub.

    SUBJECTs are the partner's own pseudonyms; people can see who read their score. A missing score is not a
    low score: the person has none, or did not consent to this purpose.
    """
    with open_client(config_dir) as client:
        scores = client.scores(subjects, purpose=purpose, context=context)
    print_rows([score_row(subject, score) for subject, score in scores.items()], as_json=as_json)


def score_row(subject: str, score: Score | None) -> dict[str, object]:
    """One subject's score as a row of a table."""
    return {
        "subject": subject,
        "points": score.points if score else None,
        "band": score.band if score else None,
        "as_of": str(score.as_of) if score else None,
    }


@click.command()
@hub_option()
@click.argument("person")
@click.option("--context", required=True, help="The context of the score.")
@click.option(
    "--what-if",
    "hypotheticals",
    multiple=True,
    metavar="KIND=VALUE",
    help="Estimate the score with one more signal; repeatable.",
)
@click.option("--language", type=click.Choice(("en", "zh")), default="en", help="Of the reasons.")
@json_option
def explain(
    hub_dir: Path,
    person: str,
    context: str,
    hypotheticals: tuple[str, ...],
    language: Language,
    as_json: bool,
) -> None:
    """Explain a person's score.

    PERSON is the hub's own id of the person. Reasons that took points come first, then reasons that added
    points, then what would reach the next band. With --what-if, an estimate is shown instead.
    """
    signals = [_parse_hypothetical(text) for text in hypotheticals]
    with open_hub(hub_dir) as hub:
        policies = hub.list_policies()
        _check_context(context, policies)
        if signals:
            estimate = hub.what_if(person, context, signals)
            if as_json:
                print_json({"person": person, "context": context, "estimate": estimate})
            else:
                explanation_view.print_estimate(person, estimate)
            return
        explanation = hub.explain(person, context)
        if explanation and language != "en":
            (policy,) = [one for one in policies if one.context == context]
            explanation = in_language(explanation, policy, language)
        reads = hub.list_score_reads(person)
    if as_json:
        fields = msgspec.to_builtins(explanation) if explanation else {"score": None}
        print_json({"person": person, "context": context, **fields, "reads": reads})
    elif explanation is None:
        print_note(f"{person} has no {context} score; no score is not a low score")
    else:
        explanation_view.print_explanation(person, explanation)
        print_note(f"read {len(reads)} time(s) by partners")


def _check_context(context: str, policies: tuple[Policy, ...]) -> None:
    contexts = [policy.context for policy in policies]
    if context not in contexts:
        available = ", ".join(contexts) or "none; load a policy with: sesame policy load"
        raise InvalidInputError(
            f"no policy for {context}", field="context", hint=f"available contexts: {available}"
        )


def _parse_hypothetical(text: str) -> Hypothetical:
    """A signal written as KIND=VALUE."""
    kind, _, value = text.partition("=")
    try:
        return Hypothetical(kind.strip(), float(value))
    except InvalidInputError as error:
        raise InvalidInputError(error.message, field=f"--what-if {error.field}", hint=error.hint) from error
    except ValueError as error:
        hint = "write it like retail.order.completed=1"
        raise InvalidInputError("is not KIND=VALUE", field="--what-if", hint=hint) from error
