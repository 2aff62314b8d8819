"""``make demo``: a purchase at a shop moves a profile in a ranking on another partner's site.

Everything here is done by the ``sesame`` command, as you would do it; the script only types. It makes
a hub and three partners in a temporary folder, runs the hub as a process of its own, and takes all of
it away at the end.
"""

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen
from sesame_retail import Orders

from examples.posts import write_posts
from examples.shell_helpers import Stage, ended_plainly, free_port, running_hub, say
from sesame_sdk import PartnerConfig, Skipped

HERE = Path(__file__).resolve().parent
SAMPLE = HERE / "data" / "orders.csv"
POSTS = HERE / "data" / "posts.jsonl"
POLICIES = HERE / "policies"
SHOP, FORUM, BAIHE = "https://shop.example", "https://forum.example", "https://baihe.example"
RANKING = "urn:sesame-sdk:purpose:MatchmakingRanking"
PURCHASES = "retail.order.completed retail.order.spend retail.order.returned retail.customer.tenure"
PROFILES = 8


@frozen
class Cast:
    """Who is in the file: the people, those of them who said no, and the day after the last order."""

    people: tuple[str, ...]
    declined: frozenset[str]
    day: date


def main() -> int:
    """Play all scenes in order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SAMPLE, help="orders: CSV, gzip or JSON lines")
    data = parser.parse_args().data
    if not data.is_file():
        parser.error(f"there is no file {data}")
    cast = meet_the_cast(data)
    with TemporaryDirectory(prefix="sesame-demo-") as folder, opened(Path(folder), cast) as stage:
        partners_join(stage)
        people_decide(stage, cast)
        profiles = choose_profiles(stage, cast)
        purchases_move_a_ranking(stage, data, posts_for(stage, data, cast), profiles)
        a_score_has_reasons(stage, cast, profiles)
        somebody_leaves(stage, profiles)
        a_harmful_policy_is_refused(stage)
    say("Where to look next")
    print("  README.md: write a plugin of your own in an afternoon")
    print("  docs/payloads.md: what crossed the network; docs/scoring.md: how points are made")
    print("  sesame --help: everything that you saw was that command")
    return 0


def meet_the_cast(data: Path) -> Cast:
    """Look through the orders once. Every tenth customer is taken to have said no."""
    orders = [order for order in Orders().read(data) if not isinstance(order, Skipped)]
    people = tuple(sorted({order.customer for order in orders if order.customer}))
    if not people:
        sys.exit(f"{data} has no order with a customer, so there is nobody to score")
    last = max(order.placed_at for order in orders)
    return Cast(people, frozenset(people[9::10]), last.date() + timedelta(days=1))


@contextmanager
def opened(folder: Path, cast: Cast) -> Iterator[Stage]:
    """A hub with its policies, running."""
    url = f"http://127.0.0.1:{free_port()}"
    stage = Stage(folder, url)
    say("A hub, with the policies that make its scores")
    stage.sesame("hub", "init", "hub", "--issuer", url, "--as-of", str(cast.day))
    with running_hub(stage):
        policies = [POLICIES / f"{name}.toml" for name in ("retail", "community", "matchmaking")]
        stage.sesame("policy", "load", "--hub", "hub", *policies)
        yield stage


def partners_join(stage: Stage) -> None:
    """Three partners with keys of their own; each signs what its plugin may say or read."""
    say("Three partners join: each makes its keys, is admitted, and registers its plugin")
    for folder, issuer, plugin in (
        ("shop", SHOP, "retail"),
        ("forum", FORUM, "social"),
        ("baihe", BAIHE, "baihe"),
    ):
        stage.sesame("keys", "new", folder, "--issuer", issuer, "--hub-url", stage.url)
        keys = stage.sesame("keys", "show", "--config", folder, quiet=True)
        (stage.folder / f"{folder}.jwks").write_text(keys)
        stage.sesame("partners", "add", issuer, "--jwks", f"{folder}.jwks", "--hub", "hub")
        stage.sesame("registrations", "add", "--config", folder, plugin)
    stage.sesame("plugins", show=True)


def people_decide(stage: Stage, cast: Cast) -> None:
    """Consents, each under the partner's own pseudonym: no two partners share a name for a person."""
    agreed = len(cast.people) - len(cast.declined)
    say(f"{agreed:,} of {len(cast.people):,} say yes; every tenth does not; nobody is in by default")
    shop, forum, baihe = (
        PartnerConfig.load(stage.folder / name).identity for name in ("shop", "forum", "baihe")
    )
    rows = chain.from_iterable(
        (
            (person, SHOP, shop.pseudonym(person), "send", PURCHASES, "", "", "", "yes"),
            (person, FORUM, forum.pseudonym(person), "send", "community.post.helpful", "", "", "", "yes"),
            (
                person,
                BAIHE,
                baihe.pseudonym(person),
                "read",
                "",
                RANKING,
                "matchmaking",
                "retail community",
                "yes",
            ),
        )
        for person in cast.people
        if person not in cast.declined
    )
    with (stage.folder / "grants.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(
            ("person", "partner", "subject", "direction", "kinds", "purpose", "context", "crossings", "adult")
        )
        table.writerows(rows)
    stage.sesame("grants", "import", "--hub", "hub", "grants.csv")


def choose_profiles(stage: Stage, cast: Cast) -> list[str]:
    """A few members whose profiles one other member looks at; one of them did not consent."""
    step = max(1, len(cast.people) // PROFILES)
    chosen = [person for person in cast.people[::step] if person not in cast.declined][: PROFILES - 1]
    chosen += sorted(cast.declined)[:1]
    with (stage.folder / "profiles.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("profile", "relevance"))
        table.writerows((person, f"{0.800 - 0.005 * place:.3f}") for place, person in enumerate(chosen))
    return chosen


def posts_for(stage: Stage, data: Path, cast: Cast) -> Path:
    """The forum's file: its people are the shop's, whosever orders are played."""
    if data.resolve() == SAMPLE:
        return POSTS
    write_posts(stage.folder / "posts.jsonl", cast.people, cast.day)
    return stage.folder / "posts.jsonl"


def purchases_move_a_ranking(stage: Stage, data: Path, posts: Path, profiles: list[str]) -> None:
    """The ranking before anything is known, the orders, and the ranking after."""
    say(f"Baihe ranks {len(profiles)} profiles: nobody has a score yet, so relevance alone decides")
    stage.sesame("rank", "profiles.csv", "--config", "baihe", show=True)
    say("The shop posts its orders, the forum its helpful posts")
    stage.sesame("post", "--config", "shop", "--provider", "retail", data.resolve(), show=True)
    stage.sesame("post", "--config", "forum", "--provider", "social", posts, show=True)
    say("The same ranking now: scores moved profiles; whoever has none counts as average")
    stage.sesame("rank", "profiles.csv", "--config", "baihe", show=True)
    ranked = json.loads(stage.sesame("rank", "profiles.csv", "--config", "baihe", "--json", quiet=True))
    now = [place["profile"] for place in ranked["order"]]
    moved = [
        f"{who} from {before} to {now.index(who) + 1}"
        for before, who in enumerate(profiles, start=1)
        if now.index(who) + 1 != before
    ]
    print(f"Places that purchases and posts moved: {', '.join(moved) or 'none'}")


def a_score_has_reasons(stage: Stage, cast: Cast, profiles: list[str]) -> None:
    """What a person sees, and that somebody who did not agree has nothing to see."""
    say("One person's score at the shop, with every reason")
    stage.sesame("explain", profiles[0], "--context", "retail", "--hub", "hub", show=True)
    if cast.declined:
        say("Somebody who did not agree: the hub dropped those signals, and knows nothing")
        stage.sesame("explain", min(cast.declined), "--context", "retail", "--hub", "hub", show=True)


def somebody_leaves(stage: Stage, profiles: list[str]) -> None:
    """A withdrawal, in one step, and what is left after it."""
    leaver = profiles[0]
    say("That person withdraws from the shop and from Baihe: one step each, at once")
    for issuer in (SHOP, BAIHE):
        stage.sesame("grants", "withdraw", "--person", leaver, "--partner", issuer, "--hub", "hub")
    stage.sesame("explain", leaver, "--context", "retail", "--hub", "hub", show=True)
    pseudonym = PartnerConfig.load(stage.folder / "baihe").identity.pseudonym(leaver)
    stage.sesame(
        "score", pseudonym, "--config", "baihe", "--purpose", RANKING, "--context", "matchmaking", show=True
    )


def a_harmful_policy_is_refused(stage: Stage) -> None:
    """A policy that takes points for opinions never gets past the guard."""
    say("A policy that punishes opinions: refused, with the rule and its source")
    stage.sesame("policy", "load", "--hub", "hub", POLICIES / "refused" / "punishes_opinions.toml", fails=3)


if __name__ == "__main__":
    ended_plainly(main)
