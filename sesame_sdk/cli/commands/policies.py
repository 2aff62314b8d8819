"""``sesame policy``: what the guard says of a policy, loading one into a hub, and what is loaded."""

from pathlib import Path

import click

from sesame_sdk.cli.console import as_json, note, show
from sesame_sdk.cli.findings_view import show_warnings
from sesame_sdk.cli.main import registry
from sesame_sdk.cli.options import at_hub, hub_at
from sesame_sdk.guard.guard import Guard
from sesame_sdk.scoring.policy_file.loader import finding_lines, load_policy, read_text

a_file = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def policy() -> None:
    """Check a policy with the guard, load it into a hub, list what is loaded."""


@policy.command()
@click.argument("file", type=a_file)
@as_json
@click.pass_context
def check(ctx: click.Context, file: Path, as_json: bool) -> None:
    """Show what FILE weighs, once the guard has passed it. A refused one ends with exit code 3."""
    guard = Guard(registry(ctx).rules)
    checked = load_policy(file, guard)
    if warnings := guard.policy(checked):
        show_warnings(warnings, finding_lines(read_text(file), warnings))
    rows = [
        {
            "kind": weighting.kind.name,
            "weight": weighting.weight,
            "half-life (days)": weighting.half_life_days,
            "floor": weighting.floor,
            "cap": weighting.cap,
            "partner cap": weighting.partner_cap,
            "reason": weighting.kind.reason,
        }
        for weighting in checked.weightings
    ]
    show(rows, as_json=as_json, title=f"{checked.name} {checked.version}, digest {checked.digest}")


@policy.command()
@at_hub
@click.argument("files", type=a_file, nargs=-1, required=True, metavar="FILE...")
@click.pass_context
def load(ctx: click.Context, hub_path: Path, files: tuple[Path, ...]) -> None:
    """Make each FILE the hub's policy for its context. The guard sees all before any is loaded."""
    rules = registry(ctx).rules
    guard = Guard(rules)
    loaded = [load_policy(file, guard) for file in files]
    with hub_at(hub_path, rules=rules) as hub:
        for one in loaded:
            hub.set_policy(one)
            note(f"{one.name} {one.version} now makes the {one.context} score (digest {one.digest})")


@policy.command(name="list")
@at_hub
@as_json
def list_policies(hub_path: Path, as_json: bool) -> None:
    """List the policies that make the hub's scores, one for each context."""
    with hub_at(hub_path) as hub:
        rows = [
            {
                "context": one.context,
                "name": one.name,
                "version": one.version,
                "digest": one.digest,
                "kinds": tuple(weighting.kind.name for weighting in one.weightings),
            }
            for one in hub.policies()
        ]
    show(rows, as_json=as_json, empty="no policy yet; load one with: sesame policy load")
