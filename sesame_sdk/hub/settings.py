"""A hub's folder and its settings.

    hub.toml           settings (0600)
    signing.jwk        the key that signs receipts (0600)
    hub.sqlite         the ledger, unless ``database`` points to another place
    withdrawals.jsonl  withdrawals, erasures and key revocations (0600): see `rights.withdrawal_log`

A setting's value comes from a flag (``--max-body-bytes``), else from the environment
(``SESAME_MAX_BODY_BYTES``), else from ``hub.toml``, else it is the default. A relative SQLite path in
``database`` starts at the folder, so that the folder can be moved.
"""

import json
import os
import re
import stat
import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from attrs import Attribute, field, fields, frozen

from sesame_sdk.constants import MAX_URL_LENGTH
from sesame_sdk.errors import ConfigurationError, InvalidInputError
from sesame_sdk.model import validators
from sesame_sdk.model.issuers import normalize_issuer
from sesame_sdk.signing.keys import SigningKey

SETTINGS_FILE = "hub.toml"
KEY_FILE = "signing.jwk"
DEFAULT_DATABASE = "sqlite:///hub.sqlite"
MEBIBYTE = 1 << 20
#: `Settings.push_networks` of a hub whose readers are on this machine.
LOOPBACK_NETWORKS = "127.0.0.0/8, ::1/128"
#: The source of a setting that is set nowhere.
DEFAULT = "default"
# Wider than the grammar of `sqlalchemy.make_url`, whose `render_as_string` shows what follows an "@" that is
# not escaped in a password, and passwords among the parameters.
_PASSWORD_IN_AUTHORITY = re.compile(r"(?<=://)([^:/@]*):.*@", re.DOTALL)
_PASSWORD_IN_QUERY = re.compile(r"([?&](?:ssl)?password=)[^&]*", re.IGNORECASE)


@frozen
class SettingType:
    """An attrs validator that describes the values it accepts. Its errors never repeat a value.

    Attributes:
        expected: completes the sentence "must be ...".
        is_valid: whether it accepts a value.
        parse: converts the text of a flag or variable; returns the text itself where that is not possible,
            for `is_valid` to refuse.
    """

    expected: str
    is_valid: Callable[[Any], bool]
    parse: Callable[[str], object] = str

    def __call__(self, _: object, attribute: "Attribute[Any]", value: object) -> None:
        """Pass, or raise `InvalidInputError`."""
        if not self.is_valid(value):
            raise InvalidInputError(f"must be {self.expected}", field=attribute.name)


def integer(minimum: int, maximum: int) -> SettingType:
    """An integer between two bounds; neither a bool nor ``1_0``."""

    def is_valid(value: object) -> bool:
        return type(value) is int and minimum <= value <= maximum

    return SettingType(
        f"a whole number from {minimum} to {maximum}",
        is_valid,
        lambda text: int(text) if re.fullmatch(r"[0-9]{1,18}", text) else text,
    )


def text(max_length: int, expected: str) -> SettingType:
    """A text that is not blank."""
    return SettingType(
        expected, lambda value: isinstance(value, str) and 0 < len(value.strip()) <= len(value) <= max_length
    )


def one_of(*choices: str) -> SettingType:
    """One of a few words."""
    return SettingType(
        f"one of {', '.join(choices)}", lambda value: isinstance(value, str) and value in choices
    )


def _is_url(value: object) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= MAX_URL_LENGTH
        and bool(re.fullmatch(validators.URL_PATTERN, value))
        and _normalized(value) == value
    )


def _normalized(value: Any) -> Any:  # noqa: ANN401 - as it is if it is no URL, for `_is_url` to refuse
    try:
        return normalize_issuer(value)
    except InvalidInputError:
        return None


def _is_address(value: object) -> bool:
    if not isinstance(value, str):
        return False
    match = re.fullmatch(r"([^\s:/@]+|\[[0-9a-fA-F:]+\]):([0-9]{1,5})", value)
    return value == "" or (match is not None and 0 < int(match[2]) <= 65_535)


def parse_networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Networks like 10.0.0.0/8, separated by commas. Raises `ValueError`."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def parse_ports(text: str) -> frozenset[int]:
    """Ports, separated by commas. Raises `ValueError`."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if any(not re.fullmatch(r"[0-9]{1,5}", part) or not 0 < int(part) <= 65_535 for part in parts):
        raise ValueError
    return frozenset(map(int, parts))


def _list_of(expected: str, parse: Callable[[str], object]) -> SettingType:
    def is_valid(value: object) -> bool:
        try:
            return isinstance(value, str) and len(value) <= 1024 and parse(value) is not None
        except ValueError:
            return False

    return SettingType(expected, is_valid)


def _parse_day(text: str) -> object:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text or None


URL = SettingType("a URL like https://hub.example", _is_url)
ADDRESS = SettingType("host:port like 127.0.0.1:9464, or empty for none", _is_address)
NETWORKS = _list_of("networks like 10.0.0.0/8, separated by commas, or empty for none", parse_networks)
PORTS = _list_of("ports like 8443, separated by commas, or empty for none", parse_ports)
#: A datetime is a date too, and carries a time of day.
DAY = SettingType("a day like 2026-06-01", lambda value: value is None or type(value) is date, _parse_day)


def mask_password(url: str) -> str:
    """`url` with ``***`` for each password."""
    return _PASSWORD_IN_QUERY.sub(r"\1***", _PASSWORD_IN_AUTHORITY.sub(r"\1:***@", url))


def has_password(url: str) -> bool:
    """Whether a database URL has a password in it."""
    return mask_password(url) != url


def _setting(type: SettingType, help: str, default: Any) -> Any:  # noqa: A002, ANN401 - like attrs' field()
    return field(default=default, validator=type, metadata={"help": help})


@frozen
class Settings:
    """How one hub runs. ``sesame hub run --help`` shows the help of each setting.

    Attributes:
        path: the hub's folder.
    """

    path: Path
    issuer: str = field(
        converter=_normalized,
        validator=URL,
        metadata={"help": "the hub's base URL: iss of its receipts, aud of what partners send"},
    )
    database: str = field(
        default=DEFAULT_DATABASE,
        validator=text(512, "an SQLAlchemy URL like sqlite:///hub.sqlite"),
        repr=lambda url: repr(mask_password(url)),
        metadata={
            "help": "the ledger; a password in it must come from the environment or a hub.toml of mode 600"
        },
    )
    host: str = _setting(
        text(255, "an address or a name"),
        "address to listen on, behind a proxy that terminates TLS",
        "127.0.0.1",
    )
    port: int = _setting(integer(0, 65_535), "port to listen on; 0 picks a free one", 8080)
    workers: int = _setting(integer(1, 64), "worker processes that share the port; about one a core", 1)
    max_body_bytes: int = _setting(
        integer(1024, 64 * MEBIBYTE), "maximum size of a request body, decompressed", 2 * MEBIBYTE
    )
    body_timeout_seconds: int = _setting(integer(1, 600), "maximum time for a request body to arrive", 30)
    max_queue: int = _setting(
        integer(1, 4096), "maximum requests in progress; further ones get 503 with Retry-After", 64
    )
    # Senders with twice as many requests in flight let the hub verify one batch while it writes another.
    batch_size: int = _setting(integer(1, 256), "maximum envelopes in one transaction", 16)
    partner_rate: int = _setting(
        integer(0, 1_000_000),
        "signals that one partner may send, and scores that it may read, per second; 0: no limit",
        10_000,
    )
    partner_burst: int = _setting(
        integer(1, 1_000_000_000), "how many of them it may send or read at once after a pause", 1_000_000
    )
    partner_streams: int = _setting(
        integer(1, 1000), "streams that one partner may have, each for a purpose and context", 16
    )
    jwks_refresh_seconds: int = _setting(
        integer(10, 86_400), "time between two fetches of a partner's JWK set from its URL", 300
    )
    max_clock_skew_seconds: int = _setting(
        integer(0, 86_400), "how far in the future a signal's occurred_at may be", 300
    )
    heartbeat_interval_seconds: int = _setting(integer(1, 3600), "heartbeat interval on idle streams", 30)
    push_timeout_seconds: int = _setting(
        integer(1, 60),
        "maximum time for a whole push to a reader, from the name's resolution to the response",
        10,
    )
    push_networks: str = _setting(
        NETWORKS, "networks that the hub may push to besides public addresses, such as 127.0.0.0/8", ""
    )
    push_ports: str = _setting(
        PORTS, "ports of a reader's host that the hub may push to besides that of its issuer", ""
    )
    drain_timeout_seconds: int = _setting(
        integer(0, 600), "after SIGTERM, keep serving (not ready) for at most this long", 2
    )
    shutdown_timeout_seconds: int = _setting(
        integer(1, 600), "then, maximum time for requests in progress to finish", 10
    )
    metrics_address: str = _setting(
        ADDRESS, "where Prometheus reads /metrics, such as 127.0.0.1:9464; empty: no metrics", ""
    )
    log_level: str = _setting(
        one_of("debug", "info", "warning", "error"), "minimum level of log lines", "info"
    )
    log_format: str = _setting(
        one_of("auto", "json", "text"),
        "auto is text on a terminal and one JSON object a line elsewhere",
        "auto",
    )
    withdrawal_log: str = _setting(
        text(512, "a file name"),
        "file of withdrawals, erasures and key revocations; best on another disk than the ledger",
        "withdrawals.jsonl",
    )
    withdrawal_log_days: int = _setting(
        integer(1, 3660), "how long its entries are kept; keep no backup for longer", 35
    )
    as_of: date | None = field(
        default=None,
        validator=DAY,
        metadata={"help": "compute scores for this day, to replay old data; default: today"},
    )

    @property
    def database_url(self) -> str:
        """`database` with a relative SQLite path made absolute."""
        scheme, separator, name = self.database.partition(":///")
        if scheme.startswith("sqlite") and separator and not Path(name).is_absolute():
            return f"{scheme}:///{self.path.resolve() / name}"
        return self.database

    @property
    def withdrawal_log_path(self) -> Path:
        """`withdrawal_log`; a relative name starts at the folder."""
        return self.path / self.withdrawal_log

    @property
    def key_path(self) -> Path:
        """The file of the hub's signing key."""
        return self.path / KEY_FILE


@frozen
class LoadedSettings:
    """Settings, and the source of each: a flag, a variable, a file, or `DEFAULT`."""

    settings: Settings
    sources: Mapping[str, str]


@frozen
class Setting:
    """One setting, as the command line and the documents describe it."""

    name: str
    type: SettingType
    help: str
    default: object

    @property
    def flag(self) -> str:
        """The flag that sets it."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"SESAME_{self.name.upper()}"


def _describe(attribute: "Attribute[Any]") -> Setting:
    assert isinstance(attribute.validator, SettingType)  # noqa: S101 - for mypy: a test checks every setting
    return Setting(attribute.name, attribute.validator, attribute.metadata["help"], attribute.default)


SETTINGS = {
    attribute.name: _describe(attribute) for attribute in fields(Settings) if attribute.name != "path"
}


def create_hub(
    path: Path, *, issuer: str, database: str = DEFAULT_DATABASE, as_of: date | None = None
) -> Settings:
    """Create a hub's folder (0700) with a new key and settings. Opening the hub creates the tables.

    Args:
        path: the folder.
        issuer: the hub's base URL.
        database: SQLAlchemy URL of the ledger; a PostgreSQL database must exist and be empty.
        as_of: the day that scores are computed for; None means today.

    Raises:
        ConfigurationError: the folder is not empty, or cannot be created.
        InvalidInputError: `issuer` is not a URL.
    """
    settings = Settings(path, issuer, database, as_of=as_of)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise ConfigurationError("the folder is not empty", field=str(path), hint="choose a new folder")
        path.chmod(0o700)
    except OSError as error:
        raise ConfigurationError(f"cannot create folder: {error.strerror}", field=str(path)) from error
    SigningKey.generate().save(settings.key_path)
    lines = [f"issuer = {json.dumps(settings.issuer)}", f"database = {json.dumps(database)}"]
    if as_of is not None:
        lines.append(f"as_of = {as_of.isoformat()}")
    (path / SETTINGS_FILE).touch(mode=0o600)  # it may hold a password later
    (path / SETTINGS_FILE).write_text("\n".join([*lines, ""]), encoding="utf-8")
    return settings


def refuse_password(database: str) -> None:
    """Raise a `ConfigurationError` if the URL of a database that a flag gave contains a password."""
    if has_password(database):
        raise ConfigurationError(
            "must not contain a password: the process list shows it to other users",
            field=SETTINGS["database"].flag,
            hint=f"leave it out, and give it later: in {SETTINGS['database'].variable}, in the file that "
            f"PGPASSFILE names, or in {SETTINGS_FILE} (mode 600)",
        )


def load_settings(
    path: Path, *, flags: Mapping[str, str] | None = None, environment: Mapping[str, str] = os.environ
) -> Settings:
    """The settings of the hub in a folder; see `load_with_sources`."""
    return load_with_sources(path, flags=flags, environment=environment).settings


def load_with_sources(
    path: Path, *, flags: Mapping[str, str] | None = None, environment: Mapping[str, str] = os.environ
) -> LoadedSettings:
    """The settings of the hub in a folder, and the source of each.

    Args:
        path: the hub's folder.
        flags: texts from the command line, by name of the setting.
        environment: variables.

    Raises:
        ConfigurationError: a setting is wrong; names the flag, the variable, or the file and the key.
    """
    file = path / SETTINGS_FILE
    flags = flags or {}
    values = _read_file(file)
    sources = {name: f"{file}: {name}" for name in values}
    for name, setting in SETTINGS.items():
        for texts, key, source in (
            (environment, setting.variable, setting.variable),
            (flags, name, setting.flag),
        ):
            if key in texts:
                values[name], sources[name] = setting.type.parse(texts[key]), source
    refuse_password(flags.get("database", ""))
    if "issuer" not in values:
        raise ConfigurationError("issuer is missing", field=str(file), hint='add: issuer = "https://..."')
    try:
        settings = Settings(path=path, **values)
    except InvalidInputError as error:
        raise ConfigurationError(error.message, field=sources[error.field or ""]) from error
    return LoadedSettings(settings, {name: sources.get(name, DEFAULT) for name in SETTINGS})


def _read_file(file: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(
            "file not found", field=str(file), hint="create a hub with: sesame hub init"
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"cannot be read: {error}", field=str(file)) from error
    if unknown := sorted(values.keys() - SETTINGS.keys()):
        hint = f"one of {sorted(SETTINGS)}"
        raise ConfigurationError(f"unknown setting {unknown[0]}", field=str(file), hint=hint)
    if has_password(str(values.get("database"))) and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(
            "contains a password and is readable by other users", field=str(file), hint=f"chmod 600 {file}"
        )
    return values
