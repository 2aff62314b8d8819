"""The topics: what each of them sees, what it must let pass, and that the lists hold together."""

import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from sesame_retail.kinds import KINDS as RETAIL
from sesame_social.provider import KINDS as SOCIAL

from sesame_sdk.guard.text.keyword_match import find_mention
from sesame_sdk.guard.text.topics import USE_TOPICS, WORDLISTS, Topic, entries, parse_wordlist

#: Topics of kinds: what a score must not be made of.
KIND_TOPICS = tuple(Topic)[:9]
POLICIES = Path(__file__).resolve().parents[3] / "examples" / "policies"

SEEN = {
    Topic.BIOMETRICS: """
        A selfie; Face of the person; Facial features; Iris scans; Your gait; A voiceprint;
        Emotions in your voice; Mood detection; Expressions; Fingerprints; Keystroke rhythm; Typing rhythm;
        Heart rate; Photos of you; Sentiment of your posts; faceId; 人脸; 刷臉; 虹膜; 声纹; 聲紋; 步态;
        情绪; 情緒; 表情; 自拍
    """,
    Topic.LOCATION: """
        GPS; gps-trail; Location trail; Your whereabouts; Check-ins; Checked in at a bar; Geofence entered;
        Places visited; Places that you visited; Commute; Commutes; Your route; Routes;
        Where you were at night; Cell towers; Travel history; Home address; 定位; 轨迹; 軌跡; 行踪; 行蹤;
        签到; 簽到; 去过的地方; 通勤; 路線
    """,
    Topic.RIGHTS: """
        Complaints; You complained; A dispute; Disputes opened; Order dispute settled by the bank;
        Objections; Objected to profiling; Withdrawals of consent; Consent withdrawn; Withdrew consent;
        Erasure requests; Erased your account; Opted out; Opt-outs; Appeals; Human review asked for;
        Looked at your score; Logins to the score page; Views of your score; score-page; Access requests;
        Exported your data; Lawsuits; 投诉; 投訴; 争议; 爭議; 异议; 異議; 撤回同意; 删除请求; 刪除請求;
        查看分数; 查看分數
    """,
    Topic.WORK: """
        Hiring; hiring-screen; Whom to hire; Firing; Fired below 500; Promotion at work; Job offers; Salary;
        Salaries; CV screening; c.v. check; Resume screening; Your employer is told; Employment; Recruiting;
        Applicants; Interview invitations; Wages; Shift planning; Background checks; Performance reviews;
        JobMatch; 招聘; 解雇; 解僱; 升职; 升職; 工资; 工資; 简历筛选; 簡歷篩選; 雇主; 僱主; 面试; 面試
    """,
    Topic.PUBLIC_SERVICES: """
        Welfare; Social security; Housing benefit; Benefit eligibility; Police checks; Court; Court cases;
        A visa; Visa granted sooner; Voting; Right to vote; Voters; Driving licence; Business license;
        Licences; Residence permits; Border control; Prisons; Tax audits; Subsidies; Government office;
        Asylum; Passport; 社会福利; 社會福利; 警察; 法院; 签证; 簽證; 投票; 执照; 執照; 户口; 戶口; 低保
    """,
    Topic.ESSENTIALS: """
        Internet speed; Slower internet; Internet access; Bandwidth; Broadband; Throttled below 500; Wi-Fi;
        Housing; housing-queue; Rent; Rents; Tenants; Landlords; Utilities; Electricity; Health care;
        Healthcare; Hospitals; School places; Schools; University; Train tickets; Plane tickets; Flights;
        High-speed trains; Public transport; By train; Airlines; 网速; 網速; 宽带; 寬頻; 住房; 房租; 水电;
        水電; 医疗; 醫療; 学校; 學校; 火车票; 火車票; 机票; 機票; 高铁; 高鐵; 交通
    """,
    Topic.CREDIT: """
        Credit; Credit check; creditcheck; Credit scoring; Store credit checks; Loans; loan-desk;
        Cheaper loans; Mortgages; Insurance; Insurance premiums; Lower premiums; Insured at a lower rate;
        Lenders; Overdraft; Interest rates; Pay in instalments; Pay later; Debts; Bankruptcy;
        Line of credit; Credit card limit; 贷款; 貸款; 信贷; 信貸; 房贷; 房貸; 保险; 保險; 保费; 保費; 分期;
        征信; 徵信
    """,
    Topic.RESALE: """
        Sell; Scores are sold; Sells scores; We sell the list; score-broker; Data brokers; Resale; Resold;
        Reshare; Re-sharing; Shared with third parties; Sharing with partners; Third parties;
        Passed on to partners; Onward sharing; Forwarded to advertisers; Data marketplace; Monetised; 转卖;
        轉賣; 卖给广告商; 賣給廣告商; 出售数据; 出售數據; 第三方; 共享给合作伙伴; 經紀
    """,
    Topic.PUBLICITY: """
        Leaderboard; leader-board; A public ranking; Public rankings; Hall of fame; Hall of shame;
        Published weekly; Publishing names; Name and shame; Billboards; Open list; Open to all;
        Visible to everyone; Shown to everyone; Publicly; Blacklist; Black-listed; Scoreboard; League table;
        Wall of shame; Top ten; Made public; 排行榜; 公开排名; 公開排名; 黑名单; 黑名單; 公示; 曝光; 光荣榜;
        光榮榜
    """,
}
SEEN_SINGLY = [
    (topic, " ".join(text.split())) for topic, listed in SEEN.items() for text in listed.split(";")
]

#: Ordinary things that a good score may bring.
BENEFITS = """
    Free express delivery; Deposit waived; No deposit on tool hire; Bike rental without a deposit;
    Early access to sales; Early access to promotions; A person looks at your order before it ships;
    Free returns for sixty days; Returns are refunded before the parcel arrives; Priority customer care;
    A moderator reads your posts first; Posts appear without waiting for review;
    Posts are published at once; A badge beside your name, if you want it; Ten percent off your next order;
    Free gift wrapping; Collect your parcel without a slip; Try at home before you buy;
    Invitation to product tests; Profiles are shown in an order that you can change;
    Store credit for empty bottles; A credit note at once; Refunded to your credit card;
    Pay by credit card or on invoice; Support tickets are answered within a day;
    Third-party couriers at no cost; Insured delivery; Visa cards and cash accepted;
    What you sold is paid out today; Back-to-school sale a day sooner; Order history kept for ten years;
    Job lots at a lower price; Best-selling sizes kept for you; Your share of orders is packed first;
    Premium support; Borrow tools for a week; A longer time to send things back; Free samples; Free storage;
    Software licence keys by e-mail; Small privileges for customers whose orders go well;
    An order of profiles for members who chose to be ranked;
    Standing for members who help, and a look by a moderator where abuse was confirmed; A birthday present;
    免费快递; 免押金; 优先客服; 發貨前由專人檢查您的訂單; 提前参加促销; 六十天内可退货; 生日礼物; 赠品;
    您卖出的商品当天到账
"""

#: What kinds may well say.
CONDUCT = """
    Parcels collected in time; Orders with parcel tracking; Tracked delivery accepted at the door;
    Face masks that you kept; Hours that you volunteered; Deposits returned in full; Identity verified once;
    Abuse that a moderator confirmed; Fraud that a person confirmed; Payments that failed;
    Answers marked helpful; Goods sold and delivered as described; Repairs with a smile;
    Things lent and given back; Bookings that you kept; Months of membership;
    Reports by you that a moderator upheld; Donations to other members; 您保留的订单;
    對其他成員有幫助的帖子; 逾期未付款
"""


@pytest.mark.parametrize(("topic", "text"), SEEN_SINGLY)
def test_a_topic_is_seen(topic: Topic, text: str) -> None:
    """In both languages and scripts, as a sentence and as a consumer's name."""
    assert find_mention(topic, text)


@pytest.mark.parametrize("text", [" ".join(text.split()) for text in BENEFITS.split(";")])
def test_an_ordinary_benefit_is_none_of_what_a_score_must_not_be_for(text: str) -> None:
    """Effects, aims and consumers' names: nothing is seen in any topic that is meant for them."""
    assert [(topic, mention) for topic in USE_TOPICS if (mention := find_mention(topic, text))] == []


@pytest.mark.parametrize("text", [" ".join(text.split()) for text in CONDUCT.split(";")])
def test_ordinary_conduct_is_none_of_what_a_score_must_not_be_made_of(text: str) -> None:
    """Kinds: nothing is seen in any topic that is meant for them."""
    assert [(topic, mention) for topic in KIND_TOPICS if (mention := find_mention(topic, text))] == []


def _texts_of(policy: Path) -> list[str]:
    read = tomllib.loads(policy.read_text(encoding="utf-8"))
    own = (read["name"], read["context"], *(band["name"] for band in read["bands"]))
    return [*own, *(kind[word] for kind in read["kinds"] for word in ("kind", "observation"))]


@pytest.mark.parametrize("policy", sorted(POLICIES.glob("*.toml")), ids=lambda policy: policy.stem)
def test_the_example_policies_are_clean(policy: Path) -> None:
    """Names, bands and observations."""
    assert not [
        (topic, text) for topic in KIND_TOPICS for text in _texts_of(policy) if find_mention(topic, text)
    ]


@pytest.mark.parametrize("kind", [*RETAIL, *SOCIAL], ids=lambda kind: kind.name)
def test_the_kinds_that_come_with_the_product_are_clean(kind: object) -> None:
    """Name, unit and reason of the kinds of the shop and the community site."""
    texts = [getattr(kind, name) for name in ("name", "unit", "reason")]
    assert not [(topic, text) for topic in KIND_TOPICS for text in texts if find_mention(topic, text)]


@pytest.mark.parametrize("name", ["baihe", "care", "retail-privileges", "demo-shop", "match.example"])
def test_an_ordinary_consumer_has_an_ordinary_name(name: str) -> None:
    """No topic that is meant for names."""
    assert not any(find_mention(topic, name) for topic in USE_TOPICS)


@pytest.mark.parametrize(
    ("topic", "text"),
    [
        (Topic.WORK, "h1ring"),
        (Topic.WORK, "rec-ruit-ment"),
        (Topic.WORK, "h i r i n g"),
        (Topic.WORK, "\N{FULLWIDTH LATIN SMALL LETTER J}ob offers"),
        (Topic.PUBLIC_SERVICES, "p0lice"),
        (Topic.ESSENTIALS, "inter net sp33d"),
        (Topic.ESSENTIALS, "hou\N{ZERO WIDTH SPACE}sing"),
        (Topic.CREDIT, "CreditCheck"),
        (Topic.CREDIT, "l\N{CYRILLIC SMALL LETTER O}an"),
        (Topic.CREDIT, "贷 x 款"),
        (Topic.RESALE, "da.ta bro.ker"),
        (Topic.PUBLICITY, "le4derb0ard"),
        (Topic.PUBLICITY, "hallOfShame"),
        (Topic.BIOMETRICS, "se1fie"),
        (Topic.LOCATION, "g.p.s."),
        (Topic.LOCATION, "whereab0uts"),
        (Topic.RIGHTS, "d1sputes"),
        (Topic.RIGHTS, "com plaints"),
    ],
)
def test_a_disguise_does_not_help(topic: Topic, text: str) -> None:
    """Folding sees through for every topic."""
    assert find_mention(topic, text)


@pytest.mark.parametrize(
    ("topic", "text"),
    [
        (Topic.CREDIT, "Store credit checks"),
        (Topic.CREDIT, "Credit card limits"),
        (Topic.RESALE, "What you sold, and we resell"),
        (Topic.ESSENTIALS, "School uniform, and the school itself"),
        (Topic.PUBLIC_SERVICES, "Visa card or visa"),
        (Topic.LOCATION, "Parcel tracking and your route"),
    ],
)
def test_an_exception_hides_nothing_beside_it(topic: Topic, text: str) -> None:
    """Only what lies within the phrase is let pass."""
    assert find_mention(topic, text)


def test_an_exception_of_effects_is_none_of_kinds() -> None:
    """Each module's phrases are its own: what may be a benefit may still not be counted."""
    assert not find_mention(Topic.PUBLIC_SERVICES, "Votes on posts")
    assert find_mention(Topic.POLITICS, "Votes on posts")


@pytest.mark.parametrize("topic", Topic)
def test_each_entry_of_a_list_is_seen_by_its_topic(topic: Topic) -> None:
    """None is misspelt for the normalization, and none is an exception as a whole."""
    english, chinese = (entries(WORDLISTS[topic], f"{topic}.{language}") for language in ("en", "zh"))
    words = [*(entry.rstrip("*") for entry in english), *chinese]
    # A unit mentions nothing alone.
    assert [word for word in words if not find_mention(topic, f"a {word}")] == []


@pytest.mark.parametrize(
    ("wordlist", "topics"),
    [("biometrics_location_rights", KIND_TOPICS[4:]), ("high_stakes_uses", USE_TOPICS)],
)
def test_each_exception_is_needed_and_works(wordlist: str, topics: tuple[Topic, ...]) -> None:
    """As a whole it mentions nothing; a word of it, or some words, would."""
    for phrase in (entry.rstrip("*") for entry in entries(wordlist, "exceptions.en")):
        assert not any(find_mention(topic, phrase) for topic in topics), phrase
        words = phrase.split()
        ends = [(a, b) for a in range(len(words)) for b in range(a + 1, len(words) + 1)]
        parts = {f"a {' '.join(words[a:b])}" for a, b in ends} - {f"a {phrase}"}
        assert any(find_mention(topic, part) for topic in topics for part in parts), phrase


def test_a_list_becomes_a_pattern_when_it_is_first_asked_for() -> None:
    """A check of one topic does not compile all thirteen."""
    program = (
        "from sesame_sdk.guard.text import keyword_match; from sesame_sdk.guard.text.topics import Topic;"
        "before = keyword_match._english_pattern.cache_info().currsize;"
        "keyword_match.find_mention(Topic.CREDIT, 'a loan');"
        "print(before, keyword_match._english_pattern.cache_info().currsize)"
    )
    asked = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert asked.stdout.split() == ["0", "1"]


@pytest.mark.parametrize("text", ["[politics.en]\n# vote\n[politics.zh]\n投票\n", "vote\n"])
def test_a_word_list_without_entries_is_an_error(text: str) -> None:
    """Rather than a check that lets everything pass."""
    with pytest.raises(ValueError, match="without"):
        parse_wordlist(text)


@pytest.mark.parametrize("topic", Topic)
@pytest.mark.parametrize(
    "piece", ["credit ", "credit card ", "share with ", "score ", "visible to ", "a ", "l1I "]
)
def test_hostile_text_costs_little(topic: Topic, piece: str) -> None:
    """400 characters in less than 10 ms of processor time a question, whatever they are."""
    spent = []
    for turn in range(4):
        # Another text each time: the answer of the last one is remembered.
        text = f"{(piece * 400)[: 399 - turn]}{'z' * turn}"
        before = time.process_time()
        find_mention(topic, text)
        spent.append(time.process_time() - before)
    assert min(spent) < 0.01
