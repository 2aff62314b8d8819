"""Webhooks over real HTTP, in the form that Shopify and WooCommerce document."""

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import fastapi
import pytest
import requests
import uvicorn
from sesame_retail.provider import Orders
from sesame_retail.webhooks import shopify, woocommerce
from sesame_retail.webhooks.app import MAX_BYTES, Webhooks
from sesame_retail.webhooks.payloads import ShopRules, UnreadablePayloadError
from sesame_retail.webhooks.reconciliation import (
    OrderReport,
    OrderState,
    RefundReport,
    apply_report,
    send_difference,
)

from sesame_sdk import ConfigurationError, PartnerConfig, Pseudonymizer

SECRET = b"hush"
WHEN = datetime(2026, 5, 4, 15, tzinfo=UTC)
CUSTOMER = {"id": 115310627314723954, "email": "john@example.com", "tags": "tag1, tag2"}
ORDER: dict[str, Any] = {
    "id": 820982911946154508,
    "admin_graphql_api_id": "gid://shopify/Order/820982911946154508",
    "cancelled_at": None,
    "created_at": "2026-05-01T10:00:00-05:00",
    "updated_at": "2026-05-01T10:00:01-05:00",
    "currency": "GBP",
    "current_total_price": "388.00",
    "customer": CUSTOMER,
    "financial_status": "paid",
    "line_items": [{"id": 866550311766439020, "title": "IPod Nano - 8GB", "price": "199.00"}],
    "refunds": [],
    "test": False,
    "total_price": "398.00",
}
REFUND: dict[str, Any] = {
    "id": 890088186047892319,
    "order_id": 820982911946154508,
    "created_at": "2026-05-03T10:00:00-05:00",
    "note": "Things were damaged",
    "refund_line_items": [{"id": 487817672276298627, "quantity": 1, "subtotal": 199.0, "total_tax": 0.0}],
    "transactions": [
        {
            "id": 245135271310201194,
            "amount": "98.00",
            "currency": "GBP",
            "kind": "refund",
            "status": "success",
        },
        {
            "id": 245135271310201195,
            "amount": "98.00",
            "currency": "GBP",
            "kind": "refund",
            "status": "failure",
        },
    ],
}
CANCELLED = ORDER | {
    "cancelled_at": "2026-05-04T10:00:00-05:00",
    "cancel_reason": "customer",
    "updated_at": "2026-05-04T10:00:01-05:00",
}
WOO: dict[str, Any] = {
    "id": 4750,
    "parent_id": 0,
    "number": "4750",
    "status": "processing",
    "currency": "GBP",
    "date_created_gmt": "2026-03-11T19:54:40",
    "date_modified_gmt": "2026-03-11T19:56:05",
    "date_paid_gmt": "2026-03-11T19:54:41",
    "total": "180.00",
    "customer_id": 1,
    "line_items": [{"id": 1, "name": "A thing"}],
    "refunds": [],
}


class Shop:
    """A running application, and a way to send it webhooks."""

    def __init__(self, folder: Path) -> None:
        PartnerConfig.create(folder / "shop", issuer="https://shop.example", hub="http://127.0.0.1:9")
        self.start(folder)

    def start(self, folder: Path) -> None:
        """Start it, again too."""
        self.folder = folder
        self.app = Webhooks(folder / "shop", {"/shopify": SECRET, "/woocommerce": SECRET}, body_timeout=0.5)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._server = uvicorn.Server(uvicorn.Config(self.app, log_level="critical"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})
        self._thread.start()

    def stop(self) -> None:
        """Stop it as a server stops."""
        self._server.should_exit = True
        self._thread.join(30)
        self._socket.close()

    def send(self, path: str, payload: object, *, secret: bytes = SECRET, **headers: str) -> int:
        """The answer to a signed webhook."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        signature = base64.b64encode(hmac.digest(secret, body, hashlib.sha256)).decode()
        named = {"X-Shopify-Hmac-Sha256": signature, "X-WC-Webhook-Signature": signature} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return requests.post(
            f"http://127.0.0.1:{self.port}{path}", data=body, headers=named, timeout=30
        ).status_code

    def shopify(self, topic: str, payload: object, **headers: str) -> int:
        """A webhook of Shopify's."""
        return self.send("/shopify", payload, X_Shopify_Topic=topic, **headers)

    def woo(self, topic: str, payload: object) -> int:
        """A webhook of WooCommerce's."""
        return self.send("/woocommerce", payload, X_WC_Webhook_Topic=topic)

    @property
    def made(self) -> Counter[str]:
        """Signals that went into the outbox, by the last part of their kind."""
        return Counter({kind.rpartition(".")[2]: count for kind, count in self.app.summary.signals.items()})

    @property
    def reasons(self) -> set[str]:
        """Why some were skipped."""
        return set(self.app.summary.skipped)


@pytest.fixture
def shops(tmp_path: Path) -> Iterator[Callable[[], Shop]]:
    """Makes shops, and stops them."""
    made: list[Shop] = []

    def make() -> Shop:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Shop(folder))
        return made[-1]

    yield make
    for shop in made:
        shop.stop()


@pytest.fixture
def shop(shops: Callable[[], Shop]) -> Shop:
    """One shop."""
    return shops()


def test_an_order_a_refund_and_a_cancellation_may_come_in_any_order(shop: Shop) -> None:
    """398 spent, 98 returned, the rest taken back; each webhook sent twice changes nothing."""
    for number, order in enumerate(permutations((0, 1, 2))):
        ids = {"id": 1000 + number}
        story = [
            ("orders/create", ORDER | ids),
            ("refunds/create", REFUND | {"id": 2000 + number, "order_id": ids["id"]}),
            ("orders/cancelled", CANCELLED | ids),
        ]
        for at in order:
            assert shop.shopify(*story[at], X_Shopify_Event_Id=f"{number}-{at}") == 200
            assert shop.shopify(*story[at]) == 200
        assert shop.made["spend"] == shop.made["completed"] == number + 1
    assert not shop.reasons


def test_it_stops_at_once_though_the_hub_is_away(shop: Shop) -> None:
    """Pending messages are on disk, and the response does not wait for the hub."""
    assert shop.shopify("orders/create", ORDER) == 200
    began = time.monotonic()
    shop.stop()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"test": True}, "test order"),
        ({"customer": None}, "no customer"),
        ({"customer": CUSTOMER | {"tags": "vip, Staff"}}, "staff order"),
        ({"financial_status": "pending"}, "order that is not paid"),
        ({"currency": "JPY"}, "another currency"),
        ({"total_price": "NaN"}, "unreadable total_price"),
        ({"total_price": "9" * 400}, "unreadable total_price"),
        ({"created_at": "yesterday"}, "unreadable created_at"),
        ({"id": {"a": 1}}, "unreadable id"),
        ({"refunds": "none"}, "unreadable list"),
    ],
)
def test_what_is_no_customers_paid_order_stays(shop: Shop, changed: dict[str, Any], reason: str) -> None:
    """It is taken, so that it does not come again; nothing is made of it."""
    assert shop.shopify("orders/create", ORDER | changed) == 200
    assert (shop.reasons, sum(shop.made.values())) == ({reason}, 0)


#: Values that some JSON parser or number type accepts and another one does not.
HOSTILE = [
    *("1e9999999", "-1e9999999", "1e-9999999", "1e999999999999999999999", "0e9999999", "9" * 5000, "1_0"),
    *("NaN", "sNaN", "-Infinity", "1e13", "-0", "\ud800", "\0", "١٢", "", "9999-12-31T23:59:59-23:59"),
    *(None, True, [], {}, [[]], [{}], [{"id": "1e9999999", "amount": "1e9999999", "total": "1e9999999"}]),
]
_DEEP: list[Any] = []
for _ in range(100_000):
    _DEEP = [_DEEP]


def _places(payload: Any, *above: str | int) -> Iterator[tuple[str | int, ...]]:
    members = payload.items() if isinstance(payload, dict) else enumerate(payload)
    for key, value in members:
        yield (*above, key)
        if isinstance(value, dict | list):
            yield from _places(value, *above, key)


def _with(payload: dict[str, Any], place: tuple[str | int, ...], value: object) -> dict[str, Any]:
    changed: Any = deepcopy(payload)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return changed  # type: ignore[no-any-return]


def _as_text(value: Any) -> Any:
    """A payload with its numbers as text: the form in which the app reads it."""
    if isinstance(value, dict):
        return {key: _as_text(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_as_text(member) for member in value]
    return str(value) if type(value) in (int, float) else value


@pytest.mark.parametrize(
    ("read", "topic", "payload"),
    [
        (shopify.read_webhook, "orders/create", CANCELLED | {"refunds": [REFUND]}),
        (shopify.read_webhook, "refunds/create", REFUND),
        (woocommerce.read_webhook, "order.updated", WOO | {"refunds": [{"id": 9, "total": "-30.00"}]}),
    ],
    ids=["a Shopify order", "a Shopify refund", "a WooCommerce order"],
)
def test_any_value_in_any_field_is_read_or_skipped(
    read: Callable[..., list[Any]], topic: str, payload: dict[str, Any]
) -> None:
    """Huge exponents, NaN, deep nesting, another type: no error leaves reader, state or provider."""
    state, provider, read_or_skipped = OrderState(), Orders(), Counter[bool]()
    for place in _places(payload):
        for value in [*HOSTILE, _DEEP]:
            changed = _with(_as_text(payload), place, value)
            try:
                reports = read(topic, changed, ShopRules())
            except UnreadablePayloadError:
                read_or_skipped[False] += 1
                continue
            for report in reports:
                if isinstance(report, OrderReport | RefundReport):
                    orders, state = send_difference(apply_report(state, report), WHEN)
                    for order in orders:
                        provider.signals(order, Pseudonymizer(bytes(32)))
            read_or_skipped[True] += 1
    assert min(read_or_skipped[True], read_or_skipped[False]) > 50


@pytest.mark.parametrize(
    "number", ["1e9999999", "-1e9999999", "1" * 5000, "NaN", "Infinity", "[" * 900 + "]" * 900]
)
def test_a_number_that_no_field_can_hold_is_answered(shop: Shop, number: str) -> None:
    """As a JSON number, not only as text: the webhook is not sent again, and the reason is counted."""
    for path, topic, body, field in (
        ("/shopify", {"X_Shopify_Topic": "orders/create"}, ORDER, "total_price"),
        ("/woocommerce", {"X_WC_Webhook_Topic": "order.updated"}, WOO, "total"),
    ):
        text = json.dumps(body | {field: "@"}).replace('"@"', number)
        assert shop.send(path, text.encode(), **topic) == 200
    assert shop.reasons == {"unreadable total_price", "unreadable total"}


def test_euros_stay_euros(shop: Shop) -> None:
    """Of an order, its refund and its end, on both platforms; a pound paid back is set against no euro."""
    euros = {"currency": "EUR"}
    refund = REFUND | {"transactions": [REFUND["transactions"][0] | euros]}
    assert shop.shopify("orders/create", ORDER | euros) == 200
    assert shop.shopify("refunds/create", REFUND | {"id": 5}) == 200
    assert not any("returned" in kind for kind in shop.app.summary.signals)
    assert shop.shopify("refunds/create", refund) == 200
    assert shop.shopify("orders/cancelled", CANCELLED | euros) == 200
    assert shop.woo("order.updated", WOO | euros | {"refunds": [{"id": 9, "total": "-30.00"}]}) == 200
    assert {kind: count for kind, count in shop.app.summary.signals.items() if kind.endswith(".eur")} == {
        "retail.order.spend.eur": 2,
        "retail.order.returned.eur": 3,
    }
    assert "retail.order.spend" not in shop.app.summary.signals


@pytest.mark.parametrize(
    ("mount", "root_path", "path"),
    [
        pytest.param("/hooks", "", "/hooks/shopify", id="mounted in FastAPI"),
        pytest.param("", "/hooks", "/shopify", id="--root-path, and the proxy strips it"),
        pytest.param("", "/hooks", "/hooks/shopify", id="--root-path, and the proxy leaves it"),
        pytest.param("/hooks", "/api", "/hooks/shopify", id="both"),
    ],
)
def test_it_works_below_a_path(shop: Shop, mount: str, root_path: str, path: str) -> None:
    """A webhook gets 200 however the application is deployed, and a wrong path gets 404."""
    outer: Any = shop.app
    if mount:
        outer = fastapi.FastAPI()
        outer.mount(mount, shop.app)
    config = uvicorn.Config(outer, root_path=root_path, log_level="critical", lifespan="off")
    body = json.dumps(ORDER).encode()
    signature = base64.b64encode(hmac.digest(SECRET, body, hashlib.sha256)).decode()
    headers = {"X-Shopify-Hmac-Sha256": signature, "X-Shopify-Topic": "orders/paid"}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        answers = [
            requests.post(f"{url}{each}", data=body, headers=headers, timeout=30).status_code
            for each in (path, f"{path}/none")
        ]
        server.should_exit = True
        thread.join(30)
    assert answers == [200, 404]
    assert shop.made["completed"] == 1


def test_a_test_delivery_is_kept_back(shop: Shop) -> None:
    """As its header says."""
    assert shop.shopify("orders/create", ORDER, X_Shopify_Test="true") == 200
    assert shop.reasons == {"test order"}


def test_woocommerce_sends_whole_orders_and_refunds(shop: Shop) -> None:
    """Changes arrive as they come; a guest order has no person; the test of the address is answered."""
    refunded = WOO | {"refunds": [{"id": 9, "total": "-30.00"}], "date_modified_gmt": "2026-03-12T00:00:00"}
    for payload in (WOO, refunded, refunded, WOO):
        assert shop.woo("order.updated", payload) == 200
    assert shop.made == {"completed": 1, "spend": 1, "tenure": 1, "returned": 1}
    assert shop.woo("order.created", WOO | {"id": 2, "customer_id": 0}) == 200
    assert shop.woo("order.deleted", {"id": 2}) == 200
    assert shop.reasons == {"no customer", "topic without orders"}
    assert shop.send("/woocommerce", b"webhook_id=12", secret=b"none yet") == 200


def test_what_is_not_signed_is_not_read(shop: Shop) -> None:
    """Nor what is unsigned, too long, packed, at another path or no POST."""
    assert shop.send("/shopify", ORDER, secret=b"guess", X_Shopify_Topic="orders/create") == 401
    assert shop.send("/shopify", b"webhook_id=12", secret=b"guess") == 401
    url = f"http://127.0.0.1:{shop.port}"
    assert requests.post(f"{url}/shopify", data=b"{}", timeout=30).status_code == 401
    assert requests.get(f"{url}/shopify", timeout=30).status_code == 405
    assert requests.post(f"{url}/other", timeout=30).status_code == 404
    assert shop.send("/shopify", b" " * (MAX_BYTES + 1)) == 413
    parts = (b" " * 65536 for _ in range(MAX_BYTES // 65536 + 1))
    assert requests.post(f"{url}/shopify", data=parts, timeout=30).status_code == 413
    assert shop.send("/shopify", b"{}", Content_Encoding="gzip") == 415
    assert not shop.made
    assert not shop.reasons


def test_a_signed_body_that_is_no_payload_stops_nothing(shop: Shop) -> None:
    """It is answered, since it would say no more if it came again."""
    for body in (b"", b"[]", b"{", b"[" * 100_000, b"\xff", b'{"id": 1e999}'):
        assert shop.shopify("orders/create", body) == 200
    assert shop.shopify("orders/create", ORDER) == 200
    assert shop.made["completed"] == 1


def test_a_body_that_does_not_arrive_is_waited_for_only_so_long(shop: Shop) -> None:
    """Half a second here."""
    with socket.create_connection(("127.0.0.1", shop.port), timeout=30) as slow:
        slow.sendall(b"POST /shopify HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{")
        assert b" 408 " in slow.recv(1000)


def test_a_delivery_is_known_after_a_restart(shop: Shop) -> None:
    """The store is on disk."""
    assert shop.shopify("orders/create", ORDER, X_Shopify_Event_Id="e1") == 200
    shop.stop()
    shop.start(shop.folder)
    assert shop.shopify("orders/create", ORDER, X_Shopify_Event_Id="e1") == 200
    assert shop.shopify("orders/paid", ORDER, X_Shopify_Event_Id="e2") == 200
    assert not shop.made


def test_it_needs_a_secret(tmp_path: Path) -> None:
    """One that is empty would let everybody in."""
    for secrets in ({}, {"/shopify": b""}, {"/else": b"x"}):
        with pytest.raises(ConfigurationError, match="secret"):
            Webhooks(tmp_path, secrets)
