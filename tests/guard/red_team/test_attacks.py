"""Attacks on the structure itself: look-alike ids, signs, units, names, proposals and huge inputs."""

from pathlib import Path

import pytest
from attrs import evolve

from sesame_sdk.catalogue.observations import Evidence, Gravity, Polarity, load_proposal, observations
from sesame_sdk.errors import ConfigurationError, GuardRefusedError, InvalidInputError
from sesame_sdk.guard.guard import Guard, proposal_digest
from sesame_sdk.model.finding import Action
from sesame_sdk.model.policy import Band
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.model.terms import Effect, Ranking
from sesame_sdk.scoring.policy_file import MAX_BYTES, parse_policy
from tests.guard.builders import consumer, policy

GUARD = Guard()
FILE = """
name = "shop-privileges"
version = 1
context = "shop"
disputes = "https://shop.example/disputes"
base = 550
range = [350, 950]
purposes = ["https://w3id.org/dpv#PersonalisedBenefits"]
bands = [{ name = "ordinary", from = 350 }, { name = "good", from = 600 }]
effects = [{ effect = "gift", from = "good" }]
[[kinds]]
kind = "shop.order.kept"
observation = "order_kept"
weight = 4
cap = 100
"""
#: An honest proposal, which each attack changes in one way.
PROPOSAL = evolve(
    observations()["item_returned_undamaged"],
    computed="1 for each instrument that came back tuned",
    en="Instruments that you brought back tuned",
    zh="您调好音后归还的乐器",
    unit="instrument",
)
PROPOSED = "instrument_returned_tuned"


def _refuse(text: str) -> Exception:
    with pytest.raises((ConfigurationError, GuardRefusedError)) as refused:
        parse_policy(text)
    return refused.value


def _proposed(name: str = PROPOSED, **changes: object) -> set[str]:
    """The rules that refuse a proposal although two people of the hub approved it."""
    entry = evolve(PROPOSAL, **changes)
    guard = Guard(approved=(proposal_digest(name, entry),))
    findings = guard.check_kind(SignalKind("music.instrument.tuned", name, proposal=entry))
    return {finding.rule for finding in findings if finding.action is Action.REFUSE}


def test_the_policy_that_the_attacks_change_is_admitted() -> None:
    """So that each refusal is about its change alone."""
    assert parse_policy(FILE).name == "shop-privileges"
    assert _proposed() == set()


@pytest.mark.parametrize(
    "name",
    [
        "ord\N{CYRILLIC SMALL LETTER IE}r_kept",
        "order_kept\N{ZERO WIDTH SPACE}",
        "Order_kept",
        "order_kept ",
        "order-kept",
        "\N{FULLWIDTH LATIN SMALL LETTER O}rder_kept",
        "order.kept",
        "order_kept_",
        "order__kept",
        "orders_kept",
        "",
        "o" * 10_000,
        "__class__",
        "../order_kept",
    ],
)
@pytest.mark.parametrize("key", ["observation", "effect"])
def test_a_name_that_looks_like_an_entry_is_none(key: str, name: str) -> None:
    """Ids are compared whole: a letter of another script, a space or a plural makes another id."""
    old = "order_kept" if key == "observation" else "gift"
    attack = name if key == "observation" else name.replace("order", "gi").replace("kept", "ft")
    text = FILE.replace(f'{key} = "{old}"', f'{key} = "{attack}"')
    assert text != FILE
    _refuse(text)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("weight = 4", "weight = -4", "weight"),
        ("weight = 4", "weight = nan", "weight"),
        ("weight = 4", "weight = 1e300", "weight"),
        ("cap = 100", "cap = 100\nfloor = -50", "as if it lowered"),
        ("cap = 100", "floor = -50", "cap"),
        ("cap = 100", "cap = -100", "cap"),
        ('"order_kept"', '"order_return_count"', "floor"),
        ("cap = 100", "cap = 100\npartner_cap = -1", "partner_cap"),
        ("cap = 100", "cap = 100\nhalf_life_days = -1", "half_life_days"),
        ("base = 550", "base = 1000", "base"),
    ],
)
def test_a_score_cannot_be_inverted_by_its_numbers(old: str, new: str, words: str) -> None:
    """What raises has a positive weight and a cap, what lowers a negative one and a floor."""
    assert words in str(_refuse(FILE.replace(old, new)))


@pytest.mark.parametrize("currency", ["JPY", "POINTS", "eur", "XTS", "\N{EURO SIGN}", "domestic", "EUR "])
def test_a_currency_carries_no_taste(currency: str) -> None:
    """Only amounts have one, and only a code in circulation: it cannot stand for an origin or for stars."""
    _refuse(FILE.replace("cap = 100", f'cap = 100\ncurrency = "{currency}"'))
    if currency != "JPY":
        _refuse(FILE.replace('"order_kept"', f'"order_spend"\ncurrency = "{currency}"'))


@pytest.mark.parametrize(
    "name",
    [
        *(
            "\u5931\u4fe1",
            "unzuverl\u00e4ssig",
            "tramposos",
            "mauvais payeur",
            "second class",
            "Good",
            "good ",
        ),
        *(
            "\N{CYRILLIC CAPITAL LETTER A}",
            "g\N{CYRILLIC SMALL LETTER O}od",
            "F",
            "1",
            "VIP",
            "citizen of honour",
        ),
    ],
)
def test_a_band_is_named_from_the_list_in_no_other_language(name: str) -> None:
    """A verdict on people cannot be written in any language, nor a look-alike of a name."""
    findings = GUARD.check_policy(policy(bands=(Band(name, 350.0), Band("good", 600.0)), effects=()))
    assert "PRP-1" in {finding.rule for finding in findings if finding.action is Action.REFUSE}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"gift", from = "good"', '"gift", below = "good"'),
        ('"gift", from', '"order_review", from'),
        ('"gift", from = "good"', '"gift", from = "good", percent = 5'),
        ('"gift", from = "good"', '"discount", from = "good"'),
        ('"gift", from = "good"', '"discount", from = "good", percent = -8'),
        ('"gift", from = "good"', '"discount", from = "good", percent = 800'),
        ('"gift", from = "good"', '"discount", from = "good", percent = nan'),
        ('"gift", from = "good"', '"order_review", below = "good"'),
        ('"gift", from = "good"', '"listing_limit", below = "good"'),
        ('"gift", from = "good"', '"gift", from = "good", name = "First in line for flats"'),
        ('"gift", from = "good"', '"gift", from = "good", decides = "score"'),
    ],
)
def test_an_effect_cannot_be_turned_into_a_burden(old: str, new: str) -> None:
    """Its direction, its price and its words are those of the catalogue."""
    assert old in FILE
    _refuse(FILE.replace(old, new))


@pytest.mark.parametrize(
    "parameter", ["country of origin", "taste", "Score", "neighbourhood", "\u653f\u6cbb"]
)
def test_a_ranking_has_parameters_of_the_list_alone(parameter: str) -> None:
    """MAT-1: what else it ranks by is no place for taste or location."""
    ranked = consumer(
        purpose="urn:sesame-sdk:purpose:MatchmakingRanking",
        ranking=Ranking(("score", parameter), "newest first"),
    )
    assert "MAT-1" in {finding.rule for finding in GUARD.check_consumer(ranked)}


@pytest.mark.parametrize("order", ["by score", "best first", "newest first, then score", "newest  first", ""])
def test_an_order_without_the_score_is_of_the_list(order: str) -> None:
    """MAT-1: the score under another name is no other order."""
    ranked = consumer(
        purpose="urn:sesame-sdk:purpose:MatchmakingRanking", ranking=Ranking(("relevance", "score"), order)
    )
    assert "MAT-1" in {finding.rule for finding in GUARD.check_consumer(ranked)}


@pytest.mark.parametrize(
    "title",
    [
        *(
            "Civic tone index of protest posts",
            "p r o t e s t posts",
            "Pr0test\N{ZERO WIDTH SPACE}s of yours",
        ),
        *("\u6297\u8bae\u6b21\u6570", "PROTESTS\nOrders that you kept"),
    ],
)
def test_a_title_says_nothing_plainly_harmful(title: str) -> None:
    """The second net reads it through capitals, digits, spaces and scripts."""
    findings = GUARD.check_kind(SignalKind("shop.order.kept", "order_kept", title=title))
    assert {finding.rule for finding in findings} == {"POL-1"}


def test_a_title_is_no_place_for_a_long_text() -> None:
    """It has at most 100 characters."""
    with pytest.raises(InvalidInputError, match="title"):
        SignalKind("shop.order.kept", "order_kept", title="x" * 101)


def test_a_policy_of_any_size_is_one_error() -> None:
    """Too large a file, and thousands of kinds or effects, are refused before the guard reads each word."""
    kind = FILE[FILE.index("[[kinds]]") :]
    many = FILE + "".join(kind.replace("shop.order.kept", f"shop.order.k{n}") for n in range(4000))
    assert len(many) > MAX_BYTES
    _refuse(many)
    _refuse(FILE.replace("{ effect", '{ effect = "gift", from = "good" }, ' * 51 + "{ effect", 1))
    with pytest.raises(InvalidInputError):
        policy(effects=(Effect("gift", "good"),) * 51)


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("DCL-1", {"reads": "social: post_liked"}),
        ("DCL-1", {"reads": "orders: completed_domestic"}),
        ("DCL-1", {"reads": "orders"}),
        ("DCL-1", {"reads": "Lending: returned_in_time"}),
        ("DCL-1", {"contexts": ("work",)}),
        ("DCL-1", {"contexts": ("lending", "housing")}),
        ("DCL-1", {"categories": ("CreditScore",)}),
        ("SPC-1", {"categories": ("Reliability", "Religion")}),
        ("TST-1", {"categories": ("FavouriteMusic",)}),
        ("LOC-1", {"categories": ("Location",)}),
        ("DCL-1", {"gravity": Gravity.GRAVE}),
        ("DCL-1", {"polarity": Polarity.LOWERS}),
        ("POL-1", {"computed": "1 for each protest march that the person joined"}),
        ("TST-1", {"en": "Music that you played"}),
        ("SPC-1", {"unit": "church"}),
        ("POL-1", {"zh": "\u60a8\u53c2\u52a0\u6297\u8bae\u7684\u6b21\u6570"}),
    ],
)
def test_an_approval_does_not_admit_a_harmful_proposal(rule: str, changes: dict[str, object]) -> None:
    """Two names under a proposal end the refusal of what is not approved, and of nothing else."""
    assert rule in _proposed(**changes)


def test_an_inferred_proposal_may_not_lower_a_score() -> None:
    """INF-1, although it is approved."""
    lowers = {"polarity": Polarity.LOWERS, "gravity": Gravity.MINOR, "half_life_days": 180.0}
    assert "INF-1" in _proposed(**lowers, evidence=Evidence.INFERRED)


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("POL-1", "post_opinion"),
        ("TST-1", "share_of_domestic_goods"),
        ("ASC-1", "friend_score"),
        ("PUR-2", "attendance_at_work"),
        ("DCL-1", "civic_index"),
        ("DCL-1", "order_kept"),
    ],
)
def test_an_approval_does_not_admit_a_name_that_can_never_be_approved(rule: str, name: str) -> None:
    """However harmless the rest of the entry is; nor one that redefines an entry of the catalogue."""
    assert rule in _proposed(name)


def test_an_approval_is_of_one_text() -> None:
    """A proposal that was changed after its approval is another one."""
    guard = Guard(approved=(proposal_digest(PROPOSED, PROPOSAL),))
    changed = evolve(PROPOSAL, computed="1 for each instrument of the right kind")
    for name, entry in ((PROPOSED, changed), ("instrument_tuned", PROPOSAL)):
        kind = SignalKind("music.instrument.tuned", name, proposal=entry)
        assert {finding.rule for finding in guard.check_kind(kind)} == {"DCL-1"}


TOML = f"""
[{PROPOSED}]
reads = "lending: inspected_undamaged"
computed = "1 for each instrument that came back tuned"
contexts = ["lending"]
measure = "count"
unit = "instrument"
polarity = "raises"
categories = ["Reliability"]
en = "Instruments that you brought back tuned"
zh = "\u60a8\u8c03\u597d\u97f3\u540e\u5f52\u8fd8\u7684\u4e50\u5668"
source = "Our own, after GL 177"
reasoning = "The next member can play at once."
"""


@pytest.mark.parametrize("line", ['conduct = "others"', 'polarty = "lowers"', 'approved_by = ["Ann", "Ben"]'])
def test_a_proposal_has_no_unknown_key(line: str, tmp_path: Path) -> None:
    """Neither in its own file nor in a policy: a key that is ignored may be one that its author relies on."""
    path = tmp_path / "proposal.toml"
    path.write_text(TOML, encoding="utf-8")
    assert load_proposal(path)[0] == PROPOSED
    path.write_text(TOML + line, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=line.split(" ")[0]):
        load_proposal(path)
    table = (TOML + line).replace(f"[{PROPOSED}]", f"[observations.{PROPOSED}]")
    assert line.split(" ")[0] in str(_refuse(FILE + table))
