"""What partners registered: what they may say, and why they may read.

Rules:
    * the guard passes every kind and consumer, and no policy in force contradicts a kind
    * a name means one thing for good, unless all that said so was void by then; only its words may change
    * of one plugin the latest counts, unless the key that signed it was void by then
"""

from collections.abc import Callable, Iterable, Iterator

from attrs import evolve, field, frozen

from sesame_sdk.errors import GuardRefusedError, InvalidInputError
from sesame_sdk.guard.guard import MAX_LISTED, Guard
from sesame_sdk.model import codec
from sesame_sdk.model.finding import Action
from sesame_sdk.model.manifest import API_VERSION, ConsumerDeclaration, Manifest
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.testing.memory.kept import Arrival


@frozen
class Registered:
    """Registrations, in the order in which they came.

    Args:
        void: whether what arrived counts no more.
    """

    _void: Callable[[Arrival], bool]
    _all: list[tuple[Arrival, Manifest]] = field(factory=list)

    def add(self, arrival: Arrival, told: Manifest, guard: Guard, policies: Iterable[Policy]) -> None:
        """Put a registration in force.

        Raises:
            InvalidInputError: it is wrong in itself, older than the one in force, or changes a meaning.
            GuardRefusedError: by the guard, with all findings.
        """
        _check(told)
        for before, manifest in self._live():
            same = (before.issuer, manifest.name) == (arrival.issuer, told.name)
            if same and arrival.issued_at < before.issued_at:
                raise InvalidInputError(
                    "is older than the registration in force", field="iat", hint="register again"
                )
        _judge(told, guard, policies)
        self._check_meaning(told)
        self._all.append((arrival, told))

    def kinds(self, issuer: str | None = None) -> dict[str, SignalKind]:
        """What may be said now, by anybody or by one partner."""
        live = (told for arrival, told in self._live() if issuer in (None, arrival.issuer))
        return {kind.name: kind for told in live for kind in told.kinds}

    def declarations(self) -> tuple[SignalKind, ...]:
        """Every kind as each partner declares it now."""
        return tuple(kind for _, told in self._live() for kind in told.kinds)

    def may_read(self, issuer: str, purpose: str, context: str) -> bool:
        """Whether a partner registered a consumer for this."""
        mine: Iterator[ConsumerDeclaration] = (
            consumer
            for arrival, told in self._live()
            if arrival.issuer == issuer
            for consumer in told.consumers
        )
        return any((one.purpose, one.context) == (purpose, context) for one in mine)

    def _live(self) -> list[tuple[Arrival, Manifest]]:
        standing = [one for one in self._all if not self._void(one[0])]
        return list({(arrival.issuer, told.name): (arrival, told) for arrival, told in standing}.values())

    def _check_meaning(self, told: Manifest) -> None:
        standing = (manifest for arrival, manifest in self._all if not self._void(arrival))
        ever = {kind.name: _meaning(kind) for manifest in standing for kind in manifest.kinds}
        for kind in told.kinds:
            if ever.get(kind.name, _meaning(kind)) != _meaning(kind):
                raise InvalidInputError(
                    f"{kind.name} is registered with another meaning",
                    field="kinds",
                    hint="declare it as before, or choose another name",
                    code="access_denied",
                )


def _check(told: Manifest) -> None:
    if told.api.split(".")[0] != API_VERSION.split(".")[0]:
        raise InvalidInputError(
            f"{told.api} is not spoken here", field="api", hint=f"write it for {API_VERSION}"
        )
    if told.digest != codec.manifest_digest(told):
        raise InvalidInputError("is not that of the manifest", field="digest", hint="let the SDK compute it")
    for names in ([kind.name for kind in told.kinds], [one.name for one in told.consumers]):
        if len(names) != len(set(names)):
            raise InvalidInputError("names one twice", field="kinds, consumers")


def _judge(told: Manifest, guard: Guard, policies: Iterable[Policy]) -> None:
    findings = [finding for kind in told.kinds for finding in guard.kind(kind)]
    findings += [finding for consumer in told.consumers for finding in guard.consumer(consumer)]
    findings += [finding for policy in policies for finding in guard.policy(policy, told.kinds)]
    if any(finding.action is Action.REFUSE for finding in findings):
        raise GuardRefusedError(f"the guard refuses {told.name}", list(dict.fromkeys(findings))[:MAX_LISTED])


def _meaning(kind: SignalKind) -> SignalKind:
    return evolve(kind, reason="-", title="", description="")
