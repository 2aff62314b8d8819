"""``make demo``: a purchase at a shop moves a profile in a ranking on another partner's site.

Every step is a ``sesame`` command, as you would type it. The script creates a hub and three partners in a
temporary folder, runs the hub as a process of its own, and removes everything at the end.
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
from examples.shell_helpers import Workspace, exit_plainly, free_port, print_heading, running_hub
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
class Participants:
    """The people in the file, those of them who declined, and the day after the last order."""

    people: tuple[str, ...]
    declined: frozenset[str]
    day: date


def main() -> int:
    """Run all steps in order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SAMPLE, help="orders: CSV, gzip or JSON lines")
    data = parser.parse_args().data
    if not data.is_file():
        parser.error(f"file not found: {data}")
    participants = read_participants(data)
    with (
        TemporaryDirectory(prefix="sesame-demo-") as folder,
        start_hub(Path(folder), participants) as workspace,
    ):
        add_partners(workspace)
        record_consents(workspace, participants)
        profiles = choose_profiles(workspace, participants)
        rank_before_and_after(workspace, data, find_posts(workspace, data, participants), profiles)
        explain_scores(workspace, participants, profiles)
        withdraw_consent(workspace, profiles)
        load_harmful_policy(workspace)
    print_heading("Next steps")
    print("  README.md: write a plugin of your own")
    print("  docs/payloads.md: the messages on the network; docs/scoring.md: how points are computed")
    print("  sesame --help: all commands")
    return 0


def read_participants(data: Path) -> Participants:
    """Read the orders once. Every tenth customer is taken to have declined."""
    orders = [order for order in Orders().read(data) if not isinstance(order, Skipped)]
    people = tuple(sorted({order.customer for order in orders if order.customer}))
    if not people:
        sys.exit(f"{data} has no order with a customer")
    last = max(order.placed_at for order in orders)
    return Participants(people, frozenset(people[9::10]), last.date() + timedelta(days=1))


@contextmanager
def start_hub(folder: Path, participants: Participants) -> Iterator[Workspace]:
    """Create a hub, load its policies, and run it."""
    url = f"http://127.0.0.1:{free_port()}"
    workspace = Workspace(folder, url)
    print_heading("Create a hub and load its policies")
    workspace.sesame("hub", "init", "hub", "--issuer", url, "--as-of", str(participants.day))
    with running_hub(workspace):
        policies = [POLICIES / f"{name}.toml" for name in ("retail", "community", "matchmaking")]
        workspace.sesame("policy", "load", "--hub", "hub", *policies)
        yield workspace


def add_partners(workspace: Workspace) -> None:
    """Admit three partners with keys of their own; each registers its plugin with a signed manifest."""
    print_heading("Admit three partners: each creates its keys and registers its plugin")
    for folder, issuer, plugin in (
        ("shop", SHOP, "retail"),
        ("forum", FORUM, "social"),
        ("baihe", BAIHE, "baihe"),
    ):
        workspace.sesame("keys", "new", folder, "--issuer", issuer, "--hub-url", workspace.url)
        keys = workspace.sesame("keys", "show", "--config", folder, quiet=True)
        (workspace.folder / f"{folder}.jwks").write_text(keys)
        workspace.sesame("partners", "add", issuer, "--jwks", f"{folder}.jwks", "--hub", "hub")
        workspace.sesame("registrations", "add", "--config", folder, plugin)
    workspace.sesame("plugins", show=True)


def record_consents(workspace: Workspace, participants: Participants) -> None:
    """Record consents, each under the partner's own pseudonym of the person."""
    people = len(participants.people)
    agreed = people - len(participants.declined)
    print_heading(
        f"{agreed:,} of {people:,} people agree, every tenth declines; only consented signals count"
    )
    shop, forum, baihe = (
        PartnerConfig.load(workspace.folder / name).pseudonymizer for name in ("shop", "forum", "baihe")
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
        for person in participants.people
        if person not in participants.declined
    )
    with (workspace.folder / "grants.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(
            ("person", "partner", "subject", "direction", "kinds", "purpose", "context", "crossings", "adult")
        )
        table.writerows(rows)
    workspace.sesame("grants", "import", "--hub", "hub", "grants.csv")


def choose_profiles(workspace: Workspace, participants: Participants) -> list[str]:
    """Choose a few profiles to rank; one of these people declined."""
    step = max(1, len(participants.people) // PROFILES)
    chosen = [person for person in participants.people[::step] if person not in participants.declined][
        : PROFILES - 1
    ]
    chosen += sorted(participants.declined)[:1]
    with (workspace.folder / "profiles.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("profile", "relevance"))
        table.writerows((person, f"{0.800 - 0.005 * place:.3f}") for place, person in enumerate(chosen))
    return chosen


def find_posts(workspace: Workspace, data: Path, participants: Participants) -> Path:
    """The forum's posts: by the same people as the orders."""
    if data.resolve() == SAMPLE:
        return POSTS
    write_posts(workspace.folder / "posts.jsonl", participants.people, participants.day)
    return workspace.folder / "posts.jsonl"


def rank_before_and_after(workspace: Workspace, data: Path, posts: Path, profiles: list[str]) -> None:
    """Rank before anything is known, upload orders and posts, and rank again."""
    print_heading(f"Baihe ranks {len(profiles)} profiles: no scores yet, so relevance alone decides")
    workspace.sesame("rank", "profiles.csv", "--config", "baihe", show=True)
    print_heading("The shop uploads its orders, the forum its helpful posts")
    workspace.sesame("post", "--config", "shop", "--provider", "retail", data.resolve(), show=True)
    workspace.sesame("post", "--config", "forum", "--provider", "social", posts, show=True)
    print_heading("Rank again: scores move profiles; a profile without one counts as average")
    workspace.sesame("rank", "profiles.csv", "--config", "baihe", show=True)
    ranked = json.loads(workspace.sesame("rank", "profiles.csv", "--config", "baihe", "--json", quiet=True))
    now = [place["profile"] for place in ranked["order"]]
    moved = [
        f"{who} from {before} to {now.index(who) + 1}"
        for before, who in enumerate(profiles, start=1)
        if now.index(who) + 1 != before
    ]
    print(f"Profiles that moved: {', '.join(moved) or 'none'}")


def explain_scores(workspace: Workspace, participants: Participants, profiles: list[str]) -> None:
    """Explain one person's score, and that of a person who declined."""
    print_heading("Explain one person's score, with every reason")
    workspace.sesame("explain", profiles[0], "--context", "retail", "--hub", "hub", show=True)
    if participants.declined:
        print_heading("A person who declined: the hub dropped those signals and has no score")
        workspace.sesame(
            "explain", min(participants.declined), "--context", "retail", "--hub", "hub", show=True
        )


def withdraw_consent(workspace: Workspace, profiles: list[str]) -> None:
    """Withdraw a person's consent, and show that no score is left."""
    leaver = profiles[0]
    print_heading("Withdraw the first person's consent to the shop and to Baihe")
    for issuer in (SHOP, BAIHE):
        workspace.sesame("grants", "withdraw", "--person", leaver, "--partner", issuer, "--hub", "hub")
    workspace.sesame("explain", leaver, "--context", "retail", "--hub", "hub", show=True)
    pseudonym = PartnerConfig.load(workspace.folder / "baihe").pseudonymizer.pseudonym(leaver)
    workspace.sesame(
        "score", pseudonym, "--config", "baihe", "--purpose", RANKING, "--context", "matchmaking", show=True
    )


def load_harmful_policy(workspace: Workspace) -> None:
    """Load a policy that takes points for opinions: the guard refuses it."""
    print_heading("A policy that punishes opinions is refused, with the rule and its source")
    workspace.sesame(
        "policy", "load", "--hub", "hub", POLICIES / "refused" / "punishes_opinions.toml", fails=3
    )


if __name__ == "__main__":
    exit_plainly(main)
