"""``sesame observations``: the catalogues, a hub's own entries, and how partners use their kinds."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sesame_sdk.catalogue import effects as effect_catalogue
from sesame_sdk.catalogue import observations as observation_catalogue
from sesame_sdk.catalogue.effects import EffectEntry
from sesame_sdk.catalogue.observations import Observation
from sesame_sdk.cli.console import print_json, print_note, print_rows
from sesame_sdk.cli.options import INPUT_FILE, hub_option, json_option, open_hub

if TYPE_CHECKING:
    from sesame_sdk.hub.partners.proposals import Proposal


@click.group()
def observations() -> None:
    """List what may be counted, approve entries, watch their use."""


@observations.command(name="list")
@click.option("--effects", "of_effects", is_flag=True, help="List the catalogue of effects instead.")
@json_option
def list_entries(of_effects: bool, as_json: bool) -> None:
    """List the catalogue of observations, or of effects."""
    rows = [_row(name, entry) for name, entry in observation_catalogue.observations().items()]
    if of_effects:
        rows = [_effect_row(name, entry) for name, entry in effect_catalogue.effects().items()]
    print_rows(rows, as_json=as_json)


@observations.command()
@click.argument("name")
def show(name: str) -> None:
    """Show an entry of either catalogue as JSON."""
    entry = observation_catalogue.observations().get(name) or effect_catalogue.effects().get(name)
    if entry is None:
        raise click.BadParameter("is in neither catalogue; see: sesame observations list", param_hint="NAME")
    print_json({name: entry})


@observations.command()
@hub_option()
@click.argument("file", type=INPUT_FILE)
@click.option("--by", required=True, metavar="NAME", help="The person that proposes it.")
def propose(hub_dir: Path, file: Path, by: str) -> None:
    """Propose the entry in FILE to a hub.

    FILE is TOML: one table with the keys that `sesame observations show` prints.

    It counts once two people approved it, at this hub alone.
    """
    name, entry = observation_catalogue.load_proposal(file)
    with open_hub(hub_dir) as hub:
        _print_state(hub.propose_observation(name, entry, by))


@observations.command()
@hub_option()
@click.argument("name")
@click.option("--by", required=True, metavar="NAME", help="The person that approves it.")
def approve(hub_dir: Path, name: str, by: str) -> None:
    """Approve the proposed entry NAME for a hub."""
    with open_hub(hub_dir) as hub:
        _print_state(hub.approve_observation(name, by))


@observations.command()
@hub_option()
@json_option
def proposals(hub_dir: Path, as_json: bool) -> None:
    """List a hub's proposed entries and their approvals."""
    with open_hub(hub_dir) as hub:
        rows = [
            {
                "observation": one.observation,
                "approved": one.is_approved,
                "proposed_by": one.proposed_by,
                "approved_by": tuple(approval.name for approval in one.approvals),
                "reads": one.entry.reads,
                "words": one.entry.en,
                "digest": one.digest,
            }
            for one in hub.list_proposals()
        ]
    print_rows(rows, as_json=as_json, empty="no proposals")


@observations.command()
@hub_option()
@json_option
def usage(hub_dir: Path, as_json: bool) -> None:
    """Compare what partners send with what each observation is.

    A kind that is sent for a part of the records alone shows in nothing but its rate.
    """
    with open_hub(hub_dir) as hub:
        rows = [
            {
                "partner": one.partner,
                "kind": one.kind,
                "observation": one.observation,
                "signals": one.signals,
                "people": one.people,
                "share": round(one.share, 3),
                "busiest_month": one.busiest,
                "mean": round(one.mean, 2),
                "remarks": one.remarks,
            }
            for one in hub.list_kind_usage()
        ]
    print_rows(rows, as_json=as_json, empty="no signals")


def _print_state(proposal: "Proposal") -> None:
    from sesame_sdk.hub.partners.proposals import APPROVERS

    left = APPROVERS - len(proposal.approvals)
    state = f"{left} approval{'s' if left > 1 else ''} missing" if left > 0 else "approved for this hub"
    print_note(f"{proposal.observation}: {state}")


def _row(name: str, entry: Observation) -> dict[str, object]:
    measure = f"{entry.measure} ({entry.unit})" if entry.unit else entry.measure.value
    return {
        "observation": name,
        "measure": measure,
        "polarity": entry.polarity,
        "reads": entry.reads,
        "words": entry.en,
        "zh": entry.zh,
    }


def _effect_row(name: str, entry: EffectEntry) -> dict[str, object]:
    purposes = (iri.rsplit("#", 1)[-1].rsplit(":", 1)[-1] for iri in entry.purpose_iris)
    return {
        "effect": name,
        "people": f"{entry.direction} a band",
        "words": entry.en,
        "zh": entry.zh,
        "purposes": ", ".join(purposes),
    }
