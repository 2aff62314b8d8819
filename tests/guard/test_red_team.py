"""Ways round the rules that were tried, each beside the ordinary thing that it looks like.

Texts that say what is counted or what follows can no longer be written: the catalogues have them. What is
left to read are names and titles.
"""

import pytest
from attrs import evolve

from sesame_sdk.errors import ConfigurationError, GuardRefusedError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.scoring.policy_file import parse_policy
from tests.guard.builders import LOWERING, kind, policy, rules, weighting

GUARD = Guard()

FILE = """
name = "retail-privileges"
version = 1
context = "retail"
disputes = "https://shop.example/disputes"
base = 550
range = [350, 950]
purposes = ["https://w3id.org/dpv#PersonalisedBenefits"]
[[bands]]
name = "ordinary"
from = 350
[[effects]]
effect = "free_delivery"
from = "ordinary"
[[effects]]
effect = "%s"
from = "ordinary"
[[kinds]]
kind = "retail.order.completed"
observation = "order_kept"
weight = 4
cap = 100
"""


def test_the_line_of_an_effect_is_found() -> None:
    """Each effect is a finding of its own, with the line that names it."""
    with pytest.raises(GuardRefusedError) as refused:
        parse_policy(FILE % "loan_rate")
    (finding,), (line,) = refused.value.findings, refused.value.lines
    assert (finding.rule, finding.about) == ("PUR-5", "policy retail-privileges, effect loan_rate")
    assert (FILE % "loan_rate").splitlines()[(line or 0) - 1] == 'effect = "loan_rate"'


def test_the_line_of_a_band_is_found() -> None:
    """PRP-1 says which band has a name of its own."""
    bad = (FILE % "gift").replace('"ordinary"', '"unreliable"')
    with pytest.raises(GuardRefusedError) as refused:
        parse_policy(bad)
    (finding,), (line,) = refused.value.findings, refused.value.lines
    assert finding.about == "policy retail-privileges, band unreliable"
    assert bad.splitlines()[(line or 0) - 1] == 'name = "unreliable"'


@pytest.mark.parametrize(
    ("table", "key"),
    [
        *(
            ("[[kinds]]", key)
            for key in ("reason", "unit", "description", "sources", "categories", "severity")
        ),
        *(
            ("[[kinds]]", key)
            for key in ("polarity", "evidence", "conduct", "sensitivity", "context", "title")
        ),
        *(("[[effects]]", key) for key in ("name", "consequence", "decides", "price_percent", "disclosed")),
        ("version = 1", "aim"),
    ],
)
def test_what_the_catalogues_say_can_no_longer_be_written(table: str, key: str) -> None:
    """Words for people, and declarations about oneself: an unknown key of the file."""
    text = (FILE % "gift").replace(table, f'{table}\n{key} = "Civic tone index of what you post"', 1)
    with pytest.raises(ConfigurationError, match=f"{key}: unknown key"):
        parse_policy(text)


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ('from = "ordinary"\n[[kinds]]', 'below = "ordinary"\n[[kinds]]', 'write from = "ordinary"'),
        ('"gift"\nfrom', '"order_review"\nfrom', 'write below = "ordinary"'),
        ("cap = 100", "floor = -100", "add cap = 120"),
    ],
)
def test_an_inverted_score_cannot_be_written(old: str, new: str, hint: str) -> None:
    """Benefits are for those who reached a band, reviews for those below it; what raises has a cap."""
    with pytest.raises(ConfigurationError) as refused:
        parse_policy((FILE % "gift").replace(old, new))
    assert hint in str(refused.value)


#: What must be refused in kinds, by rule, and beside it what must pass. Kinds lower a score.
KINDS = {
    "POL-1": """
        Posts that harm social harmony; Comments on current affairs; Posts with positive energy;
        Posts against those in charge; Comments that spread rumours; Disrespect for the nation;
        Posts in line with core values; g\N{LATIN SMALL LETTER O WITH STROKE}vernment posts; pro+est posts;
        posts about zhengfu; 散布谣言; 敏感话题的帖子; 歌颂祖国; 抹黑国家
    """,
    "SPC-1": """
        Nappies that you kept; Pork that you bought; Blood sugar strips; Wine bought; Hearing aids;
        Cigarettes bought; 婴儿用品订单; 卫生巾订单; 猪肉订单
    """,
    "TST-1": """
        Goods that were made at home; Goods from home; Goods of our own country; Products of our country;
        Brands made here; Magazines that you bought; Concert tickets; Vegan orders; 本国商品; 境外商品
    """,
    "ASC-1": """
        Referrals that you made; People that you invited; Late payers in your building; Your team's returns;
        Late returns by people like you; Payments missed by co-signers; 邀请人的表现; 联系人逾期; 您的圈子
    """,
    "BIO-1": "Angry calls; Your tone on the phone; How fast you type; 语气; 愤怒来电",
    "LOC-1": "Nights away from home; Bars that you went to; Jaywalking by you; 夜间外出; 出国次数",
    "RGT-1": """
        Consents that you gave; Chargebacks that you asked for; Letters from lawyers; GDPR requests by you;
        Negative reviews that you wrote; Returns within fourteen days; 差评次数; 拒绝授权; 无理由退货
    """,
    "INF-1": """
        Fraud that a model predicts; Payments that are likely late; Suspected fraud; Downvotes on your posts;
        Conduct that our AI finds odd; 疑似欺诈; 预测的逾期
    """,
    "DCL-1": """
        Your credit score elsewhere; Your income; Convictions on file; Your university degree; 您的收入; 学历
    """,
}
PASSED = """
    Boxes sent back within ten days; Parcels taken in at your address; Bookings moved in good time;
    Reports by you that a moderator upheld; Rules of the house broken, as a moderator confirmed; Wine glasses;
    Parcels collected by the estimated date; Chargeback fraud that a person confirmed; Goods sent to a home;
    Items that you collected from home; Loans of books brought back; Keys lost; Rooms left dirty;
    Fake listings that a person confirmed; Cookie jars that you kept; 经人工确认的欺诈; 按时归还的图书
"""


def _entries(text: str) -> list[str]:
    return [" ".join(entry.split()) for entry in text.split(";")]


@pytest.mark.parametrize(
    ("rule", "words"), [(rule, words) for rule, listed in KINDS.items() for words in _entries(listed)]
)
def test_a_kind_with_a_synonym_is_refused(rule: str, words: str) -> None:
    """It records returns; given away by its title."""
    lowering = evolve(LOWERING, kind=evolve(LOWERING.kind, title=words))
    assert rule in rules(GUARD.check_kind(lowering.kind))
    assert rule in rules(GUARD.check_policy(policy(lowering)))


@pytest.mark.parametrize("words", _entries(PASSED))
def test_an_ordinary_kind_that_sounds_like_one_of_them_passes(words: str) -> None:
    """The title has no findings."""
    assert GUARD.check_kind(evolve(LOWERING.kind, title=words)) == ()


def test_a_guess_may_still_lift() -> None:
    """INF-1 reads only what lowers a score."""
    assert GUARD.check_kind(kind(title="Books that you are likely to return in time")) == ()


def test_a_weight_far_over_the_floor_does_not_outlast_ten_years() -> None:
    """RET-1: a half-life is none if one unit still fills the floor after it; an expiry ends all."""
    heavy = weighting(LOWERING, weight=-1e6, floor=-200.0, half_life_days=3650.0)
    assert rules(GUARD.check_policy(policy(heavy))) == {"RET-1"}
    assert GUARD.check_policy(policy(evolve(heavy, expires_days=3650.0))) == ()
    assert GUARD.check_policy(policy(evolve(heavy, weight=-200.0))) == ()
    assert rules(GUARD.check_policy(policy(evolve(heavy, weight=-200.01)))) == {"RET-1"}
    assert rules(GUARD.check_policy(policy(evolve(heavy, expires_days=3651.0)))) == {"RET-1"}
    assert GUARD.check_policy(policy(evolve(heavy, half_life_days=180.0))) == ()


@pytest.mark.parametrize(
    "way", ["none 1", "call 0", "a@b", "We do not accept disputes 24/7", "2026", "不接受 12345"]
)
def test_a_number_is_no_way_to_dispute(way: str) -> None:
    """DSP-1: a telephone, or a house with its street."""
    assert rules(GUARD.check_policy(policy(disputes=way))) == {"DSP-1"}


@pytest.mark.parametrize(
    "way", ["400-800-8820", "No. 5, Lane 3, Leeds", "Desk, 1 High Street", "desk@shop.example"]
)
def test_a_telephone_a_house_or_a_mailbox_is_a_way_to_dispute(way: str) -> None:
    """DSP-1."""
    assert GUARD.check_policy(policy(disputes=way)) == ()


@pytest.mark.parametrize(("purpose", "expected"), [(" ", "(empty)"), ("urn:x:y", "urn:x:y")])
def test_a_purpose_that_is_refused_is_named(purpose: str, expected: str) -> None:
    """PUR-1: an empty one too."""
    findings = GUARD.check_policy(policy(purposes=("https://w3id.org/dpv#CustomerCare", purpose)))
    (finding,) = findings
    assert finding.reason.endswith(f": {expected}")


def test_an_unreadable_text_gets_no_finding_about_its_topic() -> None:
    """The finding says what is wrong with the text and asks for plainer characters."""
    bomb = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 60
    findings = [finding for finding in GUARD.check_kind(kind(title=bomb[:100])) if finding.rule == "POL-1"]
    assert [finding.reason for finding in findings] == ["it has too much text to check"]


def test_a_reason_code_is_read() -> None:
    """POL-1: people read the code as well."""
    assert rules(GUARD.check_policy(policy(weighting(code="PROTEST")))) == {"POL-1"}
