"""The hub's own keys: the one that signs now, and all that it publishes.

    signing.jwk       the key that signs (0600); running processes take the next one when it is there
    signing.next.jwk  the next one (0600), while a rotation is under way
    keys.jwks         the published set, from the first rotation on: see `signing.published_keys`

The next key is published before it signs. Several machines share a hub's keys by sharing these files: copy
``keys.jwks`` first, ``signing.jwk`` last.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sesame_sdk.errors import ConfigurationError, InvalidInputError
from sesame_sdk.files import keep_owner, locked_folder, replace_private_file, sync_folder
from sesame_sdk.hub.settings import Settings
from sesame_sdk.model import codec
from sesame_sdk.signing.keys import KeyFile, SigningKey
from sesame_sdk.signing.published_keys import PublishedKeys

NEXT_KEY_FILE = "signing.next.jwk"
PUBLISHED_FILE = "keys.jwks"


def load_published(settings: Settings) -> PublishedKeys:
    """The keys that the hub publishes; the one that signs is always among them.

    `ConfigurationError`: a file cannot be read.
    """
    path = settings.path / PUBLISHED_FILE
    try:
        published = PublishedKeys.from_json(path.read_bytes()) if path.exists() else PublishedKeys()
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", field=str(path)) from error
    except InvalidInputError as error:
        hint = "restore it from a backup; without it, partners have to confirm the hub's key"
        raise ConfigurationError(f"is not a set of keys: {error}", field=str(path), hint=hint) from error
    return published.with_key(KeyFile(settings.key_path).public_jwk)


def pending_key(settings: Settings) -> str | None:
    """The thumbprint of the next key of a rotation that was interrupted; None without one."""
    file = settings.path / NEXT_KEY_FILE
    with locked_folder(settings.path):  # against one that is running
        return SigningKey.load(file).kid if file.exists() else None


def rotate(settings: Settings, overlap: timedelta, now: datetime) -> str:
    """Create a key, which the present one announces, and sign with it. Returns its thumbprint.

    Partners follow the announcement. The present key ends after `overlap`.

    Raises:
        ConfigurationError: the folder cannot be written.
        InvalidInputError: `overlap` is out of range.
    """

    def change(published: PublishedKeys, present: SigningKey, following: SigningKey) -> PublishedKeys:
        return published.rotated(present, following, issuer=settings.issuer, now=now, overlap=overlap)

    return _replace(settings, change)


def replace_revoked(settings: Settings, since: datetime, now: datetime) -> str:
    """Revoke the present key from `since` on, and sign with a new one. Returns its thumbprint.

    Nothing announces the new key, since a thief could announce one too: each partner has to confirm it.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    return _replace(settings, lambda published, *pair: published.revoked(*pair, now=now, since=since))


def _replace(
    settings: Settings, change: Callable[[PublishedKeys, SigningKey, SigningKey], PublishedKeys]
) -> str:
    present_file, next_file = settings.key_path, settings.path / NEXT_KEY_FILE
    try:
        with locked_folder(settings.path):
            published = load_published(settings)
            if not next_file.exists():
                SigningKey.generate().save(next_file)
            following = SigningKey.load(next_file)
            if following.kid not in {key.kid for key in published.keys}:  # else an interrupted change goes on
                published = change(published, SigningKey.load(present_file), following)
                replace_private_file(settings.path / PUBLISHED_FILE, codec.encode(published.to_dict()))
                keep_owner(settings.path / PUBLISHED_FILE, present_file)
            keep_owner(next_file, present_file)
            sync_folder(settings.path)
            next_file.replace(present_file)
            sync_folder(settings.path)
    except OSError as error:
        message = f"cannot be written: {error.strerror}"
        raise ConfigurationError(message, field=str(settings.path)) from error
    return following.kid
