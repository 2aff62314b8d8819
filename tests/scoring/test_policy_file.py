"""Policy files: read whole or not at all, strictly, and never unjudged."""

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk.catalogue.observations import Measure, Observation, Polarity, observations
from sesame_sdk.errors import ConfigurationError, GuardRefusedError
from sesame_sdk.guard.guard import Guard, proposal_digest
from sesame_sdk.model.policy import Band, Policy
from sesame_sdk.model.terms import Effect, Terms
from sesame_sdk.scoring.policy_file import MAX_BYTES, load_policy, parse_policy
from tests.guard.builders import LOWERING, weighting

GOOD = """
name = "retail-privileges"
version = 3
disputes = "https://shop.example/disputes"
context = "retail"
base = 500
range = [350, 950]
purposes = ["https://w3id.org/dpv#CustomerCare"]

[[bands]]
name = "ordinary"
from = 350

[[bands]]
name = "good"
from = 600.5

[[effects]]
effect = "free_returns"
from = "good"

[[kinds]]
kind = "retail.order.completed"
observation = "order_kept"
weight = 4
cap = 120
partner_cap = 80

[[kinds]]
kind = "retail.order.returned"
observation = "order_return_count"
weight = -0.05
half_life_days = 90
expires_days = 730
floor = -80
"""


def test_a_policy_is_read_with_the_defaults_of_its_observations() -> None:
    """Half-life, expiry and effort are the observation's; the cap of a partner is a quarter."""
    policy = parse_policy(GOOD)
    kept, returned = observations()["order_kept"], observations()["order_return_count"]
    assert policy == Policy(
        name="retail-privileges",
        version=3,
        context="retail",
        base=500.0,
        low=350.0,
        high=950.0,
        bands=(Band("ordinary", 350.0), Band("good", 600.5)),
        weightings=(
            weighting(
                cap=120.0,
                partner_cap=80.0,
                half_life_days=kept.half_life_days,
                expires_days=kept.expires_days,
                effort=kept.effort,
            ),
            weighting(
                LOWERING,
                weight=-0.05,
                floor=-80.0,
                partner_cap=20.0,
                half_life_days=90.0,
                expires_days=730.0,
                effort=returned.effort,
            ),
        ),
        purposes=("https://w3id.org/dpv#CustomerCare",),
        disputes="https://shop.example/disputes",
        terms=Terms(effects=(Effect("free_returns", "good"),)),
        digest=policy.digest,
    )
    assert len(policy.digest) == 43


def test_an_entry_in_the_file_is_read_as_in_the_catalogue() -> None:
    """A proposed observation: with its defaults, and refused until a hub approved it."""
    entry = """
[observations.item_mended]
reads = "lending: repaired"
computed = "1 for each thing that the person repaired"
contexts = ["lending"]
measure = "count"
unit = "repair"
polarity = "raises"
categories = ["SocialBehaviour"]
half_life_days = 99
en = "Things that you repaired for others"
zh = "您为他人修理的物品"
source = "our own statutes"
reasoning = "a contribution to the stock"
"""
    text = GOOD.replace('"order_kept"', '"item_mended"') + entry
    with pytest.raises(GuardRefusedError, match="not approved by two people") as refused:
        parse_policy(text)
    assert [finding.rule for finding in refused.value.findings] == ["DCL-1"]
    digest = proposal_digest("item_mended", Observation(**_values(entry)))
    (repaired, _) = parse_policy(text, Guard((), [digest])).weightings
    assert (repaired.kind.reason, repaired.half_life_days) == ("Things that you repaired for others", 99.0)


def _values(entry: str) -> dict[str, Any]:
    (values,) = tomllib.loads(entry)["observations"].values()
    lists = {key: tuple(values[key]) for key in ("contexts", "categories")}
    enums = {"measure": Measure(values["measure"]), "polarity": Polarity(values["polarity"])}
    return values | lists | enums | {"half_life_days": 99}


def _turned_round(text: str) -> str:
    head, *tables = text.split("[[")
    return head + "".join(f"[[{table}\n" for table in reversed(tables))


@pytest.mark.parametrize(
    "rewritten",
    [
        pytest.param(
            GOOD.replace("500", "500.0").replace("= 4\n", "= 4.0\n"), id="whole numbers with a point"
        ),
        pytest.param(
            GOOD.replace("500", "5e2").replace("= 730\n", "= 730\ncap = -0.0\n"),
            id="exponents and a negative zero",
        ),
        pytest.param(GOOD.replace("\n", "\r\n"), id="Windows line ends"),
        pytest.param(GOOD.replace("= ", "=").replace("\n\n", "\n# a comment\n"), id="spaces and comments"),
        pytest.param(_turned_round(GOOD), id="tables in another order"),
        pytest.param(
            GOOD.replace("base = 500", 'no_score = "neutral"\nbase = 500'), id="a default written out"
        ),
    ],
)
def test_the_digest_depends_on_the_rules_and_not_on_the_file(rewritten: str) -> None:
    """Two ways to write one policy are one policy."""
    assert rewritten != GOOD
    assert parse_policy(rewritten) == parse_policy(GOOD)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("= 500", "= 501"),
        ("version = 3", "version = 4"),
        ("= 730", "= 731"),
        ("order_kept", "order_collected"),
        ('"good"', '"trusted"'),
        ("-0.05", "-0.06"),
    ],
)
def test_the_digest_changes_with_any_rule(old: str, new: str) -> None:
    """A policy that would score or explain otherwise is another policy."""
    assert parse_policy(GOOD.replace(old, new)).digest != parse_policy(GOOD).digest


WRONG = [
    (
        "a typo in a key",
        "partner_cap = 80",
        "partner_kap = 80",
        "line 27, kinds[0].partner_kap: unknown key (did you mean partner_cap?)",
    ),
    ("a key too many at the top", "version = 3", "version = 3\nvisible = 1", "visible: unknown key"),
    ("a key too many in a band", "from = 350", "from = 350\nto = 1", "bands[0].to: unknown key"),
    ("a key left out", "cap = 120\n", "", "line 22, kinds[0].cap: missing key (add cap = "),
    (
        "text for a number",
        "base = 500",
        'base = "500"',
        "line 6, base: must be a number, not a string",
    ),
    ("true for a number", "base = 500", "base = true", "line 6, base: must be a number, not true or false"),
    ("not a number", "base = 500", "base = nan", "base: is out of range"),
    ("infinity", "cap = 120", "cap = inf", "kinds[0].cap: is out of range"),
    ("a number without end", "cap = 120", f"cap = 1{'0' * 400}", "kinds[0].cap: Number out of range"),
    ("a number longer than Python reads", "cap = 120", f"cap = 1{'0' * 9000}", "invalid TOML"),
    ("thousandths of a point", "cap = 120", "cap = 120.001", "kinds[0].cap: has more than two decimals"),
    ("a floor above zero", "floor = -80", "floor = 80", "kinds[1].floor: must be 0 or less"),
    ("a half-life of nothing", "days = 90", "days = 0", "kinds[1].half_life_days: is out of range"),
    (
        "a version that is no number",
        "version = 3",
        "version = 1.5",
        "line 3, version: must be a whole number, not a number",
    ),
    (
        "two kinds of one name",
        "order.returned",
        "order.completed",
        "kinds: retail.order.completed is a duplicate",
    ),
    ("bands that begin too high", "from = 350", "from = 360", "bands: must start at the low end"),
    ("a range upside down", "[350, 950]", "[950, 350]", "range: low, base and high must ascend"),
    ("a range of three", "[350, 950]", "[350, 500, 950]", "range: Expected `array` of length 2"),
    (
        "a declaration of one's own",
        "floor = -80",
        'floor = -80\nevidence = "seen"',
        "kinds[1].evidence: unknown key",
    ),
    (
        "a benefit below a band",
        'from = "good"',
        'below = "good"',
        'effects[0].below: a benefit is for people who reached a band (write from = "good")',
    ),
    (
        "a kind's name out of form",
        "retail.order.completed",
        "Retail Order",
        "kinds[0].kind: has an invalid format",
    ),
    ("a table twice", "[[bands]]", "[bands]", "invalid TOML"),
    (
        "a key of the policy in a table",
        "floor = -80",
        'floor = -80\nno_score = "neutral"',
        "kinds[1].no_score: unknown key (no_score is a top-level key: write it above",
    ),
    (
        "a key of a table in the policy",
        "version = 3",
        "version = 3\npartner_cap = 3",
        "line 4, partner_cap: unknown key (partner_cap belongs under [[kinds]])",
    ),
    ("a quoted key", "version = 3", 'version = 3\n"a\\n.b" = 1', 'line 4, "a\\n.b": unknown key'),
    (
        "a kind without an observation, as in older files",
        'observation = "order_kept"\n',
        "",
        "kinds[0].observation: missing key (add observation =",
    ),
    (
        "an empty effect",
        "[[kinds]]",
        '[[effects]]\neffect = "gift"\n[[kinds]]',
        "line 22, effects[1].from, below: must name",
    ),
    (
        "an effect above no band",
        "[[kinds]]",
        '[[effects]]\neffect = "gift"\nfrom = "y"\n[[kinds]]',
        "effects: gift names an",
    ),
    (
        "a ranking of numbers",
        "[[bands]]",
        "[ranking]\nparameters = [1]\n[[bands]]",
        "line 11, ranking.parameters[0]",
    ),
    (
        "no kind at all",
        GOOD[GOOD.index("[[bands]]") :],
        "kinds = []\nbands = []",
        "bands: must hold at least 1",
    ),
    ("no kinds", GOOD[GOOD.index("[[kinds]]") :], "", "shop.toml, kinds: missing key (add [[kinds]]"),
    ("nothing", GOOD, "", "shop.toml, name: missing key"),
    ("no TOML", GOOD, "{}", "invalid TOML: Invalid statement (at line 1, column 1)"),
    ("nested without end", GOOD, "a = " + "[" * 100_000, "nested too deeply"),
    ("tables nested without end", GOOD, "a = " + "{a=" * 50_000, "nested too deeply"),
    ("a key of 100,000 parts", GOOD, ".".join("a" * 100_000) + " = 1", "line 1: too many dots"),
    ("ten megabytes", GOOD, "a = " + "[" * 10_000_000, "file too large"),
]


@pytest.mark.parametrize(
    ("old", "new", "expected"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG]
)
def test_an_invalid_file_is_one_clear_error(old: str, new: str, expected: str) -> None:
    """It names the file, the key and a hint, on one line of sensible length."""
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    with pytest.raises(ConfigurationError) as wrong:
        parse_policy(text, name="shop.toml")
    message = str(wrong.value)
    assert message.startswith("shop.toml")
    assert expected in message
    assert wrong.value.hint
    assert len(message) < 300
    assert "\n" not in message


@given(
    st.one_of(
        st.text(),
        st.builds(lambda at, by: GOOD[:at] + by + GOOD[at + 1 :], st.integers(0, 700), st.text(max_size=3)),
    )
)
def test_no_text_breaks_the_reader(text: str) -> None:
    """A policy, a clear error or a refusal; never anything else, and never half a policy."""
    try:
        policy = parse_policy(text)
    except (ConfigurationError, GuardRefusedError):
        return
    assert len(policy.weightings) == 2


def test_a_policy_is_never_loaded_unchecked(tmp_path: Path) -> None:
    """The guard checks every file; the refusal names the file and has the findings."""
    path = tmp_path / "bad.toml"
    path.write_text(GOOD.replace("order_kept", "praise"))
    with pytest.raises(GuardRefusedError, match=r"bad\.toml: POL-1") as refused:
        load_policy(path)
    assert [finding.rule for finding in refused.value.findings] == ["POL-1"]
    assert refused.value.lines == (23,)
    with pytest.raises(GuardRefusedError):
        load_policy(path, Guard())


def test_each_finding_has_the_line_that_it_is_about() -> None:
    """A kind's, an effect's, that of the key that a rule looks at; for what is not there, the name's."""
    changed = (
        GOOD.replace("version = 3", 'version = 3\nvisibility = "public"')
        .replace("half_life_days = 90\nexpires_days = 730\n", "half_life_days = 9e4\nexpires_days = 9e4\n")
        .replace('disputes = "https://shop.example/disputes"\n', "")
        .replace("[[kinds]]", '[[effects]]\neffect = "order_declined"\nbelow = "good"\n[[kinds]]', 1)
    )
    with pytest.raises(GuardRefusedError) as refused:
        parse_policy(changed)
    written = changed.split("\n")
    lines = zip(refused.value.findings, refused.value.lines, strict=True)
    assert {(finding.rule, written[(line or 0) - 1]) for finding, line in lines} >= {
        ("VIS-1", 'visibility = "public"'),
        ("RET-1", 'kind = "retail.order.returned"'),
        ("DSP-1", 'name = "retail-privileges"'),
        ("ADM-1", 'effect = "order_declined"'),
    }


def test_a_file_is_read_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    """Editors on Windows put one there."""
    path = tmp_path / "policy.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_policy(path) == parse_policy(GOOD)


def test_what_is_not_a_policy_file_is_an_error(tmp_path: Path) -> None:
    """Missing, a folder, a pipe, not UTF-8, too large: an error with the path, and no waiting."""
    (tmp_path / "latin.toml").write_bytes(GOOD.replace("kept", "k\xe9pt").encode("latin-1"))
    (tmp_path / "large.toml").write_text("#" * (MAX_BYTES + 1))
    os.mkfifo(tmp_path / "pipe.toml")
    expected = {
        "missing.toml": "No such file",
        "": "is not a file",
        "pipe.toml": "is not a file",
        "latin.toml": "is not UTF-8 at byte",
        "large.toml": "file too large",
    }
    for name, words in expected.items():
        with pytest.raises(ConfigurationError, match=words) as wrong:
            load_policy(tmp_path / name)
        assert str(tmp_path / name) in str(wrong.value)
