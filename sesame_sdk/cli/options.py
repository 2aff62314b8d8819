"""Options and helpers that several command groups share."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sesame_sdk.errors import ConfigurationError, InvalidInputError

if TYPE_CHECKING:
    from sesame_sdk.hub.hub import Hub
    from sesame_sdk.partner.client import Client
    from sesame_sdk.partner.config import PartnerConfig

FolderOption = Callable[[Callable[..., Any]], Callable[..., Any]]

as_partner: FolderOption = click.option(
    "--as",
    "home",
    required=True,
    envvar="SESAME_HOME",
    type=click.Path(path_type=Path),
    help="The partner's folder, made by: sesame keys new.  [env: SESAME_HOME]",
)
at_hub: FolderOption = click.option(
    "--hub",
    "hub_path",
    required=True,
    envvar="SESAME_HUB",
    type=click.Path(path_type=Path),
    help="The hub's folder, made by: sesame hub init.  [env: SESAME_HUB]",
)


def load_home(path: Path) -> "PartnerConfig":
    """The partner's keys and settings."""
    from sesame_sdk.partner.config import PartnerConfig

    return PartnerConfig.load(path)


def client_of(path: Path) -> "closing[Client]":
    """A client of the partner whose folder this is, to be used in a ``with``."""
    from sesame_sdk.partner.client import Client

    return closing(Client.at(load_home(path)))


def hub_at(path: Path, *, rules: Any = ()) -> "closing[Hub]":  # noqa: ANN401 - guard rules of plugins
    """The hub whose folder this is, to be used in a ``with``."""
    with needing_hub():
        from sesame_sdk.hub.hub import Hub
    return closing(Hub.open(path, rules=rules))


@contextmanager
def needing_hub() -> Iterator[None]:
    """Import what only ``sesame-sdk[hub]`` brings; a clear error where it is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{error.name} is not installed", field="hub", hint="pip install 'sesame-sdk[hub]'"
        ) from error


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def moment(text: str, *, field: str) -> datetime:
    """A moment written by RFC 3339, in UTC.

    Raises:
        InvalidInputError: naming `field`, when it is none or has no zone.
    """
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # told below, as for a moment without a zone
    raise InvalidInputError(
        "is no moment with a zone", field=field, hint="write it like 2026-05-01T10:00:00Z"
    )
