"""A partner's configuration directory: settings, keys and outbox. Accessible to its owner only.

partner.toml      issuer, hub, and capacity (bytes of the outbox) if it is not the default
signing.jwk       the private key (0600)
signing.next.jwk  the next one (0600), while a rotation is under way
identity.secret   32 bytes in hex, from which pseudonyms and signal ids are derived (0600)
outbox.sqlite     posted envelopes and receipts; created on first use
"""

import json
import secrets
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import msgspec
from attrs import field, frozen, validators

from sesame_sdk.delivery.outbox import DEFAULT_CAPACITY
from sesame_sdk.errors import ConfigurationError, InvalidInputError
from sesame_sdk.files import check_private, read_private_file, write_private_file
from sesame_sdk.model import validators as model_validators
from sesame_sdk.model.issuers import normalize_issuer
from sesame_sdk.model.pseudonyms import SECRET_BYTES, Pseudonymizer
from sesame_sdk.signing.keys import KeyFile, SigningKey

SETTINGS, KEY, SECRET, OUTBOX = "partner.toml", "signing.jwk", "identity.secret", "outbox.sqlite"
NEXT_KEY = "signing.next.jwk"
_CREATE_HINT = "create one with: sesame keys new"
_MAX_FILE_BYTES = 65_536


@frozen
class _Settings:
    issuer: str = field(converter=normalize_issuer, validator=model_validators.url)
    hub: str = field(converter=normalize_issuer, validator=model_validators.url)
    capacity: int = field(default=DEFAULT_CAPACITY, validator=validators.ge(1))


@frozen
class PartnerConfig:
    """A partner's configuration.

    Attributes:
        path: its directory.
        issuer: the partner's issuer URL.
        hub: base URL of its hub.
        signer: its key, which follows a rotation.
        pseudonymizer: derives its pseudonyms and signal ids.
        capacity: maximal bytes of envelopes in its outbox.
    """

    path: Path
    issuer: str
    hub: str
    signer: KeyFile
    pseudonymizer: Pseudonymizer
    capacity: int = DEFAULT_CAPACITY

    @property
    def outbox(self) -> Path:
        """The file of its outbox."""
        return self.path / OUTBOX

    @classmethod
    def create(cls, path: Path, *, issuer: str, hub: str) -> Self:
        """Create a directory with new keys, completely or not at all.

        Raises:
            ConfigurationError: `path` exists, or it cannot be created.
            InvalidInputError: `issuer` or `hub` is not a URL.
        """
        settings = _Settings(issuer, hub)
        path = Path(path).absolute()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(
                dir=path.parent, prefix=f".{path.name}-", ignore_cleanup_errors=True
            ) as new:
                _write_files(Path(new), settings)
                Path(new).rename(path)
        except OSError as error:
            raise ConfigurationError(
                f"cannot be created: {error.strerror}", field=str(path), hint="name a new directory"
            ) from error
        return cls.load(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Load a directory that `create` made.

        Raises:
            ConfigurationError: it or one of its files is missing, accessible to other users, or invalid.
        """
        path = Path(path)
        if not path.is_dir():
            raise ConfigurationError("directory not found", field=str(path), hint=_CREATE_HINT)
        check_private(path, path.stat(), "700")
        settings = _read_settings(path / SETTINGS)
        signer, identity = KeyFile(path / KEY), _read_secret(path / SECRET)
        return cls(path, settings.issuer, settings.hub, signer, identity, settings.capacity)


def _write_files(folder: Path, settings: _Settings) -> None:
    SigningKey.generate().save(folder / KEY)
    write_private_file(folder / SECRET, secrets.token_hex(SECRET_BYTES).encode() + b"\n")
    # A JSON string is a TOML basic string, as long as nothing is escaped as a surrogate pair.
    values = {"issuer": settings.issuer, "hub": settings.hub}
    lines = (f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items())
    write_private_file(folder / SETTINGS, "".join(lines).encode())


def _read_settings(path: Path) -> _Settings:
    try:
        values = tomllib.loads(_read_private(path).decode())
        unknown = values.keys() - {"issuer", "hub", "capacity"}
        if unknown:
            raise ConfigurationError(f"has unknown keys: {', '.join(sorted(unknown))}", field=str(path))
        settings = msgspec.convert(values, _Settings)  # calls no converter
        return _Settings(settings.issuer, settings.hub, settings.capacity)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError, InvalidInputError) as error:
        raise ConfigurationError(f"is invalid: {error}", field=str(path)) from error


def _read_secret(path: Path) -> Pseudonymizer:
    try:
        return Pseudonymizer(bytes.fromhex(_read_private(path).decode()))
    except ValueError:
        # Not chained: the message of ValueError could show a part of the secret.
        raise ConfigurationError(
            "must be hexadecimal", field=str(path), hint="restore it from a backup"
        ) from None


def _read_private(path: Path) -> bytes:
    try:
        return read_private_file(path, max_bytes=_MAX_FILE_BYTES)
    except OSError as error:
        raise ConfigurationError(
            f"cannot be read: {error.strerror}", field=str(path), hint=_CREATE_HINT
        ) from error
