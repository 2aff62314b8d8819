"""Loads without a fault and fails when it is used; the event says how."""

import sys
from datetime import UTC, datetime

from nasty.parts import Quiet
from sesame_sdk import ConsumerDeclaration, InvalidInputError, ScoreConsumer, Signal, Skipped, hookimpl

SESAME_API = "1.0"
WHEN = datetime(2026, 5, 1, tzinfo=UTC)


class Failing(Quiet):
    """Each event is a way of failing."""

    def read(self, path):
        yield "fine"
        if path.name == "missing":
            raise FileNotFoundError(path)
        yield "also fine"

    def signals(self, event, pseudonymizer):
        match event:
            case "raises":
                return [int("customer 17850")]
            case "raises late":
                return (1 / 0 for _ in range(1))
            case "exits":
                sys.exit(0)
            case "interrupts":
                raise KeyboardInterrupt
            case "rejects":
                raise InvalidInputError("cannot be understood", field="event")
            case "undeclared":
                key = pseudonymizer.signal_id("other.thing.done", "1", WHEN)
                return [Signal(key, "somebody", "other.thing.done", 1.0, WHEN)]
            case "nothing":
                return None
            case "text":
                return ["signal"]
        return [Skipped("fine")]


class Forgetful(ScoreConsumer):
    """Fails at both of its methods."""

    declaration = ConsumerDeclaration("forgetful", "https://w3id.org/dpv#CustomerCare", "nasty")

    def subjects(self, request):
        return request

    def use(self, request, scores):
        return scores["unknown"]


class Weak:
    kid = "weak"

    @property
    def public_jwk(self):
        return {"kty": "OKP", "crv": "Ed25519", "x": "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}

    def sign(self, data):
        return bytes(64)


class Lost:
    """A key that cannot be reached."""

    public_jwk = {}  # noqa: RUF012

    @property
    def kid(self):
        raise ConnectionError("kms.internal: refused")

    def sign(self, data):
        raise ConnectionError("kms.internal: refused")


@hookimpl
def sesame_signal_providers():
    return [Failing()]


@hookimpl
def sesame_score_consumers():
    return [Forgetful()]


@hookimpl
def sesame_signers():
    return [Lost(), Weak()]
