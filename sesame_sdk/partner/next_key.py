"""The next key of a partner, in a file beside the present one until the hub has accepted it.

Rules:
    * the next key is on disk before it is announced, and takes the place of the present one, in one step,
      when the hub's receipt is in the outbox: at each moment there is a key that the hub accepts
    * an interrupted rotation goes on where it was: see `Client.rotate_key`
    * the secret for pseudonyms and signal ids is never touched
"""

from contextlib import suppress
from pathlib import Path

from sesame_sdk.delivery.messages import Message
from sesame_sdk.delivery.outbox import Outbox
from sesame_sdk.errors import ConfigurationError, RetryableError
from sesame_sdk.files import keep_owner, sync_folder
from sesame_sdk.partner.config import KEY, NEXT_KEY
from sesame_sdk.signing.key_rotation import announcement_jti
from sesame_sdk.signing.keys import SigningKey


class NextKey:
    """The next key in a partner's directory; its announcement is in `outbox`."""

    def __init__(self, folder: Path, outbox: Outbox) -> None:
        self._present, self._file, self._outbox = folder / KEY, folder / NEXT_KEY, outbox

    @property
    def kid(self) -> str | None:
        """The thumbprint of the key of the rotation under way; None without one."""
        key = self._load()
        return None if key is None else key.kid

    def create(self) -> SigningKey:
        """The key of the rotation under way, or a new one."""
        if (key := self._load()) is None:
            key = SigningKey.generate()
            key.save(self._file)
            sync_folder(self._file.parent)
        return key

    def discard(self) -> None:
        """Forget the key and its announcement, which the hub did not accept."""
        if (message := self._announcement("pending", "dead")) is not None:
            self._outbox.remove(message)
        self._file.unlink(missing_ok=True)

    def put_in_force(self) -> None:
        """Replace the present key."""
        keep_owner(self._file, self._present)
        self._file.replace(self._present)
        sync_folder(self._present.parent)

    def complete(self) -> None:
        """Replace the present key if the hub has accepted the next one, unless a rotation is running."""
        if self._announcement("sent") is not None:
            with suppress(RetryableError), self._outbox.rotation_lock():
                if self._announcement("sent") is not None:
                    self.put_in_force()

    def _load(self) -> SigningKey | None:
        """The key in the file; None without one, also if another process put it in force just now."""
        try:
            return SigningKey.load(self._file)
        except ConfigurationError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None
            raise

    def _announcement(self, *states: str) -> Message | None:
        """The message that announces the key, if there is one in one of these states."""
        if (kid := self.kid) is None:
            return None
        found = self._outbox.find(announcement_jti(kid))
        return found[1] if found and found[0] in states else None
