"""Opening and sealing an envelope of a thousand signals, beside a signature a signal.

The limit is `cryptography` alone: no JWT, no JSON, one Ed25519 signature over the JSON of each signal.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import starmap

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.table import BenchmarkResult, fastest
from sesame_sdk import Pseudonymizer, Signal
from sesame_sdk.model import codec
from sesame_sdk.signing.envelopes import open_envelope, seal
from sesame_sdk.signing.keys import SigningKey, Trust, TrustedKey
from sesame_sdk.signing.sd_jwt import SdJwt

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SHOP, HUB, KIND = "https://shop.example", "https://hub.example", "retail.order.completed"
OPEN_REACH = 30
SEAL_REACH = 5


def make_signals(count: int) -> list[Signal]:
    """Orders of as many people."""
    pseudonymizer = Pseudonymizer(b"a secret of thirty-two bytes....")
    return [
        Signal(
            pseudonymizer.signal_id(KIND, str(n), NOON), pseudonymizer.pseudonym(str(n)), KIND, n / 4, NOON
        )
        for n in range(count)
    ]


def rows(signals: int = 1000, times: int = 30) -> list[BenchmarkResult]:
    """Both directions, each in signals a second."""
    batch = make_signals(signals)
    key = SigningKey.generate()
    trust = Trust({SHOP: [TrustedKey(key.public_jwk, NOON)]})

    def sealing() -> bytes:
        return seal(batch, key, issuer=SHOP, audience=HUB, now=NOON)

    envelope = sealing()

    def opening() -> None:
        opened = open_envelope(SdJwt.parse(envelope), trust, audience=HUB, now=NOON)
        assert len(opened.envelope.signals) == signals

    private = Ed25519PrivateKey.generate()
    public = private.public_key()
    texts = [codec.encode(signal) for signal in batch]
    signed = [(private.sign(text), text) for text in texts]

    def verifying() -> None:
        for _ in starmap(public.verify, signed):
            pass

    def signing() -> None:
        for _ in map(private.sign, texts):
            pass

    return [
        _row("open an envelope", signals, opening, verifying, "verifying", OPEN_REACH, times),
        _row("seal one", signals, sealing, signing, "signing", SEAL_REACH, times),
    ]


def _row(
    name: str,
    signals: int,
    ours: Callable[[], object],
    limit: Callable[[], object],
    doing: str,
    reach: float,
    times: int,
) -> BenchmarkResult:
    # In turns, so that a busy second of the machine falls on both.
    turns = [(fastest(ours, times=2), fastest(limit, times=1)) for _ in range(times)]
    return BenchmarkResult(
        name=f"{name} of {signals:,} signals",
        ours=signals / min(seconds for seconds, _ in turns),
        limit=signals / min(seconds for _, seconds in turns),
        baseline=f"cryptography {doing} one signature a signal",
        unit="signals/s",
        target=reach,
        better="higher",
    )


if __name__ == "__main__":
    for row in rows():
        print(f"{row.name}: {row.ours:,.0f} {row.unit}, {row.ratio:.1f} times {row.baseline}")
