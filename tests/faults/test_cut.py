"""The network is cut half-way: through an answer, and through a request."""

from contextlib import closing
from random import Random

import pytest

from sesame_sdk.delivery.outbox import Outbox
from tests.faults.conftest import Deployment
from tests.faults.fixture_population import BATCH
from tests.faults.processes import DEADLINE
from tests.faults.proxy import breaking
from tests.ports import free_port

ENVELOPES, CUTS = 24, 40


def _cuts(seed: int) -> list[tuple[str, int]]:
    """Anywhere: an answer is some 1,100 bytes, a packed envelope 200,000; a connection carries several."""
    dice = Random(seed)  # noqa: S311 - not a secret
    ways = {"answer": 1_300, "request": 400_000}
    sides = [dice.choice(sorted(ways)) for _ in range(CUTS)]
    return [(side, dice.randrange(ways[side])) for side in sides]


@pytest.mark.long
@pytest.mark.parametrize("seed", [pytest.param(seed, id=f"cut at places by seed {seed}") for seed in (1,)])
def test_an_answer_that_was_cut_is_asked_for_again(deployment: Deployment, seed: int) -> None:
    """A cut client does not know what the hub stored; a second delivery gets the first receipt."""
    sender = deployment.sender(ENVELOPES * BATCH)
    far = free_port()
    with deployment.serving(port=far), breaking(deployment.population.port, to=far, cuts=_cuts(seed)) as way:
        process = sender.begin()
        process.join(DEADLINE)
        assert process.exitcode == 0
        assert min(way.cut["answer"], way.cut["request"]) >= CUTS // 5
    with closing(Outbox(sender.outbox)) as outbox:
        assert outbox.counts().dead == 0
    deployment.check(ENVELOPES * BATCH)
