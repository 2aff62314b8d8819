"""A hub's folder, and how the hub runs.

    hub.toml       settings (0600)
    signing.jwk    the key that signs receipts (0600)
    hub.sqlite     the ledger, unless ``database`` points elsewhere
    journal.jsonl  what was taken back, unless ``journal`` points elsewhere (0600): see `journal`

A setting comes from a flag (``--body-limit``), else from the environment (``SESAME_BODY_LIMIT``), else from
``hub.toml``, else it is the default. A relative SQLite path in ``database`` is taken from the folder, so that
the folder can be moved.
"""

import json
import os
import stat
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from attrs import Attribute, field, fields, frozen

from sesame_sdk.errors import ConfigurationError, InvalidInputError
from sesame_sdk.files import write_private_file
from sesame_sdk.hub import asks
from sesame_sdk.hub.asks import SettingType
from sesame_sdk.hub.database_url import has_password, masked
from sesame_sdk.signing.keys import SigningKey

FILE = "hub.toml"
KEY = "signing.jwk"
DATABASE = "sqlite:///hub.sqlite"
MEBIBYTE = 1 << 20
#: What `Loaded.sources` has for a setting that nobody set.
DEFAULT = "default"


def _means(words: str) -> dict[str, str]:
    return {"means": words}


@frozen
class Settings:
    """How one hub runs. What a setting means stands with it, and is shown by ``sesame hub run --help``.

    Attributes:
        path: the hub's folder.
    """

    path: Path
    issuer: str = field(
        validator=asks.URL, metadata=_means("the hub's base URL: iss of its receipts, aud of what it takes")
    )
    database: str = field(
        default=DATABASE,
        validator=asks.text(512, "an SQLAlchemy URL like sqlite:///hub.sqlite"),
        repr=lambda url: repr(masked(url)),
        metadata=_means(
            "the ledger; a password in it must come from the environment or a hub.toml of mode 600"
        ),
    )
    host: str = field(
        default="127.0.0.1",
        validator=asks.text(255, "an address or a name"),
        metadata=_means("address to listen on, behind a proxy that speaks TLS"),
    )
    port: int = field(default=8080, validator=asks.whole(0, 65_535), metadata=_means("0 picks a free one"))
    workers: int = field(
        default=1,
        validator=asks.whole(1, 64),
        metadata=_means("processes that serve the port together; about one a core"),
    )
    body_limit: int = field(
        default=2 * MEBIBYTE,
        validator=asks.whole(1024, 64 * MEBIBYTE),
        metadata=_means("bytes that one request may hold, decompressed"),
    )
    body_seconds: int = field(
        default=30,
        validator=asks.whole(1, 600),
        metadata=_means("how long a sender may take over one request's body"),
    )
    waiting: int = field(
        default=64,
        validator=asks.whole(1, 4096),
        metadata=_means("requests that may wait for the ledger at once; more are asked to come back"),
    )
    # Senders that keep twice as many under way let the hub verify the next while these are written.
    group: int = field(
        default=16,
        validator=asks.whole(1, 256),
        metadata=_means("envelopes written in one transaction at most"),
    )
    partner_rate: int = field(
        default=10_000,
        validator=asks.whole(0, 1_000_000),
        metadata=_means("signals that one partner may send in a second, and scores it may read; 0: no limit"),
    )
    partner_burst: int = field(
        default=1_000_000,
        validator=asks.whole(1, 1_000_000_000),
        metadata=_means("how many of them at once, when it was quiet before"),
    )
    future_seconds: int = field(
        default=300,
        validator=asks.whole(0, 86_400),
        metadata=_means("how far ahead of our clock a signal may have happened"),
    )
    heartbeat_seconds: int = field(
        default=30,
        validator=asks.whole(1, 3600),
        metadata=_means("after so long without a message a stream is told that it is alive"),
    )
    drain_seconds: int = field(
        default=2,
        validator=asks.whole(0, 600),
        metadata=_means(
            "told to stop, for how long to go on answering, not ready, while somebody is connected"
        ),
    )
    stop_seconds: int = field(
        default=10,
        validator=asks.whole(1, 600),
        metadata=_means("then, how long requests that are under way may take"),
    )
    metrics: str = field(
        default="",
        validator=asks.ADDRESS,
        metadata=_means("where Prometheus reads /metrics, such as 127.0.0.1:9464; empty: nowhere"),
    )
    log_level: str = field(
        default="info",
        validator=asks.one_of("debug", "info", "warning", "error"),
        metadata=_means("the least that is logged"),
    )
    log_format: str = field(
        default="auto",
        validator=asks.one_of("auto", "json", "text"),
        metadata=_means("auto is text at a terminal and else one JSON object a line"),
    )
    journal: str = field(
        default="journal.jsonl",
        validator=asks.text(512, "a file's name"),
        metadata=_means("what was taken back since backups were made; best on another disk than the ledger"),
    )
    journal_days: int = field(
        default=35,
        validator=asks.whole(1, 3660),
        metadata=_means("how long it is kept: no backup may be kept longer"),
    )
    as_of: date | None = field(
        default=None,
        validator=asks.DAY,
        metadata=_means("the day that scores are computed for, to replay an old feed; else today"),
    )

    @property
    def database_url(self) -> str:
        """`database` with a relative SQLite path made absolute."""
        scheme, separator, name = self.database.partition(":///")
        if scheme.startswith("sqlite") and separator and not Path(name).is_absolute():
            return f"{scheme}:///{self.path.resolve() / name}"
        return self.database

    @property
    def journal_path(self) -> Path:
        """`journal`, with a relative name taken from the folder."""
        return self.path / self.journal

    @property
    def key_path(self) -> Path:
        """Where the hub's signing key lies."""
        return self.path / KEY


@frozen
class Loaded:
    """Settings, and where each came from: a flag, a variable, a file, or `DEFAULT`."""

    settings: Settings
    sources: Mapping[str, str]


@frozen
class Setting:
    """One setting: its name, what it asks for, what it means, and what it is if nobody sets it."""

    name: str
    ask: SettingType
    means: str
    default: object

    @property
    def flag(self) -> str:
        """The flag that sets it."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"SESAME_{self.name.upper()}"


def _setting(found: "Attribute[Any]") -> Setting:
    assert isinstance(found.validator, SettingType)  # noqa: S101 - for the eyes of mypy: a test looks at each
    return Setting(found.name, found.validator, found.metadata["means"], found.default)


SETTINGS = {found.name: _setting(found) for found in fields(Settings) if found.name != "path"}


def create_hub(path: Path, *, issuer: str, database: str = DATABASE, as_of: date | None = None) -> Settings:
    """Make a hub's folder (0700) with a new key and settings. The tables are made when first opened.

    Args:
        path: the folder.
        issuer: the hub's base URL.
        database: SQLAlchemy URL of the ledger; a PostgreSQL database must be there, and empty.
        as_of: the day that scores are computed for; None means today.

    Raises:
        ConfigurationError: the folder holds something already, or cannot be made.
        InvalidInputError: `issuer` is not a URL.
    """
    settings = Settings(path, issuer, database, as_of=as_of)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise ConfigurationError("holds something already", field=str(path), hint="name a new folder")
        path.chmod(0o700)
    except OSError as error:
        raise ConfigurationError(f"cannot be made: {error.strerror}", field=str(path)) from error
    SigningKey.generate().save(settings.key_path)
    lines = [f"issuer = {json.dumps(issuer)}", f"database = {json.dumps(database)}"]
    if as_of is not None:
        lines.append(f"as_of = {as_of.isoformat()}")
    # Private, since the database's URL may hold a password.
    write_private_file(path / FILE, "\n".join([*lines, ""]).encode())
    return settings


def load_settings(
    path: Path, *, flags: Mapping[str, str] | None = None, environment: Mapping[str, str] = os.environ
) -> Settings:
    """The settings of the hub in a folder; see `read_settings`."""
    return read_settings(path, flags=flags, environment=environment).settings


def read_settings(
    path: Path, *, flags: Mapping[str, str] | None = None, environment: Mapping[str, str] = os.environ
) -> Loaded:
    """The settings of the hub in a folder, and where each came from.

    Args:
        path: the hub's folder.
        flags: by name of the setting, what was given on the command line.
        environment: variables.

    Raises:
        ConfigurationError: naming the flag, the variable, or the file and the key that is wrong.
    """
    file = path / FILE
    given = flags or {}
    values = _in_file(file)
    sources = {name: f"{file}: {name}" for name in values}
    for name, setting in SETTINGS.items():
        for told, key, source in (
            (environment, setting.variable, setting.variable),
            (given, name, setting.flag),
        ):
            if key in told:
                values[name], sources[name] = setting.ask.read(told[key]), source
    if has_password(given.get("database", "")):
        raise ConfigurationError(
            "must not hold a password: others can see it in the list of processes",
            field=SETTINGS["database"].flag,
            hint=f"set {SETTINGS['database'].variable}, or PGPASSFILE and a URL without it",
        )
    return Loaded(_checked(path, values, sources), {name: sources.get(name, DEFAULT) for name in SETTINGS})


def _checked(path: Path, values: Mapping[str, Any], sources: Mapping[str, str]) -> Settings:
    if "issuer" not in values:
        raise ConfigurationError("has no issuer", field=str(path / FILE), hint='add: issuer = "https://..."')
    try:
        return Settings(path=path, **values)
    except InvalidInputError as error:
        raise ConfigurationError(error.message, field=sources[error.field or ""]) from error


def _in_file(file: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(
            "is not there", field=str(file), hint="make a hub with: sesame hub init"
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"cannot be read: {error}", field=str(file)) from error
    if unknown := sorted(found.keys() - SETTINGS.keys()):
        hint = f"one of {sorted(SETTINGS)}"
        raise ConfigurationError(f"{unknown[0]} is not a setting", field=str(file), hint=hint)
    if has_password(str(found.get("database"))) and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(
            "holds a password and is open to others", field=str(file), hint=f"chmod 600 {file}"
        )
    return found
