"""``sesame policy``: check a policy with the guard, load it into a hub, list what is loaded."""

from pathlib import Path

import click

from sesame_sdk.cli.console import print_note, print_rows
from sesame_sdk.cli.findings_view import show_warnings
from sesame_sdk.cli.main import registry
from sesame_sdk.cli.options import INPUT_FILE, hub_option, json_option, open_hub
from sesame_sdk.guard.guard import Guard
from sesame_sdk.scoring.policy_file import load_policy, locate_findings, read_policy_text


@click.group()
def policy() -> None:
    """Check, load and list policies."""


@policy.command()
@click.argument("file", type=INPUT_FILE)
@json_option
@click.pass_context
def check(ctx: click.Context, file: Path, as_json: bool) -> None:
    """Check FILE with the guard and show its weights.

    Exits with 3 if the guard refuses it.
    """
    guard = Guard(registry(ctx).rules)
    checked = load_policy(file, guard)
    if warnings := guard.check_policy(checked):
        show_warnings(warnings, locate_findings(read_policy_text(file), warnings))
    rows = [
        {
            "kind": weighting.kind.name,
            "weight": weighting.weight,
            "half_life_days": weighting.half_life_days,
            "floor": weighting.floor,
            "cap": weighting.cap,
            "partner_cap": weighting.partner_cap,
            "reason": weighting.kind.reason,
        }
        for weighting in checked.weightings
    ]
    print_rows(rows, as_json=as_json, title=f"{checked.name} {checked.version}, digest {checked.digest}")


@policy.command()
@hub_option()
@click.argument("files", type=INPUT_FILE, nargs=-1, required=True, metavar="FILE...")
@click.option("--reviewed-by", default="", metavar="NAME", help="The person that reviewed names in doubt.")
@click.pass_context
def load(ctx: click.Context, hub_dir: Path, files: tuple[Path, ...], reviewed_by: str) -> None:
    """Load each FILE as the policy of its context.

    The guard checks all files before any is loaded. Where it doubts the name of a policy, a person reviews
    it.
    """
    with open_hub(hub_dir, rules=registry(ctx).rules) as hub:
        guard = hub.approved_guard()
        policies = [load_policy(file, guard) for file in files]
        for checked in policies:
            hub.set_policy(checked, reviewed_by=reviewed_by)
            print_note(
                f"loaded {checked.name} {checked.version} for context {checked.context}"
                f" (digest {checked.digest})"
            )


@policy.command(name="list")
@hub_option()
@json_option
def list_policies(hub_dir: Path, as_json: bool) -> None:
    """List a hub's policies, one for each context."""
    with open_hub(hub_dir) as hub:
        rows = [
            {
                "context": loaded.context,
                "name": loaded.name,
                "version": loaded.version,
                "digest": loaded.digest,
                "kinds": tuple(weighting.kind.name for weighting in loaded.weightings),
            }
            for loaded in hub.list_policies()
        ]
    print_rows(rows, as_json=as_json, empty="no policies; load one with: sesame policy load")
