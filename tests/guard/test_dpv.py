"""The purposes of DPV: our copy of the hierarchy, and the way up in it."""

import csv
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk.guard.dpv import DPV, find_nearest_rule, load_hierarchy, parse_hierarchy, walk_broader

NAMES = st.sampled_from("abcdef")
GRAPHS = st.dictionaries(NAMES, st.lists(NAMES, max_size=3).map(tuple))


def test_the_hierarchy_is_dpvs_term_by_term(shared_data: Path) -> None:
    """Each of the 125 terms of DPV 2.3, with its broader ones and no others."""
    with (shared_data / "dpv-consent" / "purposes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 125
    assert {row["iri"] for row in rows} == {f"{DPV}{term}" for term in load_hierarchy("purposes")}
    for row in rows:
        above = [*row["subclassof"].split(";"), *row["hasbroader"].split(";")]
        ours = sorted(f"{DPV}{wider}" for wider in load_hierarchy("purposes")[row["term"]])
        assert ours == sorted(iri for iri in above if iri), row["term"]


def test_a_term_may_stand_under_several() -> None:
    """Nothing has no broader term; order is that of the text."""
    terms = parse_hierarchy("-: A B  A: C D B: C")
    assert terms == {"A": (), "B": (), "C": ("A", "B"), "D": ("A",)}
    assert list(walk_broader("C", terms)) == [("C",), ("A", "B")]


def test_the_nearest_listing_decides_and_the_first_of_two() -> None:
    """A term's own listing before its broader one's; of two equally near, the rule listed first."""
    terms = parse_hierarchy("-: Top Top: Left Right Left: Low Right: Low Low: Lowest")
    refused = {"one": {"Right"}, "two": {"Left", "Top"}, "three": {"Lowest"}}
    assert find_nearest_rule("Low", terms, refused) == "one"
    assert find_nearest_rule("Lowest", terms, refused) == "three"
    assert find_nearest_rule("Left", terms, refused) == "two"
    assert find_nearest_rule("Else", terms, refused) is None


@given(NAMES, GRAPHS)
def test_the_way_up_ends_whatever_points_at_what(term: str, graph: dict[str, tuple[str, ...]]) -> None:
    """A cycle is walked once: no term twice, and all that can be reached."""
    walked = [name for level in walk_broader(term, graph) for name in level]
    assert len(walked) == len(set(walked))
    reached, before = {term}, set[str]()
    while reached != before:
        before = reached
        reached = reached | {wider for name in reached for wider in graph.get(name, ())}
    assert set(walked) == reached
