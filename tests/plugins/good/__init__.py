"""A plugin that does everything right, one object for each hook."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import click

from sesame_sdk import (
    ConsumerDeclaration,
    GuardRule,
    Pseudonymizer,
    Score,
    ScoreConsumer,
    Signal,
    SignalKind,
    SignalProvider,
    Signer,
    Skipped,
    hookimpl,
)

SESAME_API = "1.0"
KEPT = SignalKind("garden.plot.kept", "booking_kept")
WHEN = datetime(2026, 5, 1, tzinfo=UTC)


class Plots(SignalProvider[str]):
    """An event is the number of a plot."""

    name = "garden"
    kinds = (KEPT,)

    def read(self, path: Path) -> Iterator[str | Skipped]:
        """One plot a line."""
        with path.open() as lines:
            yield from (line.strip() for line in lines)

    def signals(self, event: str, pseudonymizer: Pseudonymizer) -> Iterable[Signal | Skipped]:
        """The plot is kept, once."""
        if not event:
            return [Skipped("no plot")]
        made = Signal(
            pseudonymizer.signal_id(KEPT.name, event, WHEN),
            pseudonymizer.pseudonym(event),
            KEPT.name,
            1.0,
            WHEN,
        )
        return (made for _ in range(1))


class Gate(ScoreConsumer[Sequence[str], int]):
    """Answers how many have a score."""

    declaration = ConsumerDeclaration("gate", "https://w3id.org/dpv#CustomerCare", "garden")

    def subjects(self, request: Sequence[str]) -> tuple[str, ...]:
        """All of them."""
        return tuple(request)

    def use(self, request: Sequence[str], scores: Mapping[str, Score | None]) -> int:  # noqa: ARG002 - the hook's
        """How many."""
        return sum(score is not None for score in scores.values())


class NoWeeds(GuardRule):
    """Finds nothing."""

    id = "GRD-1"
    source = "house rules"
    dated = date(2026, 1, 1)


class Key:
    """Signs by naming itself, in an instance attribute and two methods."""

    def __init__(self) -> None:
        self.kid = "key-of-the-garden"

    @property
    def public_jwk(self) -> dict[str, str]:
        """The key of RFC 8037 appendix A.2."""
        return {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}

    def sign(self, data: bytes) -> bytes:
        """No real one."""
        return b"signed " + data


@hookimpl
def sesame_signal_providers() -> Iterable[SignalProvider[str]]:
    """Plots."""
    return (Plots(),)


@hookimpl
def sesame_score_consumers() -> Iterable[ScoreConsumer[Sequence[str], int]]:
    """The gate."""
    return [Gate()]


@hookimpl
def sesame_policy_rules() -> Iterable[GuardRule]:
    """One, from a generator."""
    yield NoWeeds()


@hookimpl
def sesame_signers() -> Iterable[Signer]:
    """One, in a set."""
    return {Key()}


@hookimpl
def sesame_cli_commands(group: click.Group) -> None:
    """One."""

    @group.command()
    def water() -> None:
        """Water the plots."""
        click.echo("watered")
