"""Options and helpers that several commands share."""

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

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

#: A file that exists.
INPUT_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
#: A file to be written.
OUTPUT_FILE = click.Path(path_type=Path, dir_okay=False)
DIRECTORY = click.Path(path_type=Path)

json_option: Decorator = click.option("--json", "as_json", is_flag=True, help="Print the data as JSON.")


def config_option(*, required: bool = True) -> Decorator:
    """``--config``: the partner's directory; the parameter is ``config_dir``."""
    return _directory_option("config", "The partner's directory; see: sesame keys new.", required=required)


def hub_option(*, required: bool = True) -> Decorator:
    """``--hub``: the hub's directory; the parameter is ``hub_dir``."""
    return _directory_option("hub", "The hub's directory; see: sesame hub init.", required=required)


def _directory_option(name: str, text: str, *, required: bool) -> Decorator:
    variable = f"SESAME_{name.upper()}"
    return click.option(
        f"--{name}",
        f"{name}_dir",
        required=required,
        envvar=variable,
        metavar="DIR",
        type=DIRECTORY,
        help=f"{text}  [env: {variable}]",
    )


def overlap_option(text: str) -> Decorator:
    """``--overlap-days``: how long the present key stays valid after a rotation."""
    return click.option("--overlap-days", type=click.IntRange(0, 90), default=7, show_default=True, help=text)


def open_client(config_dir: Path) -> "closing[Client]":
    """A client of the partner with this directory, for a ``with``."""
    from sesame_sdk.partner.client import Client
    from sesame_sdk.partner.config import PartnerConfig

    return closing(Client.from_config(PartnerConfig.load(config_dir)))


def open_hub(hub_dir: Path, *, rules: Any = ()) -> "closing[Hub]":  # noqa: ANN401 - guard rules of plugins
    """The hub with this directory, for a ``with``."""
    with require_extra("hub"):
        from sesame_sdk.hub.hub import Hub
    return closing(Hub.open(hub_dir, rules=rules))


@contextmanager
def require_extra(extra: str) -> Iterator[None]:
    """Turn an import that fails into an error that names the extra to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{error.name} is not installed", field=extra, hint=f"pip install 'sesame-sdk[{extra}]'"
        ) from error


def utc_now() -> datetime:
    """The current time, in UTC."""
    return datetime.now(UTC)


def parse_timestamp(text: str, *, field: str) -> datetime:
    """An RFC 3339 timestamp, in UTC; `InvalidInputError` if it is none, or has no time zone."""
    try:
        timestamp = datetime.fromisoformat(text)
        if timestamp.tzinfo is not None:
            return timestamp.astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # reported below, like a timestamp without a time zone
    raise InvalidInputError(
        "is not a timestamp with a time zone", field=field, hint="write it like 2026-05-01T10:00:00Z"
    )
