"""The score store at a million people: opening it, taking changes in, and reading for a ranking.

Limits are what the parts cost by themselves: reading the same bytes from the file, verifying the same
signatures, and looking ten thousand people up in a dict of Python's.
"""

import secrets
from base64 import b32encode
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import repeat
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.table import BenchmarkResult, fastest
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.stream_events import MAX_CHANGES, ScoreChange, ScoresChanged, SubjectId
from sesame_sdk.partner.score_store.inbox import Inbox
from sesame_sdk.partner.score_store.store import ScoreStore
from sesame_sdk.partner.score_store.updates import Update, batch_from_scores
from sesame_sdk.signing.jwt import SET_TYP, Token, sign_event
from sesame_sdk.signing.keys import SigningKey, Trust, TrustedKey

PEOPLE, CANDIDATES, MESSAGES, TOGETHER = 1_000_000, 10_000, 64, 16
HUB, READER, STREAM = "https://hub.example", "https://baihe.example", "bench"
PURPOSE, CONTEXT = "urn:sesame-sdk:purpose:MatchmakingRanking", "matchmaking"
_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def rows(people: int = PEOPLE) -> list[BenchmarkResult]:
    """Opening, taking in, reading."""
    subjects = [b32encode(secrets.token_bytes(16)).decode().lower().rstrip("=") for _ in range(people)]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "store.sqlite"
        with _open(path) as store:
            _fill(store, subjects)
        return [_opening(path, people), _taking(path, subjects), _reading(path, subjects)]


def _open(path: Path) -> ScoreStore:
    return ScoreStore(path, hub=HUB, reader=READER, purpose=PURPOSE, context=CONTEXT)


def _fill(store: ScoreStore, subjects: list[str]) -> None:
    store.begin_stream(STREAM)
    for start in range(0, len(subjects), 100 * MAX_CHANGES):
        some = subjects[start : start + 100 * MAX_CHANGES]
        batches = (_scores(some[at : at + MAX_CHANGES], 1) for at in range(0, len(some), MAX_CHANGES))
        now = datetime.now(UTC)
        store.apply(
            [Update(secrets.token_hex(8), b"", now, batch_from_scores(one), STREAM) for one in batches]
        )
    store.compact()


def _scores(subjects: list[str], seq: int) -> ScoresChanged:
    changes = tuple(
        ScoreChange(SubjectId(subject), seq, 350.0 + len(subject) + number / 4, "good")
        for number, subject in enumerate(subjects)
    )
    return ScoresChanged(PURPOSE, CONTEXT, "digest", 500.0, date(2026, 6, 1), changes)


def _opening(path: Path, people: int) -> BenchmarkResult:
    ours = fastest(lambda: _open(path).close(), times=5)
    limit = fastest(path.read_bytes)
    baseline = "reading the file's bytes; to be under 1 s"
    return BenchmarkResult(f"opening a store of {people:,}", ours, limit, baseline, "s", 1.0 / limit, "lower")


def _taking(path: Path, subjects: list[str]) -> BenchmarkResult:
    """Signed messages of a thousand scores each, sixteen a poll: from the tokens to the disk."""
    key = SigningKey.generate()
    trust = Trust({HUB: [TrustedKey(key.public_jwk, _LONG_AGO)]})
    tokens = list(_tokens(key, subjects))
    changes = MESSAGES * MAX_CHANGES
    with _open(path) as store:
        inbox, rounds = Inbox(store, trust), iter(tokens)

        def take() -> None:
            for jti_tokens in _together(rounds):
                assert not inbox.receive_all(jti_tokens).rejected

        ours = changes / fastest(take, times=1)
    valid = {"typ": SET_TYP, "audience": READER, "now": datetime.now(UTC)}
    limit = changes / fastest(lambda: [Token.parse(token).verify(trust, **valid) for _, token in tokens])
    baseline = "verifying the same messages; to be 20,000 changes/s"
    return BenchmarkResult(
        "taking signed changes into it", ours, limit, baseline, "changes/s", 20_000 / limit, "higher"
    )


def _tokens(key: SigningKey, subjects: list[str]) -> Iterator[tuple[str, bytes]]:
    dice, now = Random(1), datetime.now(UTC)
    for number in range(MESSAGES):
        jti = secrets.token_hex(8)
        scores = _scores(dice.sample(subjects, MAX_CHANGES), 2 + number)
        said = {"issuer": HUB, "audience": READER, "now": now, "sub_id": SubjectId(STREAM)}
        yield jti, sign_event(EventType.SCORES_CHANGED, scores, key, jti=jti, **said)  # type: ignore[arg-type]


def _together(tokens: Iterator[tuple[str, bytes]]) -> Iterator[dict[str, bytes]]:
    while some := dict(next(tokens, ("", b"")) for _ in range(TOGETHER)):
        some.pop("", None)
        if not some:
            return
        yield some


def _reading(path: Path, subjects: list[str]) -> BenchmarkResult:
    """Candidates at random, others each time, so that no cache of the processor helps."""
    dice = Random(2)
    requests = [dice.sample(subjects, CANDIDATES) for _ in range(40)]
    with _open(path) as store:
        some = iter(requests)
        ours = fastest(lambda: store.points(next(some)), times=len(requests))
        known = dict(zip(subjects, store.points(subjects).tolist(), strict=True))
    again = iter(requests)
    limit = fastest(lambda: np.array(list(map(known.get, next(again), repeat(np.nan)))), times=len(requests))
    name = f"points of {CANDIDATES:,} candidates from it"
    return BenchmarkResult(name, ours, limit, "the same from a dict of floats", "s", 1.0, "lower")


if __name__ == "__main__":
    for row in rows():
        print(
            f"{row.name}: {row.ours:,.6g} {row.unit}; {row.baseline}: {row.limit:,.6g}; ratio {row.ratio:.2f}"
        )
