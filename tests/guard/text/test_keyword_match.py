"""The lexical check: what its lists name, what its foldings see through, and what it costs."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk.guard.guard import Guard
from sesame_sdk.guard.text.keyword_match import UNREADABLE, find_mention
from sesame_sdk.guard.text.normalize import MAX_LENGTH
from sesame_sdk.guard.text.topics import Topic, alternatives
from tests.guard.builders import kind, policy, rules, weighting

GUARD = Guard()

#: What each rule must see; half of a pair of scripts is not enough.
SEEN = {
    Topic.POLITICS: """
        Votes that you cast; Voting; A rally; Rallies; Protest march; Boycotts; Boycotted; Strikes; A strike;
        Demonstrations; Riots; Rioting; Posts about the govt; Posts against the state; Independence movement;
        Posts on Taiwan independence; Free Tibet posts; 投票; 入党; 入黨; 習近平; 习近平; 台独; 台獨; 西藏;
        六四; 批评领导; 批評領導; 警察
    """,
    Topic.SPECIAL_CATEGORIES: """
        Alcohol that you bought; Pills; Drugs bought; Surgery; Surgeries; Birth control; Your gender; Priest;
        Imams; Rabbi; Hijab bought; Black people; White people; Immigrants; Immigration status; Refugees;
        Disabled; 医生; 醫生; 看病; 感冒药; 感冒藥; 糖尿病; 性别; 性別; 汉族; 漢族; 肤色; 膚色; 圣经; 聖經;
        古兰经; 古蘭經
    """,
    Topic.TASTE: """
        Film that you watched; TV series; Books that you read; Books you liked; Food preferences;
        French goods; German goods; Indian food; Spanish; Goods from Japan; Products from the United States;
        Media from China; Goods that come from Korea; Local goods; Local products; 日本;
        韩国; 韓國; 英语; 英語; 电视剧; 電視劇
    """,
    Topic.OTHER_PEOPLE: """
        Child; Children; Parent; Son; Sons; Kids; Mom; Dad; Household; Your partner; Page followers;
        A follower; 爸爸; 妈妈; 媽媽; 孩子; 男友; 女友; 家庭; 哥哥; 姐姐; 弟弟; 妹妹
    """,
}
RULES = dict(zip(SEEN, ("POL-1", "SPC-1", "TST-1", "ASC-1"), strict=True))


@pytest.mark.parametrize(
    ("topic", "words"),
    [(topic, " ".join(words.split())) for topic, listed in SEEN.items() for words in listed.split(";")],
)
def test_a_plain_word_is_seen(topic: Topic, words: str) -> None:
    """Singular and plural, simplified and traditional, in kinds and policies."""
    assert RULES[topic] in rules(GUARD.check_kind(kind(title=words)))
    assert RULES[topic] in rules(GUARD.check_policy(policy(weighting(title=words))))


@pytest.mark.parametrize(
    "words",
    [
        *("po1itics", "polltics", "pol|tics", "p0l1t1cs", "pol\N{LATIN SMALL LETTER DOTLESS I}tics"),
        "pol\N{CYRILLIC SMALL LETTER BYELORUSSIAN-UKRAINIAN I}t\N{LATIN SMALL LETTER DOTLESS I}cs",
        "\N{LATIN LETTER SMALL CAPITAL P}olitics",
        *("po li tics", "po.li.ti.cs", "p-oli-ti-cs", "pol itics", "TradeUnionDues", "CCPMember", "pOlItIcS"),
        *("trade|union", "trade1union", "union@shop", "protest2", "political posts"),
        *("政x治", "critic1sm of the p0lice", "the p0lice, and your crit1cism"),
    ],
)
def test_a_disguise_does_not_help(words: str) -> None:
    """Look-alike characters, cut words, joined words, signs between or for characters."""
    assert find_mention(Topic.POLITICS, words)
    assert "POL-1" in rules(GUARD.check_kind(kind(title=f"Posts on {words}")))


def test_a_cut_word_of_every_rule_is_seen() -> None:
    """Pieces are joined whatever the topic."""
    assert find_mention(Topic.SPECIAL_CATEGORIES, "reli.gi.on") == "religion"
    assert find_mention(Topic.TASTE, "ja-pa-ne-se") == "japanese"
    assert find_mention(Topic.OTHER_PEOPLE, "fri3nd") == "fri3nd"


def test_the_finding_shows_the_words_of_the_text() -> None:
    """Characters are folded for matching only; the finding shows the original text."""
    assert find_mention(Topic.POLITICS, "About polltics") == "polltics"
    assert find_mention(Topic.SPECIAL_CATEGORIES, "Illnesses") == "illnesses"


def test_a_text_that_unfolds_without_end_is_refused_by_each_rule_asked() -> None:
    """One character may become 18; what cannot be checked does not pass."""
    bomb = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * (MAX_LENGTH // 18 + 1)
    findings = GUARD.check_kind(kind(title=bomb))
    assert rules(findings) == {*RULES.values(), "BIO-1", "LOC-1", "RGT-1", "DCL-1"}
    assert all("too much text to check" in finding.reason for finding in findings)
    assert find_mention(Topic.TASTE, "x" * MAX_LENGTH) == ""
    assert find_mention(Topic.TASTE, "x" * (MAX_LENGTH + 1)) == UNREADABLE


_HOSTILE = [
    *("a", "a ", "1 a", "l1I ", "aB", "A@", "criticx ", "critical of a b c d e f ", "the party ", "state "),
    *("goods of a b c ", "goods from ", "votes that your ", "third party ", "loyal to the ", "po li ti c "),
    *("s on ", "ß", "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}", "\N{COMBINING GRAVE ACCENT}", "政 "),
    *("vote", "critical", "institutionss ", "a1@B|"),
]


@pytest.mark.parametrize("piece", _HOSTILE)
def test_hostile_text_costs_little(piece: str) -> None:
    """400 characters in less than 5 ms of processor time a question, whatever they are."""
    spent = []
    for turn in range(5):
        # Another text each time: the answer of the last one is remembered.
        text = f"{(piece * 400)[: 399 - turn]}{'z' * turn}"
        before = time.process_time()
        find_mention(Topic.POLITICS, text)
        spent.append(time.process_time() - before)
    assert min(spent) < 0.005


@given(st.text(max_size=400), st.sampled_from(Topic))
def test_any_text_is_answered(text: str, topic: Topic) -> None:
    """No text breaks the check, and the same text is answered the same."""
    assert find_mention(topic, text) == find_mention.__wrapped__(topic, text)


@given(st.lists(st.from_regex(r"[ab]{1,4}\*?", fullmatch=True), min_size=1, max_size=8), st.data())
def test_a_trie_matches_what_its_words_match(words: list[str], data: st.DataObject) -> None:
    """The shared pattern and the plain alternation say yes and no to the same texts."""
    text = data.draw(st.text("ab", max_size=6))
    plain = "|".join(word.replace("*", "[a-z]*") for word in words)
    assert bool(re.fullmatch(alternatives(words), text)) is bool(re.fullmatch(plain, text))
