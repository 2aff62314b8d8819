"""``sesame store``, run_sesame as an operator types them, beside a hub that serves."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from examples.shell_helpers import SESAME
from sesame_sdk import PartnerConfig, ScoreStore
from tests.cli.conftest import RANKING, data
from tests.commands import run_sesame
from tests.examples.market import Market, open_market
from tests.hub.test_streams import wait_until

pytestmark = pytest.mark.long

READING = ("--config", "baihe", "--purpose", RANKING, "--context", "matchmaking")
PEOPLE = ("ada", "ben")


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """Ada and ben bought something, and let Baihe read; cy bought something."""
    with open_market(tmp_path_factory.mktemp("market")) as market:
        baihe = market.site("baihe", "https://baihe.example")
        for person in PEOPLE:
            market.buy(person)
            market.agree(person, baihe)
        market.buy("cy")
        yield market


@pytest.fixture
def config(market: Market) -> PartnerConfig:
    """Baihe's folder."""
    return PartnerConfig.load(market.folder / "baihe")


def sesame(market: Market, *words: str) -> str:
    """What a command prints as data."""
    done = run_sesame(market.folder, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def opened(config: PartnerConfig, name: str) -> ScoreStore:
    """The score store, as a site opens it beside the subscriber."""
    whose = {"hub": config.hub, "reader": config.issuer, "purpose": RANKING, "context": "matchmaking"}
    return ScoreStore(config.path.parent / name, **whose)


@contextmanager
def following(config: PartnerConfig, name: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that follows the stream into this store, from when both people are in it."""
    process = subprocess.Popen(
        [SESAME, "store", "follow", *READING, "--store", name],
        cwd=config.path.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    try:
        with opened(config, name) as store:
            wait_until(lambda: store.state.subject_count >= len(PEOPLE) and not store.state.stale, seconds=60)
        yield process
    finally:
        process.kill()
        process.communicate(timeout=30)


def test_the_store_holds_what_the_hub_answers(market: Market, config: PartnerConfig) -> None:
    """After taking all that there is, once; shown for people and as JSON, in the order asked."""
    done = run_sesame(market.folder, "store", "follow", *READING, "--once")
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        f"following {market.url}; 0 subjects in the store",
        "2 subjects in the store",
    ]
    asked = [config.pseudonymizer.pseudonym(person) for person in ("ben", "unknown", "ada")]
    stored = data(sesame(market, "store", "show", *asked, *READING, "--json"))
    assert stored == data(sesame(market, "score", *asked, *READING, "--json"))
    assert [row["points"] is None for row in stored] == [False, True, False]
    state = data(sesame(market, "store", "status", *READING, "--json"))
    assert (state["subjects"], state["stale"], state["status"]) == (2, False, "enabled")
    shown = sesame(market, "store", "status", *READING).split()
    assert shown[:4] == ["subjects", "updated_at", "stale", "status"]


def test_a_ranking_from_the_store_equals_that_from_the_hub(market: Market) -> None:
    """And does not ask the hub."""
    sesame(market, "store", "follow", *READING, "--once", "--store", "for-ranking")
    (market.folder / "profiles.csv").write_text("profile,relevance\nada,0.5\nben,0.5\nzoe,0.5\n")
    asking = ("rank", "profiles.csv", "--config", "baihe", "--json")
    assert data(sesame(market, *asking, "--store", "for-ranking")) == data(sesame(market, *asking))


def test_who_withdraws_is_out_of_the_store_of_another_process_within_a_second(
    market: Market, config: PartnerConfig
) -> None:
    """While one process follows, a second one opens the store, closes it, and opens it again."""
    cy = config.pseudonymizer.pseudonym("cy")
    with following(config, "live"), opened(config, "live") as store:
        removed: list[frozenset[str] | None] = []
        store.on_removal(removed.append)
        market.agree("cy", config)
        wait_until(lambda: store.scores([cy])[cy] is not None)
        opened(config, "live").close()
        market.withdraw("cy", config)
        assert wait_until(lambda: store.scores([cy])[cy] is None) < 1.0
        assert removed == [frozenset({cy})]


def test_an_interrupt_ends_it_and_a_kill_loses_nothing(market: Market, config: PartnerConfig) -> None:
    """Exit code 130 and one word; the next one goes on in the same stream."""
    with following(config, "stopped") as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (130, "")
        assert err.splitlines()[0] == f"following {market.url}; 0 subjects in the store"
        assert err.splitlines()[-1] == "interrupted"
    with opened(config, "stopped") as store:
        before = store.state
    with following(config, "stopped") as process:
        process.kill()
    with opened(config, "stopped") as store:
        assert (store.state.subject_count, store.state.stream) == (before.subject_count, before.stream)


def test_without_the_hub_it_waits_and_says_so_and_once_fails_as_one_to_try_again(tmp_path: Path) -> None:
    """Code 5 for once; else it goes on when the hub is there."""
    PartnerConfig.create(tmp_path / "baihe", issuer="https://baihe.example", hub="http://127.0.0.1:9")
    done = run_sesame(tmp_path, "store", "follow", *READING, "--once")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (5, "error: hub: no response (ConnectionError)")
    process = subprocess.Popen(
        [SESAME, "store", "follow", *READING], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    lines = [process.stderr.readline() for _ in range(3)]
    assert lines[1:] == ["hub: no response (ConnectionError)\n"] * 2
    assert process.poll() is None
    process.kill()
    process.communicate(timeout=30)
    done = run_sesame(tmp_path, "store", "status", *READING)
    assert done.returncode == 0
    assert "stale: no update from the hub; scores are ignored" in done.stderr
    assert "never" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (
            ("store", "status", *READING, "--store", "none"),
            2,
            "error: none: does not exist (create it with: sesame store follow)",
        ),
        (
            ("store", "follow", "--config", "baihe", "--context", "matchmaking"),
            2,
            "Missing option '--purpose'",
        ),
        (
            ("store", "status", *READING[:5], "retail", "--store", "of-matchmaking"),
            2,
            "error: of-matchmaking: belongs to another context (use one file for each)",
        ),
        (
            ("store", "follow", *READING[:5], "retail", "--once", "--store", "unregistered"),
            4,
            "error: ",
        ),
    ],
    ids=[
        "a store that does not exist",
        "no purpose",
        "a store of another context",
        "a context that was not registered for",
    ],
)
def test_what_cannot_be_followed_is_refused_in_a_line(
    market: Market, config: PartnerConfig, words: tuple[str, ...], code: int, message: str
) -> None:
    """With the exit code that says what to do."""
    opened(config, "of-matchmaking").close()
    done = run_sesame(market.folder, *words)
    assert done.returncode == code
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
