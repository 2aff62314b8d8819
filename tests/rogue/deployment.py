"""A running hub, its partners, and everything that it keeps, to be compared before and after."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import requests
from attrs import frozen
from sqlalchemy import select

from sesame_sdk import Signal
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.database.engine import read_transaction
from sesame_sdk.hub.database.tables import metadata
from sesame_sdk.hub.hub import Hub
from sesame_sdk.signing.keys import SigningKey
from tests.hub.fixtures import ORDER, Partner

SET = "application/secevent+jwt"
BODY_SECONDS = 2
YESTERDAY = timestamps.utc_now() - timedelta(days=1)
#: What RFC 8935 section 2.4 has.
CODES = {
    *("invalid_request", "invalid_key", "invalid_issuer", "invalid_audience"),
    *("authentication_failed", "access_denied"),
}
#: Every row of every table, by the table's name.
Dump = dict[str, list[tuple[object, ...]]]


@frozen
class Deployment:
    """A hub's address and process, the same ledger opened by an operator, and who speaks to it.

    Attributes:
        shop: may say orders and late payments of Ada, and read.
        twin: another partner, with names of its own for Ada and Bob.
        revoked: a key of the shop's that is refused.
        early: a key of the shop's that does not count yet.
    """

    url: str
    hub: Hub
    shop: Partner
    twin: Partner
    revoked: SigningKey
    early: SigningKey
    process: int

    def post(self, body: bytes, **headers: str) -> requests.Response:
        """Deliver an event, and ask for the receipt."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request_headers = {"Content-Type": SET, "Accept": SET} | named
        return requests.post(f"{self.url}/v1/events", data=body, headers=request_headers, timeout=30)

    def connect(self) -> http.client.HTTPConnection:
        """A connection of our own."""
        return http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)

    def order(self, key: str = "1", *, person: str = "ada", of: str = ORDER, value: float = 1.0) -> Signal:
        """What the shop saw somebody do yesterday."""
        return self.shop.signal(person, key, of, value, at=YESTERDAY)

    def dump(self) -> Dump:
        """Everything in the database."""
        with read_transaction(self.hub.streams.engine) as connection:
            return {
                table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
                for table in metadata.sorted_tables
            }

    @contextmanager
    def unchanged(self, *but: str) -> Iterator[None]:
        """What is done within leaves every table as it was, but for those named."""
        before = self.dump()
        yield
        after = self.dump()
        # The heads number the envelopes: they change with the ledger alone.
        for name in after.keys() - but - ({"ledger_heads"} if "envelopes" in but else set()):
            assert after[name] == before[name], name
