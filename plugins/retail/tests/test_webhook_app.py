"""The application of webhooks: secrets, replays, privacy requests, kills, and how it is deployed."""

import base64
import hashlib
import hmac
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn
from attrs import evolve
from click.testing import CliRunner
from sesame_retail.cli import retail
from sesame_retail.money import SCALE
from sesame_retail.provider import Orders
from sesame_retail.upload import OrderSignals
from sesame_retail.webhooks import shopify
from sesame_retail.webhooks.app import Webhooks
from sesame_retail.webhooks.endpoint_check import check_endpoint
from sesame_retail.webhooks.payloads import PrivacyRequest, ShopRules
from sesame_retail.webhooks.processor import PLATFORMS, Delivery, WebhookProcessor
from sesame_retail.webhooks.store import FILE_NAME, Batch, WebhookStore

from sesame_sdk import (
    Client,
    ConfigurationError,
    InvalidInputError,
    PartnerConfig,
    RetryableError,
    SignalUploader,
)

README = Path(__file__).parent.parent / "README.md"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
ORDER: dict[str, Any] = {
    "id": 7,
    "customer": {"id": 1},
    "created_at": "2026-05-01T10:00:00Z",
    "updated_at": "2026-05-01T10:00:01Z",
    "financial_status": "paid",
    "currency": "GBP",
    "total_price": "100.00",
    "refunds": [],
}
REDACT = {"shop_id": 1, "customer": {"id": 1, "email": "john@example.com"}, "orders_to_redact": [7]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A shop's directory; its hub is away."""
    return PartnerConfig.create(
        tmp_path / "shop", issuer="https://shop.example", hub="http://127.0.0.1:9"
    ).path


def sign(body: bytes, secret: bytes = b"hush") -> str:
    """The signature of a platform."""
    return base64.b64encode(hmac.digest(secret, body, hashlib.sha256)).decode()


def send(url: str, payload: object, topic: str, *, secret: bytes = b"hush", **headers: str) -> int:
    """Send a webhook of Shopify's; the status."""
    body = json.dumps(payload).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named |= {"X-Shopify-Hmac-Sha256": sign(body, secret), "X-Shopify-Topic": topic}
    return requests.post(url, data=body, headers=named, timeout=60).status_code


@contextmanager
def serving(application: Any) -> Iterator[str]:
    """Serve an application; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(application, log_level="critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(60)


def test_several_secrets_are_valid_during_a_rotation(folder: Path) -> None:
    """White space around one, such as the end of the line of a file, is no part of it."""
    webhooks = Webhooks(folder, {"/shopify": [b" new\n", "old"]})
    with serving(webhooks) as url:
        answers = [
            send(f"{url}/shopify", ORDER, "orders/paid", secret=each) for each in (b"new", b"old", b"new\n")
        ]
    assert answers == [200, 200, 401]


@pytest.mark.parametrize("secrets", [{"/shopify": []}, {"/shopify": [b"a", b" "]}, {"/shopify": "\n"}])
def test_a_secret_of_white_space_is_none(folder: Path, secrets: dict[str, Any]) -> None:
    """It would let anybody in that has no secret either."""
    with pytest.raises(ConfigurationError, match="needs a secret"):
        Webhooks(folder, secrets)


def test_refused_signatures_are_counted_and_logged_once_a_minute(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With the reason in general terms, and neither the body nor a signature."""
    webhooks = Webhooks(folder, {"/shopify": "hush"})
    with caplog.at_level(logging.INFO), serving(webhooks) as url:
        for _ in range(5):
            assert send(f"{url}/shopify", ORDER, "orders/paid", secret=b"guess") == 401
        assert requests.post(f"{url}/shopify", data=b"{}", timeout=30).status_code == 401
    assert webhooks.refused == {"/shopify": 6}
    lines = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert lines == ["refused a signature at /shopify: it is not of this secret (1 so far)"]


def test_what_is_kept_back_is_logged_and_counted_by_reason(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """At once, and the counts again when the server stops."""
    webhooks = Webhooks(folder, {"/shopify": "hush"})
    with caplog.at_level(logging.INFO), serving(webhooks) as url:
        for number in (1, 2):
            unpaid = ORDER | {"id": number, "financial_status": "pending"}
            assert send(f"{url}/shopify", unpaid, "orders/create") == 200
    assert webhooks.summary.skipped["order that is not paid"].items == 2
    lines = [record.getMessage() for record in caplog.records]
    assert lines.count("kept back: order that is not paid") == 2
    assert "kept back since the start: 2, order that is not paid" in lines


def test_a_refund_in_an_unknown_currency_is_kept_back(folder: Path) -> None:
    """The rest of its order counts."""
    transaction = {"kind": "refund", "status": "success", "amount": "5.00", "currency": "JPY"}
    refund = {"id": 9, "created_at": "2026-05-02T10:00:00Z", "transactions": [transaction]}
    webhooks = Webhooks(folder, {"/shopify": "hush"})
    with serving(webhooks) as url:
        assert send(f"{url}/shopify", ORDER | {"refunds": [refund]}, "orders/paid") == 200
    assert set(webhooks.summary.skipped) == {"refund in a currency that its order does not state"}
    assert webhooks.summary.signals["retail.order.spend"] == 1


def test_webhooks_at_the_same_time_are_all_stored(folder: Path) -> None:
    """Each gets its own answer, and one that cannot be read takes none of its neighbours."""
    webhooks = Webhooks(folder, {"/shopify": "hush"})
    ids = [number if number % 5 else [number] for number in range(1, 101)]
    payloads = [ORDER | {"id": each} for each in ids]
    with serving(webhooks) as url, ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda each: send(f"{url}/shopify", each, "orders/paid"), payloads))
    assert answers == [200] * 100
    assert webhooks.summary.signals["retail.order.completed"] == 80
    assert webhooks.summary.skipped["unreadable id"].items == 20


# Replays, and a process that is killed.


def delivery(payload: object, topic: str = "orders/paid", event: str = "") -> Delivery:
    """A verified webhook."""
    headers = {shopify.TOPIC: topic.encode(), shopify.EVENTS[0]: event.encode()}
    return Delivery(PLATFORMS["/shopify"], headers, json.dumps(payload).encode())


@contextmanager
def processing(
    folder: Path, *, capacity: int | None = None
) -> Iterator[tuple[WebhookProcessor, WebhookStore, Client]]:
    """A processor over the shop's files, as a process has it; its outbox holds `capacity` bytes."""
    shop = PartnerConfig.load(folder)
    shop = evolve(shop, capacity=capacity or shop.capacity)
    store = WebhookStore(folder / FILE_NAME)
    with Client.from_config(shop) as client:
        uploader = SignalUploader(client)
        signals = OrderSignals(Orders(), shop.pseudonymizer, uploader.summary)
        yield WebhookProcessor(store, uploader, signals, ShopRules()), store, client
    store.close()


def outbox_ids(client: Client) -> list[str]:
    """The ids of the signals in the outbox, in their order."""
    texts = [message.body for message in client._outbox.fetch_pending(limit=1000)]
    found = []
    for text in texts:
        for disclosure in text.decode().split("~")[1:-1]:
            decoded = base64.urlsafe_b64decode(disclosure + "=" * (-len(disclosure) % 4))
            found.append(json.loads(decoded)[1]["id"])
    return found


def test_a_replay_does_nothing(folder: Path) -> None:
    """Of the same event, whatever it says the second time."""
    with processing(folder) as (processor, store, client):
        assert processor.process([delivery(ORDER, event="e1")]) == [None]
        before = outbox_ids(client)
        changed = ORDER | {"total_price": "50.00", "updated_at": "2026-05-09T10:00:01Z"}
        assert processor.process([delivery(changed, event="e1")]) == [None]
        assert outbox_ids(client) == before
        assert store.load_state("shopify 7").worth == 100 * SCALE


def test_what_was_stored_and_not_sent_is_sent_after_a_restart(folder: Path) -> None:
    """As a process leaves it that is killed between the two: the same signals under the same ids."""
    refunded = ORDER | {"financial_status": "refunded", "updated_at": "2026-05-02T10:00:00Z"}
    with processing(folder) as (processor, store, client):
        assert processor.process([delivery(ORDER), delivery(refunded)]) == [None, None]
        sent = outbox_ids(client)
        assert len(sent) == 4
        orders, _ = store.unsent_orders()
        assert orders == []
        store.record_sent(0)  # a killed process does not delete what it has sent
    with processing(folder) as (processor, _, client):
        processor.flush()
        assert sorted(outbox_ids(client)) == sorted(sent * 2)
    with processing(folder) as (processor, _, client):
        processor.flush()
        assert len(outbox_ids(client)) == 2 * len(sent)


def test_what_a_full_outbox_did_not_hold_is_sent_later(folder: Path) -> None:
    """The platform is told to retry; its retry, or any other webhook, brings it into the outbox."""
    with processing(folder) as (processor, _, client):
        processor.process([delivery(ORDER, event="e1")])
        (message,) = client._outbox.fetch_pending()
    second = delivery(ORDER | {"id": 8}, event="e2")
    with processing(folder, capacity=len(message.body) * 3 // 2) as (processor, _, client):
        with pytest.raises(RetryableError, match="outbox is full"):
            processor.process([second])
        assert len(outbox_ids(client)) == 3
    with processing(folder) as (processor, _, client):
        assert processor.process([second]) == [None]
        assert len(set(outbox_ids(client))) == 5  # the month of tenure is the same one


# Privacy.


@pytest.mark.parametrize("topic", ["customers/data_request", "customers/redact", "shop/redact"])
def test_a_privacy_request_is_answered_and_kept_for_a_person(folder: Path, topic: str) -> None:
    """Shopify rejects an app that does not answer these, or that answers them unsigned."""
    payload = {"shop_id": 1} if topic == "shop/redact" else REDACT | {"orders_requested": [7]}
    with serving(Webhooks(folder, {"/shopify": "hush"})) as url:
        assert send(f"{url}/shopify", payload, topic, secret=b"guess") == 401
        assert send(f"{url}/shopify", ORDER, "orders/paid") == 200
        assert send(f"{url}/shopify", payload, topic, X_Shopify_Event_Id="r1") == 200
        assert send(f"{url}/shopify", payload, topic, X_Shopify_Event_Id="r1") == 200
    run = CliRunner().invoke
    listed = run(retail, ["webhooks", "requests", "--config", str(folder), "--json"])
    (row,) = json.loads(listed.stdout)
    customer = None if topic == "shop/redact" else "1"
    assert (row["topic"], row["customer"], row["overdue"]) == (topic, customer, False)
    shop = PartnerConfig.load(folder)
    assert row["pseudonym"] == (customer and shop.pseudonymizer.pseudonym(customer))
    assert "john@example.com" not in (folder / FILE_NAME).read_bytes().decode("latin-1")
    done = ["webhooks", "done", str(row["number"]), "--config", str(folder)]
    assert run(retail, done).exit_code == 0
    assert isinstance(run(retail, done).exception, ConfigurationError)
    store = WebhookStore(folder / FILE_NAME)
    try:
        assert store.list_requests() == []
        assert (store.load_state("shopify 7").sent is None) == (topic != "customers/data_request")
    finally:
        store.close()


def test_a_redaction_deletes_the_named_orders_too(folder: Path) -> None:
    """Also one whose customer was not known; other orders stay."""
    with processing(folder) as (processor, store, _):
        guest = ORDER | {"id": 8, "customer": None}
        other = ORDER | {"id": 9, "customer": {"id": 2}}
        processor.process([delivery(each) for each in (ORDER, guest, other)])
        store.save(Batch(requests=[PrivacyRequest("customers/redact", "1", ("shopify 8",))]), NOW)
        (pending,) = store.list_requests()
        assert (pending.due - pending.received_at).days == 30
        store.complete_request(pending.number)
        known = [store.load_state(f"shopify {number}").latest is not None for number in (7, 8, 9)]
        assert known == [False, False, True]
        with pytest.raises(InvalidInputError, match="number: is not a pending request"):
            store.complete_request(pending.number)


# The check of an endpoint.


def test_a_check_says_what_happened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It changes nothing, and its hints name the variable that is wrong."""
    webhooks = Webhooks(folder, {"/shopify": "hush", "/woocommerce": "hush"})
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # no proxy for loopback
    with serving(webhooks) as url:
        for path in ("shopify", "woocommerce"):
            monkeypatch.setenv(f"SESAME_{path.upper()}_SECRET", "hush old")
            assert check_endpoint(f"{url}/{path}").hint == ""
        result = CliRunner().invoke(retail, ["webhooks", "check", f"{url}/shopify"])
        assert result.output == f"{url}/shopify accepted a signed sample: 200\n"
        monkeypatch.setenv("SESAME_SHOPIFY_SECRET", "another")
        answer = check_endpoint(f"{url}/shopify")
        assert (answer.status, "SESAME_SHOPIFY_SECRET" in answer.hint) == (401, True)
        failed = CliRunner().invoke(retail, ["webhooks", "check", f"{url}/shopify"])
        assert isinstance(failed.exception, ConfigurationError)
        assert check_endpoint(f"{url}/else/shopify").status == 404
    assert not webhooks.summary.signals
    assert webhooks.refused == {"/shopify": 2}
    with pytest.raises(RetryableError, match="no answer"):
        check_endpoint(f"{url}/shopify")
    monkeypatch.delenv("SESAME_SHOPIFY_SECRET")
    for wrong, message in ((f"{url}/shopify", "is not set"), (f"{url}/hooks", "must end in")):
        with pytest.raises(ConfigurationError, match=message):
            check_endpoint(wrong)


# The documented lines.


def documented(fence: str) -> str:
    """A line of the README."""
    (line,) = re.findall(
        rf"^```{fence}\n(.*?)\n```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return str(line)


_FASTAPI = f"""
from fastapi import FastAPI
from sesame_retail.webhooks.app import from_environment
webhooks = from_environment()
{documented("python fastapi")}
@app.get("/own")
def own(): return "own"
"""
_DJANGO = f"""
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.urls import path
from sesame_retail.webhooks.app import from_environment
settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="x", ALLOWED_HOSTS=["*"])
urlpatterns = [path("own", lambda request: HttpResponse("own"))]
{documented("python django")}
"""
_UVICORN = re.findall(r"^\$ uvicorn (.*)$", README.read_text(encoding="utf-8"), re.MULTILINE)[0]
APPLICATIONS = {
    "FastAPI": (_FASTAPI, ["shop:app"]),
    "Django": (_DJANGO, ["shop:application"]),
    "uvicorn": ("", _UVICORN.split()),
}


@pytest.mark.long
@pytest.mark.parametrize("framework", APPLICATIONS)
def test_the_documented_line_runs(folder: Path, framework: str) -> None:
    """A webhook is accepted, the site's own page is served, and the process ends cleanly."""
    text, arguments = APPLICATIONS[framework]
    (folder.parent / "shop.py").write_text(text)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | {"SESAME_CONFIG": str(folder), "SESAME_SHOPIFY_SECRET": "hush"}
    command = [sys.executable, "-m", "uvicorn", *arguments, "--port", str(port), "--log-level", "error"]
    process = subprocess.Popen(command, cwd=folder.parent, env=environment)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(port)
        prefix = "" if framework == "uvicorn" else "/hooks"
        assert send(f"{url}{prefix}/shopify", ORDER, "orders/paid") == 200
        if prefix:
            assert "own" in requests.get(f"{url}/own", timeout=30).text
            assert send(f"{url}/shopify", ORDER, "orders/paid") == 404
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(60)
    assert code in {0, -signal.SIGINT}
    with processing(folder) as (processor, _, client):
        processor.flush()
        assert len(outbox_ids(client)) == 3


def _wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("the server did not start")
