"""``sesame observations``: the catalogues of observations and effects."""

import click

from sesame_sdk.catalogue import effects as effect_catalogue
from sesame_sdk.catalogue import observations as observation_catalogue
from sesame_sdk.catalogue.effects import EffectEntry
from sesame_sdk.catalogue.observations import Observation
from sesame_sdk.cli.console import print_json, print_rows
from sesame_sdk.cli.options import json_option


@click.group()
def observations() -> None:
    """List what a kind may record, and what may follow from a score."""


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
