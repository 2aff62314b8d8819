"""The example sites, each served by uvicorn in a process of its own, beside a running hub."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from attrs import frozen
from sesame_baihe import Paginator, RankingRequest

from examples.shell_helpers import ROOT
from sesame_sdk import InvalidInputError, PartnerConfig
from tests.examples.market import Market, open_market
from tests.hub.process import free_port
from tests.hub.test_streams import wait_until
from tests.partner.fake_hub import STREAM, FakeHub

SITES = ("django_site", "fastapi_site")


@frozen
class Site:
    """A site that is served, as its visitors see it."""

    address: str
    config: PartnerConfig

    def matches(self, member: str = "ada", cursor: str | None = None) -> dict[str, Any]:
        """What a member sees."""
        asked = {"cursor": cursor} if cursor else {}
        answer = requests.get(f"{self.address}/matches", params=asked, headers={"Member": member}, timeout=20)
        assert answer.status_code == 200
        assert not any(
            self.config.pseudonymizer.pseudonym(name) in answer.text for name in ("101", "102", "103")
        )
        document: dict[str, Any] = answer.json()
        return document


@contextmanager
def served(site: str, config: PartnerConfig, port: int) -> Iterator[str]:
    """The site's address, once it answers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", f"examples.{site}:app", "--port", str(port), "--log-level", "info"],
        cwd=ROOT,
        env={**os.environ, "SESAME_CONFIG": str(config.path), "NO_COLOR": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        heard = []
        for line in process.stderr:
            heard.append(line)
            if "running on" in line:
                break
        else:
            pytest.fail("".join(heard))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """Two people bought something: 101 once, 102 five times."""
    with open_market(tmp_path_factory.mktemp("market")) as market:
        market.buy("101")
        market.buy("102", orders=5)
        yield market


@pytest.fixture(scope="module", params=SITES)
def site(request: pytest.FixtureRequest, market: Market) -> Iterator[Site]:
    """A site that both members let read; the hub reaches it under its own address."""
    port = free_port()
    config = market.site(request.param, f"http://127.0.0.1:{port}")
    for person in ("101", "102"):
        market.agree(person, config)
    with served(request.param, config, port) as address:
        made = Site(address, config)
        wait_until(lambda: without_a_score(made) == {"103"}, seconds=60)
        yield made


def without_a_score(site: Site) -> set[str]:
    """Those who count as average in a ranking that is opened now."""
    first = site.matches()
    shown = [*first["matches"], *site.matches(cursor=first["cursor"])["matches"]]
    return {one["profile"] for one in shown if " for score " not in one["explanation"]}


def test_a_site_ranks_says_why_and_shows_the_order_without_the_score(site: Site) -> None:
    """For the viewing member, from the store that the hub fills; a profile without a score is average."""
    first = site.matches()
    last = site.matches(cursor=first["cursor"])
    assert [(one["rank"], one["profile"]) for one in first["matches"]] == [(1, "101"), (2, "102")]
    assert all(" for score 5" in one["explanation"] for one in first["matches"])
    assert [one["rank"] for one in last["matches"]] == [3]
    assert "no score, counted as average" in last["matches"][0]["explanation"]
    assert (first["order_without_score"], last["order_without_score"]) == (["101", "102"], ["103"])
    assert last["cursor"] is None
    assert first["parameters"]["score_weight"] == 0.3
    assert "1 of 3 have no score and get the mean" in first["parameters"]["description"]


def test_a_cursor_that_does_not_work_opens_the_first_page(site: Site) -> None:
    """One of another member's, or whatever a visitor types."""
    cursor = site.matches("ada")["cursor"]
    for member, shown in (("bob", cursor), ("ada", "nonsense"), ("ada", "%00")):
        assert [one["rank"] for one in site.matches(member, shown)["matches"]] == [1, 2]


def test_a_withdrawn_profile_counts_as_average_within_a_second(site: Site, market: Market) -> None:
    """In a ranking that is opened then, at the same place as before."""
    market.withdraw("102", site.config)
    assert wait_until(lambda: without_a_score(site) == {"102", "103"}) < 1.0
    assert [one["profile"] for one in site.matches()["matches"]] == ["101", "102"]


def test_a_withdrawn_profile_leaves_an_open_ranking_within_a_second(site: Site, market: Market) -> None:
    """The page that the cursor opens is empty then, and is still there."""
    market.agree("103", site.config)
    market.buy("103")
    wait_until(lambda: "103" not in without_a_score(site))
    cursor = site.matches()["cursor"]
    assert [one["profile"] for one in site.matches(cursor=cursor)["matches"]] == ["103"]
    market.withdraw("103", site.config)
    assert wait_until(lambda: not site.matches(cursor=cursor)["matches"]) < 1.0
    assert site.matches(cursor=cursor)["order_without_score"] == []


@pytest.mark.parametrize("name", SITES)
def test_a_site_ranks_where_there_is_no_hub(name: str, tmp_path: Path) -> None:
    """By relevance, and says so: it starts, and answers, without waiting for anybody."""
    config = PartnerConfig.create(
        tmp_path / "baihe", issuer="https://baihe.example", hub="http://127.0.0.1:9"
    )
    with served(name, config, free_port()) as address:
        matches = Site(address, config).matches()
    assert [one["profile"] for one in matches["matches"]] == matches["order_without_score"] == ["101", "102"]
    assert matches["parameters"]["description"] == "The scores are out of date: relevance alone decides."


def test_pages_over_a_real_score_store_lose_a_withdrawn_profile_in_every_process(tmp_path: Path) -> None:
    """At once, in the process that receives it and in another that shares the store; no other row moves."""
    fake_hub, names = FakeHub(), tuple(f"person-{number:02}" for number in range(30))
    here, there = (fake_hub.open(tmp_path / "store") for _ in range(2))
    here.begin_stream(STREAM)
    inbox = fake_hub.inbox(here)
    inbox.receive(fake_hub.scores([(name, 1, 600.0) for name in names]))
    asked = RankingRequest(names, tuple(1 - at / 100 for at in range(30)), viewer="ada")
    with here, there, Paginator(here, page_size=10) as mine, Paginator(there, page_size=10) as theirs:
        cursors = [pages.open_snapshot(asked).cursor or "" for pages in (mine, theirs)]
        inbox.receive(fake_hub.gone("person-13", 2))
        for pages, cursor in zip((mine, theirs), cursors, strict=True):
            shown = [(number, place.profile) for number, place in pages.get_page("ada", cursor).profiles]
            assert shown == [(at + 1, names[at]) for at in range(10, 20) if at != 13]
        fake_hub.now += timedelta(minutes=10)
        with pytest.raises(InvalidInputError, match="expired snapshot"):
            mine.get_page("ada", cursors[0])
        assert mine.open_snapshot(asked).parameters.stale


@pytest.mark.parametrize("site", SITES)
def test_a_site_is_under_forty_lines(site: str) -> None:
    """Docstring and imports included: it can be read before it is copied."""
    assert len((ROOT / "examples" / f"{site}.py").read_text().splitlines()) < 40
