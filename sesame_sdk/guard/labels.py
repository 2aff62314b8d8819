"""Labels of what findings are about, within the length that a finding allows."""

from datetime import date

from sesame_sdk.model.grant import ReadRequest
from sesame_sdk.model.manifest import ConsumerDeclaration
from sesame_sdk.model.policy import Policy, Weighting
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.model.terms import Effect

#: When the sources of the built-in rules were last checked.
CHECKED_ON = date(2026, 11, 1)
_MAX_LENGTH = 200


def label_kind(kind: SignalKind) -> str:
    """A kind, by its name."""
    return truncate(f"kind {kind.name}")


def label_policy(policy: Policy) -> str:
    """A policy, by its name."""
    return truncate(f"policy {policy.name}")


def label_weighting(policy: Policy, weighting: Weighting) -> str:
    """One kind's entry in a policy."""
    return truncate(f"policy {policy.name}, kind {weighting.kind.name}")


def label_effect(about: str, effect: Effect) -> str:
    """One effect of the policy or consumer labelled `about`."""
    return truncate(f"{about}, effect {effect.effect}")


def label_consumer(consumer: ConsumerDeclaration) -> str:
    """A consumer, by its name."""
    return truncate(f"consumer {consumer.name}")


def label_reading(reading: ReadRequest) -> str:
    """A read, by context and reader; never by the person."""
    return truncate(f"read of {reading.context} by {reading.partner}")


def truncate(text: str, max_length: int = _MAX_LENGTH) -> str:
    """`text`, cut to `max_length` characters."""
    return text if len(text) <= max_length else f"{text[: max_length - 1]}…"
