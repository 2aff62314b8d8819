"""The real hub in this process, over a temporary SQLite file, for the tests of partners and plugins.

Requests reach its own HTTP application without a socket, so that limits, headers and errors are the real
ones. A test gets one as the pytest fixture ``sesame_hub``.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

from attrs import evolve
from sqlalchemy import select

from sesame_sdk.delivery.http_transport import Transport
from sesame_sdk.delivery.retry import RetryPolicy
from sesame_sdk.hub.database.engine import migrate, read_transaction
from sesame_sdk.hub.database.ids import join_signal_id
from sesame_sdk.hub.database.tables import kinds, partners, pseudonyms, signals
from sesame_sdk.hub.database.timestamps import from_micros
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.server.app import create_app
from sesame_sdk.hub.settings import LOOPBACK_NETWORKS, create_hub
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model.grant import Direction, Grant
from sesame_sdk.model.manifest import ConsumerDeclaration
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.signals import Signal, SignalKind
from sesame_sdk.partner.client import Client
from sesame_sdk.scoring.policy_file import load_policy
from sesame_sdk.testing.in_memory_transport import AsgiRunner, Failure, InMemoryAdapter
from sesame_sdk.testing.partner import LONG_AGO, Clock, Partner, make_manifest

ISSUER: Final = "https://hub.example"


class LocalHub:
    """A running hub. Use it as a context manager, or close it.

    Args:
        folder: for its files; a temporary one unless it is given.
        issuer: its URL.
        clock: its time, and that of the partners admitted here.
        rules: further rules for the guard.

    Attributes:
        hub: the hub itself, with everything that its operator can do.
        adapter: for a `requests.Session` or a `Transport` of your own.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        issuer: str = ISSUER,
        clock: Clock | None = None,
        rules: Iterable[GuardRule] = (),
    ) -> None:
        self._temporary = None if folder else TemporaryDirectory(prefix="sesame-hub-")
        self._folder = folder or Path(self._temporary.name if self._temporary else "")
        self._outboxes = 0
        self.issuer = issuer
        self.clock = clock or Clock()
        settings = create_hub(self._folder / "hub", issuer=issuer)
        settings = evolve(settings, push_networks=LOOPBACK_NETWORKS)
        (settings.path / "hub.sqlite").write_bytes(empty_database())
        self.hub = Hub.open(settings.path, clock=self.clock, rules=rules, settings=settings)
        self._runner = AsgiRunner(create_app(self.hub))
        self.adapter = InMemoryAdapter(self._runner)

    def close(self) -> None:
        """Shut the hub down, and remove its files if they were temporary."""
        self._runner.close()
        if self._temporary:
            self._temporary.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def admit_partner(
        self,
        issuer: str = "https://shop.example",
        *,
        kinds: Iterable[SignalKind] = (),
        consumers: Iterable[ConsumerDeclaration] = (),
    ) -> Partner:
        """Admit a partner with a new key, and register its kinds and consumers, if there are any."""
        partner = Partner(issuer, self.hub, self.clock)
        self.hub.add_partner(issuer, [partner.key.public_jwk], not_before=LONG_AGO)
        manifest = make_manifest(kinds, consumers)
        if manifest.kinds or manifest.consumers:
            partner.register(manifest)
        return partner

    def record_consent(self, *grants: tuple[str, Grant]) -> int:
        """Record grants of `Partner.send_grant` and `read_grant`. Returns how many were new."""
        return self.hub.add_grants(grants)

    def withdraw_consent(self, person: str, partner: Partner, direction: Direction | None = None) -> int:
        """End a person's grants to a partner. Returns how many ended."""
        return self.hub.withdraw_grants(person, partner.issuer, direction)

    def load_policy(self, policy: Policy | Path) -> None:
        """Put a policy, or the policy of a TOML file, in force for its context."""
        self.hub.set_policy(load_policy(policy) if isinstance(policy, Path) else policy)

    def transport(self, *, retries: RetryPolicy | None = None) -> Transport:
        """A transport to this hub."""
        return Transport(self.issuer, adapter=self.adapter, retry_policy=retries)

    def client(
        self, partner: Partner, *, outbox: Path | None = None, retries: RetryPolicy | None = None
    ) -> Client:
        """A partner's real client, with a new outbox unless one is given. Close it."""
        self._outboxes += 1
        return Client(
            issuer=partner.issuer,
            hub=self.issuer,
            signer=partner.key,
            outbox=outbox or self._folder / f"outbox-{self._outboxes}.sqlite",
            transport=self.transport(retries=retries),
            clock=self.clock,
        )

    def advance_clock(self, **time: float) -> None:
        """Advance the clock of the hub and its partners: ``days=1``, as `timedelta` takes it."""
        self.clock.advance(**time)

    def fail_next(self, status: int = 503, *, times: int = 1, retry_after: int | None = None) -> None:
        """Answer the next requests with a status; the hub does not see them. `retry_after` is in seconds."""
        self.adapter.fail_next([Failure(status, retry_after)] * times)

    def cut_next(self, *, times: int = 1, processed: bool = False) -> None:
        """Cut the connection of the next requests; if `processed`, after the hub has processed them."""
        self.adapter.fail_next([Failure(processed=processed)] * times)

    def signals(self, issuer: str) -> list[Signal]:
        """The signals of a partner that the hub stores."""
        of_signal = (pseudonyms.c.person == signals.c.person) & (pseudonyms.c.partner == signals.c.partner)
        query = (
            select(signals, pseudonyms.c.subject, kinds.c.name)
            .join(partners, partners.c.id == signals.c.partner)
            .join(pseudonyms, of_signal)
            .join(kinds, kinds.c.id == signals.c.kind)
            .where(partners.c.issuer == issuer)
            .order_by(signals.c.occurred_at, signals.c.key)
        )
        with read_transaction(self.hub.streams.engine) as connection:
            return [
                Signal(
                    join_signal_id(row.key, row.id_time),
                    row.subject,
                    row.name,
                    row.value,
                    from_micros(row.occurred_at),
                )
                for row in connection.execute(query)
            ]


@cache
def empty_database() -> bytes:
    """A database with the hub's tables: the migrations run once a process, and each hub gets a copy."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "hub.sqlite"
        migrate(f"sqlite:///{file}")
        return file.read_bytes()
