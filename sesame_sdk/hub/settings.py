"""A hub's folder and what is set in its ``hub.toml``.

    hub.toml       this room's settings
    signing.jwk    the key that signs receipts (0600)
    hub.sqlite     the ledger, unless ``database`` points elsewhere

A relative SQLite path in ``database`` is taken from the folder, so that the folder can be moved.
"""

import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

from attrs import field, fields, frozen, validators

from sesame_sdk.errors import Misconfigured, Rejected
from sesame_sdk.model import checks
from sesame_sdk.signing.keys import SigningKey

FILE = "hub.toml"
KEY = "signing.jwk"
DATABASE = "sqlite:///hub.sqlite"
MEBIBYTE = 1 << 20


def _whole(least: int, most: int) -> Any:  # noqa: ANN401 - attrs has no public name for what and_ returns
    return validators.and_(validators.instance_of(int), validators.ge(least), validators.le(most))


def _day(_: object, attribute: Any, value: date) -> None:  # noqa: ANN401 - attrs' own
    if type(value) is not date:  # a datetime is a date too, and would name a moment of the day
        raise Rejected("must be a day", field=attribute.name, mend="write it like 2026-06-01")


@frozen
class Settings:
    """How one hub runs.

    Attributes:
        path: the hub's folder.
        issuer: its base URL: ``iss`` of its receipts, ``aud`` of what it takes.
        database: SQLAlchemy URL of the ledger.
        body_limit: bytes that one request may hold, decompressed.
        body_seconds: how long a sender may take over one request's body.
        waiting: requests that may wait for the ledger at once; more are asked to come back.
        group: envelopes written in one transaction at most; senders that keep twice as many under way let the
            hub verify the next while these are written.
        partner_rate: signals that one partner may send in a second, and scores that it may read; 0 does not
            limit any.
        partner_burst: how many of them at once, when it was quiet before.
        future_seconds: how far ahead of our clock a signal may have happened.
        heartbeat_seconds: after so long without a message a stream is told that it is alive.
        as_of: the day that scores are computed for; None means today. Set to replay an old feed.
    """

    path: Path
    issuer: str = field(validator=checks.url)
    database: str = field(default=DATABASE, validator=checks.text(512))
    body_limit: int = field(default=2 * MEBIBYTE, validator=_whole(1024, 64 * MEBIBYTE))
    body_seconds: int = field(default=30, validator=_whole(1, 600))
    waiting: int = field(default=64, validator=_whole(1, 4096))
    group: int = field(default=16, validator=_whole(1, 256))
    partner_rate: int = field(default=10_000, validator=_whole(0, 1_000_000))
    partner_burst: int = field(default=1_000_000, validator=_whole(1, 1_000_000_000))
    future_seconds: int = field(default=300, validator=_whole(0, 86_400))
    heartbeat_seconds: int = field(default=30, validator=_whole(1, 3600))
    as_of: date | None = field(default=None, validator=validators.optional(_day))

    @property
    def database_url(self) -> str:
        """`database` with a relative SQLite path made absolute."""
        scheme, separator, name = self.database.partition(":///")
        if scheme.startswith("sqlite") and separator and not Path(name).is_absolute():
            return f"{scheme}:///{self.path.resolve() / name}"
        return self.database

    @property
    def key_path(self) -> Path:
        """Where the hub's signing key lies."""
        return self.path / KEY


def create_hub(path: Path, *, issuer: str, as_of: date | None = None) -> Settings:
    """Make a hub's folder (0700) with a new key and settings. The database is made when first opened.

    Raises:
        Misconfigured: the folder holds something already, or cannot be made.
        Rejected: `issuer` is not a URL.
    """
    settings = Settings(path, issuer, as_of=as_of)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise Misconfigured("holds something already", field=str(path), mend="name a new folder")
        path.chmod(0o700)
    except OSError as error:
        raise Misconfigured(f"cannot be made: {error.strerror}", field=str(path)) from error
    SigningKey.generate().save(settings.key_path)
    lines = [f"issuer = {json.dumps(issuer)}", f"database = {json.dumps(DATABASE)}"]
    if as_of is not None:
        lines.append(f"as_of = {as_of.isoformat()}")
    (path / FILE).write_text("\n".join([*lines, ""]), encoding="utf-8")
    return settings


def load_settings(path: Path) -> Settings:
    """Read the ``hub.toml`` of a hub's folder.

    Raises:
        Misconfigured: naming the file and the key that is wrong.
    """
    file = path / FILE
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Misconfigured(
            "is not there", field=str(file), mend="make a hub with: sesame hub init"
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"cannot be read: {error}", field=str(file)) from error
    known = {attribute.name for attribute in fields(Settings)} - {"path"}
    if unknown := sorted(set(found) - known):
        raise Misconfigured(f"{unknown[0]} is not a setting", field=str(file), mend=f"one of {sorted(known)}")
    try:
        return Settings(path=path, **found)
    except Rejected as error:
        raise Misconfigured(error.message, field=f"{file}: {error.field}", mend=error.mend) from error
    except (TypeError, ValueError) as error:  # of attrs, which puts much more than a message into it
        raise Misconfigured(str(error.args[0]), field=str(file)) from error
