"""A shop whose client is made when its module is loaded: by gunicorn's master, or Celery's main process."""

import os
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path

from celery import Celery
from celery.signals import worker_ready

from sesame_sdk import Client, PartnerConfig, Signal
from tests.conftest import NOON

SHOP = PartnerConfig.load(Path(os.environ["SESAME_CONFIG"]))
CLIENT = Client.from_config(SHOP)
_TASKS = 30
_numbers = count()


def post_one() -> str:
    """Post a signal that no other process posts; its id."""
    kind = "retail.order.completed"
    number = f"{os.getpid()}-{next(_numbers)}"
    subject = SHOP.pseudonymizer.pseudonym("ada")
    signal = Signal(SHOP.pseudonymizer.signal_id(kind, number, NOON), subject, kind, 1.0, NOON)
    CLIENT.post([signal])
    return f"{os.getpid()} {signal.id}"


post_one()  # so that there is a log before the fork


def wsgi(_: object, start_response: Callable[[str, list[tuple[str, str]]], object]) -> Iterable[bytes]:
    """Answer with the signal that is on disk."""
    posted = post_one().encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(posted)))])
    return [posted]


tasks = Celery("shop", broker="memory://")
tasks.conf.update(worker_hijack_root_logger=False, broker_connection_retry_on_startup=True)


@tasks.task
def post_in_worker() -> None:
    """Post in a worker, and write down what was promised."""
    posted = post_one()
    (Path(os.environ["PROMISED"]) / posted.replace(" ", "-")).touch()


@worker_ready.connect
def _begin(**_: object) -> None:
    for _number in range(_TASKS):
        post_in_worker.delay()
