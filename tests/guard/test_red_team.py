"""Ways round the rules that were tried, each beside the ordinary thing that it looks like."""

import pytest
from attrs import evolve

from sesame_sdk.errors import GuardRefusedError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.model.policy import Band, Severity
from sesame_sdk.model.terms import Consequence, Decider, Effect, Ranking, Side
from sesame_sdk.scoring.policy_file import parse_policy
from tests.guard.builders import LOWERING, consumer, kind, policy, rules, weighting

GUARD = Guard()

FILE = """
name = "retail-privileges"
version = 1
context = "retail"
aim = "Small privileges for customers whose orders go well"
disputes = "https://shop.example/disputes"
base = 550
range = [350, 950]
purposes = ["https://w3id.org/dpv#PersonalisedBenefits"]
[[bands]]
name = "ordinary"
from = 350
[[effects]]
name = "Free delivery"
from = "ordinary"
[[effects]]
name = "%s"
from = "ordinary"
[[kinds]]
kind = "retail.order.completed"
unit = "order"
categories = ["https://w3id.org/dpv/pd#Purchase"]
weight = 4
cap = 100
partner_cap = 60
reason = "Orders that you kept"
"""


def test_each_effect_that_speaks_of_a_topic_is_named() -> None:
    """PUR-2 to PUR-6 and VIS-1 name the effect, for policies and consumers; one does not hide another."""
    effects = (Effect("A cheaper loan", "good"), Effect("Free delivery", "good"), Effect("No debts", "good"))
    findings = GUARD.check_policy(policy(effects=effects))
    assert [finding.about for finding in findings] == [
        "policy retail-privileges, effect A cheaper loan",
        "policy retail-privileges, effect No debts",
    ]
    expected = GUARD.check_consumer(consumer(effects=(Effect("On the leaderboard", "good"),)))
    assert [finding.about for finding in expected] == ["consumer care, effect On the leaderboard"]


@pytest.mark.parametrize("name", ["A cheaper loan", f"A loan {'for you ' * 23}"], ids=["short", "cut"])
def test_the_line_of_an_effect_is_found(name: str) -> None:
    """Also where the finding cuts its name."""
    with pytest.raises(GuardRefusedError) as refused:
        parse_policy(FILE % name)
    (line,) = refused.value.lines
    assert (FILE % name).splitlines()[(line or 0) - 1] == f'name = "{name}"'


def test_the_line_of_a_band_is_found() -> None:
    """PRP-1 says which band is a verdict on people."""
    bad = (FILE % "Free coffee").replace('"ordinary"', '"unreliable"')
    with pytest.raises(GuardRefusedError) as refused:
        parse_policy(bad)
    (finding,), (line,) = refused.value.findings, refused.value.lines
    assert finding.about == "policy retail-privileges, band unreliable"
    assert bad.splitlines()[(line or 0) - 1] == 'name = "unreliable"'


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
    "EXP-1": """
        Incidents with you; Internal flags; Violations of rules; What we noted; See our site for more;
        Points taken; Negative feedback; Code 17; 违规项; 负面事件
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
    """Declared a purchase, own conduct, observed and ordinary; given away by its reason."""
    lowering = evolve(LOWERING, kind=evolve(LOWERING.kind, reason=words))
    assert rule in rules(GUARD.check_kind(lowering.kind))
    assert rule in rules(GUARD.check_policy(policy(lowering)))


@pytest.mark.parametrize("words", _entries(PASSED))
def test_an_ordinary_kind_that_sounds_like_one_of_them_passes(words: str) -> None:
    """The text has no findings."""
    assert GUARD.check_kind(evolve(LOWERING.kind, reason=words)) == ()


def test_a_guess_may_still_lift() -> None:
    """INF-1 reads only what could lower a score."""
    assert GUARD.check_kind(kind(reason="Books that you are likely to return in time")) == ()


def test_a_category_that_is_declared_otherwise_is_one_finding() -> None:
    """DCL-1 by the declaration, or else by the words."""
    income = kind(reason="Your income each month", categories=("https://w3id.org/dpv/pd#Income",))
    assert [finding.rule for finding in GUARD.check_kind(income)] == ["DCL-1"]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        *(("PUR-2", words) for words in _entries("Considered for roles; More gigs; 优先派单; 人才库")),
        *(("PUR-3", words) for words in _entries("Faster ID cards; Less tax; At customs; 办证; 优秀市民")),
        *(
            ("PUR-4", words)
            for words in _entries(
                "First pick of homes; A faster lane online; See a GP; Free bus rides; 看房; 就诊"
            )
        ),
        *(
            ("PUR-5", words)
            for words in _entries("Spread the cost; A bigger tab; Lower APR; 先用后付; 提额; 白条")
        ),
        *(
            ("PUR-6", words)
            for words in _entries("Given to all group companies; Partners learn your band; 合作方")
        ),
        *(
            ("VIS-1", words)
            for words in _entries(
                "A star beside your name; Your band under each post; All members see it; 上榜"
            )
        ),
        *(("MAT-1", words) for words in _entries("Your profile comes first in searches; 排名靠前")),
        *(("ENR-1", words) for words in _entries("Required of every customer; You must join; 必须加入")),
        *(("MIN-1", words) for words in _entries("For teenagers; A gift for pupils; 未成年人")),
        *(("PRC-1", words) for words in _entries("A service fee; Prices are dearer; Double deposit; 罚款")),
        *(
            ("PRP-1", words)
            for words in _entries("Orders are declined; Posting is blocked; Answers come last; 拒绝; 冻结")
        ),
    ],
)
def test_an_effect_with_a_synonym_is_refused(rule: str, words: str) -> None:
    """As a benefit, and as a review below a band: the texts are searched."""
    reward = Effect(words, "good")
    review = Effect(words, "ordinary", Side.BELOW, Consequence.REVIEW, Decider.PERSON)
    for effect in (reward, review):
        assert rule in rules(GUARD.check_policy(policy(effects=(effect,))))
        assert rule in rules(GUARD.check_consumer(consumer(effects=(effect,))))


BENEFITS = """
    Free cancellation; Orders are never declined; No surcharge for express delivery; No delivery charge;
    No booking fee; Frozen desserts; No longer than a day to wait; A badge beside your name, if you want it;
    A star on your profile if you choose; Bike hire without a deposit; Deposit no longer needed;
    A locker that is yours for good; The deposit is dropped;
    No need to pay in advance; Items on hold for a week; No entry fee;
    Cancelled bookings are paid back; Three weeks at most to wait; A tennis court two days sooner;
    Vouchers for other shops in the street; Skip the queue at the till; Delivered to your home;
    Longer borrowing of books; A longer loan of instruments; Insurance of your parcel; Fun for all ages;
    A gift for your children; 免押金; 免收额外费用
"""


@pytest.mark.parametrize("words", _entries(BENEFITS))
def test_an_ordinary_benefit_that_sounds_like_one_of_them_passes(words: str) -> None:
    """Without findings, for policies and consumers."""
    assert GUARD.check_policy(policy(effects=(Effect(words, "good"),))) == ()
    assert GUARD.check_consumer(consumer(effects=(Effect(words, "good"),))) == ()


def test_a_burden_that_is_declared_as_one_is_judged_as_declared() -> None:
    """PRP-1 reads words only of what is called a review or less: a limit has rules of its own."""
    honest = Effect("Orders are declined", "ordinary", Side.BELOW, Consequence.LIMIT, Decider.PERSON)
    assert GUARD.check_policy(policy(effects=(honest,))) == ()


@pytest.mark.parametrize("words", ["The account is closed", "Banned", "Membership ends", "封号"])
@pytest.mark.parametrize("consequence", [Consequence.BENEFIT, Consequence.LIMIT, Consequence.SUSPENSION])
def test_a_ban_by_another_name_is_a_ban(words: str, consequence: Consequence) -> None:
    """PRP-1 for policies and consumers, whatever it is declared as."""
    ban = Effect(words, "ordinary", Side.BELOW, consequence, Decider.PERSON)
    for findings in (
        GUARD.check_policy(policy(effects=(ban,))),
        GUARD.check_consumer(consumer(effects=(ban,))),
    ):
        assert [finding.reason for finding in findings] == [
            "a ban needs a decision about the person, and cannot follow from a score"
        ]


def test_a_ban_is_one_finding() -> None:
    """PRP-1: that it could be reached by light conduct is not worth saying beside it."""
    ban = Effect("Account closed", "good", Side.BELOW, Consequence.BAN, Decider.PERSON)
    (finding,) = GUARD.check_policy(policy(effects=(ban,)))
    assert finding.rule == "PRP-1"


def test_the_hint_names_the_registered_context_of_a_kind() -> None:
    """CTX-1 names the entry of the policy, with a hint."""
    registered = evolve(LOWERING.kind, context="matchmaking")
    findings = GUARD.check_policy(policy(LOWERING), [registered])
    assert "set context = 'matchmaking'" in {finding.hint for finding in findings}


@pytest.mark.parametrize("name", ["untrustworthy", "high risk", "liars", "second class", "不可信", "失信人"])
def test_a_band_is_no_verdict_on_people(name: str) -> None:
    """PRP-1; a low band may be called low."""
    assert "PRP-1" in rules(GUARD.check_policy(policy(bands=(Band(name, 350.0), Band("good", 600.0)))))
    for plain in ("low", "poor", "new", "basic", "普通"):
        assert GUARD.check_policy(policy(bands=(Band(plain, 350.0), Band("good", 600.0)))) == ()


@pytest.mark.parametrize("reason", ["Payments that came late", "Orders that you sent back", "逾期付款"])
def test_lateness_is_not_grave(reason: str) -> None:
    """PRP-1: severity cannot be inflated to bear a suspension; nor is a reward looked at."""
    inflated = weighting(LOWERING, reason=reason, severity=Severity.GRAVE)
    (finding,) = GUARD.check_policy(policy(inflated))
    assert (finding.rule, finding.hint) == ("PRP-1", "set severity = 'minor'")
    assert GUARD.check_policy(policy(weighting(LOWERING, reason=reason, severity=Severity.SERIOUS))) == ()
    assert GUARD.check_policy(policy(weighting(reason=reason, severity=Severity.GRAVE))) == ()
    fraud = weighting(LOWERING, kind="retail.fraud.confirmed", reason="Fraud that a person confirmed")
    assert GUARD.check_policy(policy(evolve(fraud, severity=Severity.GRAVE))) == ()


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
    "order", ["best first", "by trust", "most valued first", "by tier", "recommended", "按等级", "信誉优先"]
)
def test_the_score_under_another_name_is_no_order_without_it(order: str) -> None:
    """MAT-1: reputation, trust and merit are names of a score; a vague order is refused too."""
    assert rules(GUARD.check_policy(policy(ranking=Ranking(("score",), order)))) == {"MAT-1"}


@pytest.mark.parametrize(
    "order", ["newest first", "distance", "lowest price first", "by name", "最新优先", "按距离"]
)
def test_an_order_of_something_else_passes(order: str) -> None:
    """MAT-1."""
    assert GUARD.check_policy(policy(ranking=Ranking(("score",), order))) == ()


def test_a_ranking_shows_that_the_score_is_in_it() -> None:
    """MAT-1: the score is a main parameter of what it ranks."""
    (finding,) = GUARD.check_policy(policy(ranking=Ranking(("relevance", "distance"), "newest first")))
    assert "does not show it" in finding.reason


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
    (finding,) = GUARD.check_policy(policy(purposes=(purpose,)))
    assert finding.reason.endswith(f": {expected}")


def test_an_unreadable_text_gets_no_finding_about_its_topic() -> None:
    """The finding says what is wrong with the text and asks for plainer characters."""
    bomb = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 60
    findings = [finding for finding in GUARD.check_kind(kind(reason=bomb)) if finding.rule == "POL-1"]
    assert [finding.reason for finding in findings] == ["it has too much text to check"]


def test_a_reason_code_is_read() -> None:
    """POL-1: people read the code as well."""
    assert rules(GUARD.check_policy(policy(weighting(code="UNION")))) == {"POL-1"}
