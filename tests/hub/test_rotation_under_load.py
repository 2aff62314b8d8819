"""Keys change in the middle of many signals, on both sides at once: each signal counts, and counts once."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sesame_sdk import Signal
from sesame_sdk.hub import own_keys
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.settings import create_hub
from sesame_sdk.partner.client import Client
from sesame_sdk.partner.config import PartnerConfig
from tests.commands import run_sesame
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import LONG_AGO, NOON, ORDER, Partner, manifest, policy, weighting
from tests.hub.process import free_port, serving

DAY = timedelta(days=1)
PEOPLE = 50
PER_ENVELOPE = 250


def orders(partner: Partner, first: int) -> Iterator[Signal]:
    """An envelope of orders, of fifty people in turn: small, so that many are on the way."""
    pseudonyms = [partner.pseudonym(f"person {number}") for number in range(PEOPLE)]
    for number in range(first, first + PER_ENVELOPE):
        signal_id = partner.pseudonymizer.signal_id(ORDER, f"{number}", NOON)
        yield Signal(signal_id, pseudonyms[number % PEOPLE], ORDER, 1.0, NOON)


@pytest.mark.parametrize(
    ("count", "rotations"),
    [
        pytest.param(5_000, 1, id="five thousand signals"),
        pytest.param(
            80_000, 8, id="eighty thousand signals", marks=[pytest.mark.long, pytest.mark.timeout(400)]
        ),
    ],
)
def test_partner_and_hub_rotate_in_the_middle_of_many_signals(
    tmp_path: Path, count: int, rotations: int
) -> None:
    """By commands, while one client posts and another delivers; neither is restarted, and nobody confirms."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    settings = create_hub(tmp_path / "hub", issuer=url)
    config = PartnerConfig.create(tmp_path / "shop", issuer="https://shop.example", hub=url)
    with Hub.open(settings.path) as opened, serving(settings.path, port):
        partner = Partner(config.issuer, opened, timestamps.utc_now, pseudonymizer=config.pseudonymizer)
        opened.add_partner(config.issuer, [config.signer.public_jwk], not_before=LONG_AGO)
        opened.set_policy(policy(weighting(ORDERS)))
        for number in range(PEOPLE):
            opened.add_grants(partner.grants(f"person {number}", ORDER))
        posted, failures = threading.Event(), []

        def post() -> None:
            with Client.from_config(PartnerConfig.load(config.path)) as client:
                for first in range(0, count, PER_ENVELOPE):
                    client.post(orders(partner, first))
            posted.set()

        def deliver() -> None:
            with Client.from_config(PartnerConfig.load(config.path)) as client:
                client.register(manifest(ORDERS))
                while not posted.is_set() or client.counts().pending:
                    failures.extend([result] if (result := client.deliver()).dead or result.dropped else [])

        threads = [threading.Thread(target=work) for work in (post, deliver)]
        for thread in threads:
            thread.start()
        for _ in range(rotations):
            for words in (("keys", "rotate", "--config", "shop"), ("hub", "keys", "rotate", "--hub", "hub")):
                done = run_sesame(tmp_path, *words)
                assert done.returncode == 0, done.stderr
        for thread in threads:
            thread.join()

        assert failures == []
        with Client.from_config(config) as client:
            counts = client.counts()
            assert (counts.pending, counts.dead) == (0, 0)
            receipts = list(client.receipts())
        assert sum(receipt.accepted for receipt in receipts) == count
        assert len(opened.list_partners()[0].kids) == rotations + 1
        assert len(own_keys.load_published(settings).rotations) == rotations
        assert opened.rebuild().signals == count
