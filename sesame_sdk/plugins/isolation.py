"""A plugin's objects as the rest of the program gets them: every call caught, every answer checked.

Template methods: the public method is ours, and the plugin's runs inside it.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from sesame_sdk.interfaces import ScoreConsumer, SignalProvider, Signer, Skipped
from sesame_sdk.model.pseudonyms import Pseudonymizer
from sesame_sdk.model.score import Score
from sesame_sdk.model.signals import Signal
from sesame_sdk.plugins.plugin import Plugin

_END = object()


class IsolatedProvider(SignalProvider[Any]):
    """A plugin's provider. Everything that it raises, beside a `SesameError`, sets the plugin aside.

    Raises:
        ConfigurationError: from any method, when the plugin misbehaves or has done so before.
    """

    def __init__(self, plugin: Plugin, inner: SignalProvider[Any]) -> None:
        self._plugin = plugin
        self._inner = inner
        self.name = inner.name  # type: ignore[misc] # a class variable of the plugin's class, ours by instance
        self.kinds = tuple(inner.kinds)  # type: ignore[misc] # the same
        self._spoken = frozenset(kind.name for kind in self.kinds)

    def read(self, path: Path) -> Iterator[Any]:
        """The events of a file, as `SignalProvider.read` says."""
        doing = f"{self.name}.read()"
        events = self._plugin.call(doing, lambda: iter(self._inner.read(path)))
        step = partial(next, events, _END)
        while (event := self._plugin.call(doing, step)) is not _END:
            yield event

    def signals(self, event: Any, identity: Pseudonymizer) -> tuple[Signal | Skipped, ...]:  # noqa: ANN401
        """What one event says, as `SignalProvider.signals` does, with kinds that were declared."""
        said = self._plugin.call(
            f"{self.name}.signals()", lambda: tuple(self._inner.signals(event, identity))
        )
        for one in said:
            if not isinstance(one, Skipped):
                self._check(one)
        return said

    def _check(self, one: object) -> None:
        if not isinstance(one, Signal):
            raise self._plugin.disable(f"{self.name}.signals() returned a {type(one).__name__}")
        if one.kind not in self._spoken:
            raise self._plugin.disable(
                f"{self.name}.signals() used a kind that it never declared: {one.kind}"
            )


class IsolatedConsumer(ScoreConsumer[Any, Any]):
    """A plugin's consumer, guarded in the same way."""

    def __init__(self, plugin: Plugin, inner: ScoreConsumer[Any, Any]) -> None:
        self._plugin = plugin
        self._inner = inner
        self.declaration = inner.declaration  # type: ignore[misc] # a class variable of the plugin's class

    def subjects(self, request: Any) -> tuple[str, ...]:  # noqa: ANN401
        """Whose scores it needs, as `ScoreConsumer.subjects` says."""
        doing = f"{self.declaration.name}.subjects()"
        wanted = self._plugin.call(doing, lambda: tuple(self._inner.subjects(request)))
        if not all(isinstance(one, str) for one in wanted):
            raise self._plugin.disable(f"{doing} returned something that is not a pseudonym")
        return wanted

    def use(self, request: Any, scores: Mapping[str, Score | None]) -> Any:  # noqa: ANN401
        """Its answer, as `ScoreConsumer.use` says."""
        return self._plugin.call(f"{self.declaration.name}.use()", lambda: self._inner.use(request, scores))


class IsolatedSigner:
    """A plugin's signer, guarded in the same way; satisfies `Signer`."""

    def __init__(self, plugin: Plugin, inner: Signer) -> None:
        self._plugin = plugin
        self._inner = inner

    @property
    def kid(self) -> str:
        """As `Signer.kid`."""
        return self._plugin.call("signer.kid", lambda: self._inner.kid)

    @property
    def public_jwk(self) -> dict[str, Any]:
        """As `Signer.public_jwk`."""
        return self._plugin.call("signer.public_jwk", lambda: self._inner.public_jwk)

    def sign(self, data: bytes) -> bytes:
        """As `Signer.sign`."""
        return self._plugin.call("signer.sign()", lambda: self._inner.sign(data))
