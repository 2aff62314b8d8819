"""``sesame retail webhooks``: check a running endpoint, and answer the privacy requests of platforms."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sesame_sdk import (
    ConfigurationError,
    InvalidInputError,
    PartnerConfig,
    config_option,
    json_option,
    print_rows,
)

if TYPE_CHECKING:
    from sesame_retail.webhooks.store import WebhookStore

_DUTIES = {
    "customers/data_request": "send the customer a copy of the data; the hub's operator exports the hub's",
    "customers/redact": "ask the hub's operator to erase the person",
    "shop/redact": "ask the hub's operator to erase the persons that this shop sent signals about",
}


@click.group()
def webhooks() -> None:
    """Check an endpoint, and answer privacy requests."""


@webhooks.command()
@click.argument("url")
def check(url: str) -> None:
    """Send one signed sample to a running endpoint.

    URL ends in /shopify or /woocommerce. The secret is the first one in SESAME_SHOPIFY_SECRET or
    SESAME_WOOCOMMERCE_SECRET. The sample changes nothing. Exit codes: 0 if it was accepted, 2 if it was
    refused, 5 if there was no answer.
    """
    from sesame_retail.webhooks.endpoint_check import check_endpoint

    result = check_endpoint(url)
    if result.hint:
        raise ConfigurationError(f"the endpoint answered {result.status}", field=url, hint=result.hint)
    click.echo(f"{url} accepted a signed sample: {result.status}")


@webhooks.command(name="requests")
@config_option()
@json_option
def list_requests(config_dir: Path, as_json: bool) -> None:
    """List the privacy requests that wait for an answer."""
    shop, now = PartnerConfig.load(config_dir), datetime.now(UTC)
    with _open_store(shop) as store:
        pending = store.list_requests()
    rows: list[dict[str, object]] = [
        {
            "number": one.number,
            "topic": one.request.topic,
            "due": f"{one.due:%Y-%m-%d}",
            "overdue": one.due < now,
            "customer": one.request.customer,
            "pseudonym": one.request.customer and shop.pseudonymizer.pseudonym(one.request.customer),
            "to do": _DUTIES[one.request.topic],
        }
        for one in pending
    ]
    print_rows(rows, as_json=as_json, empty="no pending requests")


@webhooks.command()
@click.argument("number", type=int)
@config_option()
def done(number: int, config_dir: Path) -> None:
    """Record that a privacy request was answered.

    The request is deleted, and after a redaction what is stored of the orders that it is about.
    """
    try:
        with _open_store(PartnerConfig.load(config_dir)) as store:
            topic = store.complete_request(number).request.topic
    except InvalidInputError as error:
        hint = "see: sesame retail webhooks requests"
        raise ConfigurationError(error.message, field=error.field, hint=hint) from error
    click.echo(f"{topic}: recorded")


@contextmanager
def _open_store(shop: PartnerConfig) -> "Iterator[WebhookStore]":
    from sesame_retail.webhooks.store import FILE_NAME, WebhookStore

    store = WebhookStore(shop.path / FILE_NAME)
    try:
        yield store
    finally:
        store.close()
