"""What a plugin's hooks return, checked before anybody relies on it.

Rules:
1. A hook returns an iterable of the objects that its signature names, at most `MAX_OBJECTS` of them.
2. A provider has a short name and declares at least one kind; a consumer carries its declaration; a
   rule has an id, a source and its date; a signer has what `Signer` asks for.
3. Within one plugin no name and no kind is declared twice. Between plugins the registry looks.
"""

import inspect
import re
from collections.abc import Callable, Iterable
from datetime import date
from itertools import islice
from typing import Any

import pluggy
from attrs import frozen

from sesame_sdk.errors import ConfigurationError
from sesame_sdk.interfaces import GuardRule, ScoreConsumer, SignalProvider, Signer
from sesame_sdk.model import validators
from sesame_sdk.model.manifest import ConsumerDeclaration
from sesame_sdk.model.signals import SignalKind

_is_name = re.compile(validators.CONTEXT_PATTERN).fullmatch

#: From each hook. A hook that never stops returning must not hang the program.
MAX_OBJECTS = 100


@frozen
class HookResults:
    """The objects that one plugin registered, read once, so that what was validated is what is used."""

    providers: tuple[SignalProvider[Any], ...] = ()
    consumers: tuple[ScoreConsumer[Any, Any], ...] = ()
    rules: tuple[GuardRule, ...] = ()
    signers: tuple[Signer, ...] = ()
    kinds: tuple[SignalKind, ...] = ()
    declarations: tuple[ConsumerDeclaration, ...] = ()
    claims: tuple[str, ...] = ()


def collect_results(hooks: pluggy.HookRelay) -> HookResults:
    """Call a plugin's registering hooks; `ConfigurationError` names a hook that returns something invalid."""
    providers = _objects(hooks.sesame_signal_providers, SignalProvider, _check_provider)
    consumers = _objects(hooks.sesame_score_consumers, ScoreConsumer, _check_consumer)
    kinds = tuple(kind for provider in providers for kind in provider.kinds)
    declarations = tuple(consumer.declaration for consumer in consumers)
    claims = (
        *(f"provider {provider.name!r}" for provider in providers),
        *(f"kind {kind.name!r}" for kind in kinds),
        *(f"consumer {declaration.name!r}" for declaration in declarations),
    )
    for claim in claims:
        if claims.count(claim) > 1:
            raise ConfigurationError(f"declares {claim} twice")
    return HookResults(
        providers=providers,
        consumers=consumers,
        rules=_objects(hooks.sesame_policy_rules, GuardRule, _check_rule),
        signers=_objects(hooks.sesame_signers, object, _check_signer),
        kinds=kinds,
        declarations=declarations,
        claims=claims,
    )


def _objects(hook: pluggy.HookCaller, kind: type, check: Callable[[str, Any], None]) -> tuple[Any, ...]:
    objects: list[Any] = []
    for result in hook():
        if isinstance(result, str | bytes) or not isinstance(result, Iterable):
            raise _error(hook.name, f"returned {type(result).__name__}, not a tuple of {kind.__name__}")
        objects.extend(islice(result, MAX_OBJECTS + 1))
        if len(objects) > MAX_OBJECTS:
            raise _error(hook.name, f"returned more than {MAX_OBJECTS} objects")
    for one in objects:
        if inspect.isclass(one):
            raise _error(hook.name, f"returned the class {one.__name__}", hint=f"return {one.__name__}()")
        if not isinstance(one, kind):
            raise _error(hook.name, f"returned {type(one).__name__}, which is not a {kind.__name__}")
        check(hook.name, one)
    return tuple(objects)


def _check_provider(hook: str, provider: SignalProvider[Any]) -> None:
    named = type(provider).__name__
    name, kinds = getattr(provider, "name", None), getattr(provider, "kinds", None)
    if not isinstance(name, str) or not _is_name(name):
        raise _error(hook, f"{named}.name must be short, in lower case", hint="write it like: retail")
    if not isinstance(kinds, tuple) or not kinds or not all(isinstance(one, SignalKind) for one in kinds):
        raise _error(hook, f"{named}.kinds must be a tuple of at least one SignalKind")


def _check_consumer(hook: str, consumer: ScoreConsumer[Any, Any]) -> None:
    if not isinstance(getattr(consumer, "declaration", None), ConsumerDeclaration):
        raise _error(hook, f"{type(consumer).__name__}.declaration must be a ConsumerDeclaration")


def _check_rule(hook: str, rule: GuardRule) -> None:
    wanted = {"id": str, "source": str, "dated": date}
    for name, kind in wanted.items():
        if not isinstance(getattr(rule, name, None), kind):
            raise _error(hook, f"{type(rule).__name__}.{name} must be a {kind.__name__}")


def _check_signer(hook: str, signer: object) -> None:
    # Checked without being run: a key in a KMS may fetch its `kid` over the network.
    for name in ("kid", "public_jwk", "sign"):
        if inspect.getattr_static(signer, name, None) is None:
            raise _error(hook, f"{type(signer).__name__} has no {name}", hint="see sesame_sdk.Signer")


def _error(hook: str, what: str, *, hint: str | None = None) -> ConfigurationError:
    return ConfigurationError(what, field=f"{hook}()", hint=hint)
