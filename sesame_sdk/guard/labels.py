"""How findings name what they are about, within the length that a finding allows."""

from datetime import date

from sesame_sdk.model.grant import Grant, Reading
from sesame_sdk.model.manifest import ConsumerDeclaration
from sesame_sdk.model.policy import Band, Policy, Weighting
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.model.terms import Effect

#: When the sources of the built-in rules were last read.
READ_ON = date(2026, 11, 1)
_LONGEST = 200


def of_kind(kind: SignalKind) -> str:
    """A kind, by its name."""
    return clipped(f"kind {kind.name}")


def of_policy(policy: Policy) -> str:
    """A policy, by its name."""
    return clipped(f"policy {policy.name}")


def of_weighting(policy: Policy, weighting: Weighting) -> str:
    """One kind's entry in a policy."""
    return clipped(f"policy {policy.name}, kind {weighting.kind.name}")


def of_band(policy: Policy, band: Band) -> str:
    """One band of a policy."""
    return clipped(f"policy {policy.name}, band {band.name}")


def of_effect(about: str, effect: Effect) -> str:
    """One effect of a policy or a consumer, which is named in `about`."""
    return clipped(f"{about}, effect {effect.name}")


def of_consumer(consumer: ConsumerDeclaration) -> str:
    """A consumer, by its name."""
    return clipped(f"consumer {consumer.name}")


def of_reading(reading: Reading) -> str:
    """A read, by context and reader; never by the person."""
    return clipped(f"read of {reading.context} by {reading.partner}")


def of_grant(grant: Grant) -> str:
    """A grant, by direction and partner; never by the person."""
    return clipped(f"grant to {grant.direction.value}, to {grant.partner}")


def clipped(text: str, longest: int = _LONGEST) -> str:
    """`text`, cut to `longest` characters."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
