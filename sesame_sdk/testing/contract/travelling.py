"""The way of a provider's signals: a real client, a real envelope, a hub in memory, and its receipt."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from attrs import evolve

from sesame_sdk.interfaces import SignalProvider
from sesame_sdk.model.signals import Signal
from sesame_sdk.testing.clock import Clock
from sesame_sdk.testing.contract.provider_checks import speak
from sesame_sdk.testing.in_memory_transport import client_of
from sesame_sdk.testing.memory.hub import MemoryHub
from sesame_sdk.testing.partner import LONG_AGO, Partner, manifest

_US = "https://partner.example"


def lost(provider: SignalProvider[Any], events: Sequence[object], outbox: Path) -> Iterator[str]:
    """Everything that the samples say of people who agreed arrives, once, as it was said.

    Args:
        provider: of the plugin.
        events: the samples.
        outbox: a file that is not there yet.
    """
    known = {kind.name for kind in provider.kinds}
    said = [one for event in events for one in speak(provider, event).signals if one.kind in known]
    if not said:
        return
    clock = Clock(max(LONG_AGO, *(signal.occurred_at for signal in said)) + timedelta(days=1))
    hub = MemoryHub(clock=clock)
    partner = Partner(_US, hub, hub.issuer, clock).join(manifest(provider.kinds))
    _let_send(partner, said)
    with client_of(
        hub, issuer=_US, hub_issuer=hub.issuer, signer=partner.key, outbox=outbox, clock=clock
    ) as client:
        for _ in range(2):
            client.post(said)
            client.deliver()
        receipts = list(client.receipts())
        yield from (f"the hub rejected an envelope: {letter.reason}" for letter in client.dead_letters())
    for reason in sorted({dropped.reason for receipt in receipts for dropped in receipt.dropped}):
        yield f"the hub drops signals: {reason}"
    accepted = {(signal.subject, signal.id) for signal in hub.signals(_US)}
    wanted = {(signal.subject, signal.id) for signal in said}
    if sum(receipt.accepted for receipt in receipts) != len(accepted):
        yield "signals that are sent again count again"
    if not any(receipt.dropped for receipt in receipts) and accepted != wanted:
        yield "not everything that was said has arrived"
    elif set(hub.signals(_US)) - set(said):
        yield "something arrived otherwise than it was said"


def _let_send(partner: Partner, said: Sequence[Signal]) -> None:
    """Everybody agrees to everything, under the very pseudonyms that the provider uses."""
    kinds = tuple({signal.kind: None for signal in said})
    for number, subject in enumerate(dict.fromkeys(signal.subject for signal in said)):
        person, grant = partner.lets_send(f"person {number}", *kinds)
        partner.hub.add_grants([(person, evolve(grant, subject=subject))])
