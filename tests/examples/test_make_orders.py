"""The sample in examples/data is what its script writes, and has in it what a demonstration needs."""

import subprocess
import sys
from pathlib import Path

from sesame_retail import Orders
from sesame_retail.kinds import RETURNS, SPENT, UNIT
from sesame_social import CommunityPosts

from sesame_sdk import Pseudonymizer, Skipped

ROOT = Path(__file__).parents[2]
DATA = ROOT / "examples" / "data"
FILES = ("orders.csv", "posts.jsonl", "profiles.csv")


def test_running_the_script_again_gives_the_very_same_bytes(tmp_path: Path) -> None:
    """In a process of its own, with another hash seed: nothing depends on luck."""
    command = [sys.executable, "-m", "examples.make_orders", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, env={"PYTHONHASHSEED": "7"}, check=True, timeout=60)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(FILES)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes(), name


def test_the_sample_is_small_enough_to_ship() -> None:
    """Some 2,000 lines in less than 200 kB."""
    assert sum((DATA / name).stat().st_size for name in FILES) < 200_000
    assert 1_900 < len((DATA / "orders.csv").read_text().splitlines()) < 2_200


def test_the_sample_shows_every_kind_and_every_usual_reason(pseudonymizer: Pseudonymizer) -> None:
    """Orders, returns and orders without a customer; help, confirmed abuse, and what is only a report.

    What a classifier thinks is useful is not among it, as the sample's site runs none; nor are other
    currencies than the shop's own.
    """
    printed = {
        one.reason if isinstance(one, Skipped) else one.kind
        for provider, name in ((Orders(), "orders.csv"), (CommunityPosts(), "posts.jsonl"))
        for event in provider.read(DATA / name)
        for one in ([event] if isinstance(event, Skipped) else provider.signals(event, pseudonymizer))
    }
    abroad = {each[code].name for each in (SPENT, RETURNS) for code in each if code != UNIT}
    assert printed | abroad | {"community.post.useful"} == {
        *(kind.name for kind in (*Orders.kinds, *CommunityPosts.kinds)),
        "no customer",
        "not confirmed by a moderator",
        "marked by its own author",
    }
