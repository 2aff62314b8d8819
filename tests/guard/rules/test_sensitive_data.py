"""POL-1, SPC-1, TST-1, ASC-1, BIO-1, LOC-1, RGT-1: declared, mentioned, or disguised."""

import pytest
from attrs import evolve

from sesame_sdk.catalogue.observations import observations
from sesame_sdk.guard.guard import Guard, proposal_digest
from tests.guard.builders import kind, policy, rules, weighting

GUARD = Guard()

UNRELATED = [
    ("retail.order.completed", "Orders that you kept"),
    ("retail.order.spend", "What you spent on orders that you kept"),
    ("retail.order.returned", "What you were paid back for orders"),
    ("retail.customer.tenure", "Months that you have been a customer"),
    ("retail.order.party-supplies", "Party supplies for a birthday party"),
    ("retail.order.jewellery", "Jewellery that you kept"),
    ("retail.item.unique", "Unique and universal items, from sheets to Sussex crockery"),
    ("retail.payment.on-time", "Bills paid in time through your bank or credit union"),
    ("retail.payment.default", "What you did not pay, as the state of your account shows"),
    ("retail.fraud.confirmed", "Fraud that a person confirmed"),
    ("retail.parcel.accepted", "Parcels that you took in at the door, by country"),
    ("retail.order.gift", "Presents for Mother's Day, family-size packs among them"),
    ("retail.order.important", "Important deliveries, kept in good faith"),
    ("retail.deposit.returned", "Deposits returned in full by a third party"),
    ("community.post.helpful", "Posts that others found helpful"),
    ("community.post.upvoted", "Votes that your answers were given"),
    ("community.answer.polite", "Polite and friendly answers"),
    ("community.abuse.confirmed", "Abuse of the site that a moderator confirmed"),
    ("community.event.attended", "Product demonstrations that you attended"),
    ("community.member.since", "Length of membership"),
    ("community.work.volunteered", "Hours that you volunteered in this community"),
    ("community.gift.donated", "Donations made to other members"),
    ("community.praise.received", "Praise that your repairs were given"),
    ("community.identity.verified", "Your identity was verified"),
    ("community.reply.prompt", "Replies within a day, relative to all replies"),
    ("retail.loyalty.points", "Loyalty to this shop, in every country"),
    ("community.rule.broken", "Strikes that a moderator gave you"),
    ("retail.book.returned", "Books returned to the library"),
    ("retail.parcel.collected", "Your parcel was collected"),
    ("retail.order.history", "Your order history"),
    ("retail.shop.partner", "Orders at a partner shop"),
    ("retail.order.homeware", "Household goods that you kept, a parcel that's on time"),
    ("retail.order.abroad", "Orders sent to France, paid in British pounds"),
    ("retail.goods.kept", "Goods from your last order"),
    ("retail.march.sale", "Orders in March, cling film and shelves"),
    ("retail.order.kept", "您保留的订单"),
    ("community.post.liked", "对其他成员有帮助的帖子"),
    ("retail.payment.late", "逾期未付款"),
]


@pytest.mark.parametrize(("name", "title"), UNRELATED, ids=[name for name, _ in UNRELATED])
def test_unrelated_kinds_pass_both_checks(name: str, title: str) -> None:
    """A kind that is about none of the topics is not refused for how it sounds."""
    context = name.split(".")[0]
    assert not GUARD.check_kind(kind(name=name, title=title))
    assert not GUARD.check_policy(policy(weighting(kind=name, title=title), context=context))


@pytest.mark.parametrize(
    ("rule", "observation"),
    [
        *(
            ("POL-1", name)
            for name in ("post_opinion", "praise", "criticism_of_institutions", "civic_opinion")
        ),
        *(("SPC-1", name) for name in ("health", "medicine_ordered", "religion")),
        *(("TST-1", name) for name in ("goods_origin", "domestic_goods", "basket_share", "music")),
        *(("ASC-1", name) for name in ("friend_score", "mean_of_others", "household")),
        *(("BIO-1", name) for name in ("selfie", "mood")),
        *(("LOC-1", name) for name in ("location", "nights_away")),
        *(("RGT-1", name) for name in ("complaint", "consent_withdrawn", "score_viewed")),
        *(("PUR-2", name) for name in ("job_performance", "shift_worked")),
        *(("PUR-3", "police_record"), ("PUR-4", "internet_use"), ("PUR-4", "rent"), ("PUR-5", "income")),
        *(("INF-1", "predicted_default"), ("DCL-1", "politeness_index")),
    ],
)
def test_an_honest_declaration_is_refused_by_name(rule: str, observation: str) -> None:
    """The name of the observation is enough, whatever the kind is called, and though it was approved."""
    assert rules(GUARD.check_kind(kind(observation=observation))) == {rule}
    assert rules(GUARD.check_policy(policy(weighting(observation=observation)))) == {rule}
    entry = observations()["order_kept"]
    approving = Guard((), [proposal_digest(observation, entry)])
    assert rule in rules(approving.check_kind(kind(observation=observation, proposal=entry)))


SPOKEN = [
    ("POL-1", "Criticism of the government"),
    ("POL-1", "Praise for the government"),
    ("POL-1", "Posts that praise our country"),
    ("POL-1", "The nation, and how often you insulted it"),
    ("POL-1", "Opinions about institutions"),
    ("POL-1", "Being a member of a trade union"),
    ("POL-1", "Protests attended"),
    ("POL-1", "批评政府的帖子"),
    ("POL-1", "讚揚政府的貼文"),
    ("POL-1", "参加抗议"),
    ("SPC-1", "Pharmacy items"),
    ("SPC-1", "Visits to a mosque"),
    ("SPC-1", "Healthy weight, from health records"),
    ("SPC-1", "Ethnicity, from your picture"),
    ("SPC-1", "药品订单"),
    ("TST-1", "Japanese manga"),
    ("TST-1", "Locally made goods"),
    ("TST-1", "Imported comics that you returned"),
    ("TST-1", "日本漫画"),
    ("TST-1", "购买国货"),
    ("ASC-1", "Your friends' scores"),
    ("ASC-1", "What your family buys"),
    ("ASC-1", "Late payers in your neighbourhood"),
    ("ASC-1", "朋友的信用分"),
    ("BIO-1", "A selfie that you sent"),
    ("BIO-1", "How often you smile in pictures"),
    ("BIO-1", "刷脸次数"),
    ("LOC-1", "Places that you visited, by GPS"),
    ("LOC-1", "Whereabouts at night"),
    ("LOC-1", "出行轨迹"),
    ("RGT-1", "Complaints that you made"),
    ("RGT-1", "Disputes that you lost"),
    ("RGT-1", "Consents that you withdrew"),
    ("RGT-1", "How often you looked at your own score"),
    ("RGT-1", "投诉次数"),
]


@pytest.mark.parametrize(("rule", "words"), SPOKEN, ids=[words for _, words in SPOKEN])
@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["rewarded", "punished"])
def test_what_is_mentioned_is_refused_whichever_way_it_counts(rule: str, words: str, sign: float) -> None:
    """The texts of a kind declared ordinary are checked too, as a reward or a penalty."""
    assert rule in rules(GUARD.check_kind(kind(title=words)))
    findings = GUARD.check_policy(policy(weighting(title=words, weight=sign)))
    assert rule in rules(findings)


ROUND_ABOUT = [
    ("in capitals", "GOVERNMENT"),
    ("in full-width letters", "".join(chr(ord(char) + 0xFEE0) for char in "government")),
    ("in mathematical letters", "𝗴𝗼𝘃𝗲𝗿𝗻𝗺𝗲𝗻𝘁"),
    ("with accents", "góvernmènt"),
    ("with a Cyrillic o", "g\N{CYRILLIC SMALL LETTER O}vernment"),
    ("with a zero-width space", "gover\u200bnment"),
    ("with two zero-width joiners", "go\u200dvern\u200dment"),
    ("with a soft hyphen", "gover\u00adnment"),
    ("with digits for letters", "g0vernm3nt"),
    ("spelled out", "g o v e r n m e n t"),
    ("spelled out with dots", "g.o.v.e.r.n.m.e.n.t"),
    ("cut in two", "govern-ment"),
    ("in two words", "govern ment"),
    ("with a line break in Chinese", "政\n府"),
    ("spaced in Chinese", "政 府"),
    ("in traditional Chinese with a dot", "抗·議"),
]


@pytest.mark.parametrize(("words"), [words for _, words in ROUND_ABOUT], ids=[way for way, _ in ROUND_ABOUT])
def test_a_disguised_word_is_still_seen(words: str) -> None:
    """Spelling a word differently does not get it past the check."""
    assert "POL-1" in rules(GUARD.check_kind(kind(title=f"Posts on the {words} of today")))


def test_every_text_of_a_kind_is_read() -> None:
    """The name gives a kind away as well as its title; the context is the partner's own name."""
    assert "POL-1" in rules(GUARD.check_kind(kind(name="retail.protest.attended")))
    assert "POL-1" in rules(GUARD.check_kind(kind(name="retail.govern-ment.praised")))
    assert "LOC-1" in rules(GUARD.check_kind(kind(name="retail.g-p-s.seen")))
    assert GUARD.check_kind(kind(name="wine-shop.order.completed")) == ()


def test_the_names_of_a_policy_are_read() -> None:
    """A policy's own name, its reason codes and each of its kinds are read."""
    assert rules(GUARD.check_policy(policy(name="patriots"))) == {"POL-1"}
    assert rules(GUARD.check_policy(policy(weighting(code="PROTEST")))) == {"POL-1"}
    assert rules(GUARD.check_policy(policy(weighting(kind="retail.union.joined")))) == {"POL-1"}


@pytest.mark.parametrize("text", ["gps", "whereabouts", "行踪"])
def test_a_place_is_no_conduct_wherever_it_is_named(text: str) -> None:
    """LOC-1 reads the title of a kind, and all texts of a proposed entry."""
    assert rules(GUARD.check_kind(kind(title=text))) == {"LOC-1"}
    entry = evolve(observations()["order_kept"], computed=f"1 for each order, by {text}")
    assert "LOC-1" in rules(GUARD.check_kind(kind(observation="order_brought", proposal=entry)))


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["rewarded", "punished"])
def test_using_a_right_neither_costs_nor_earns(sign: float) -> None:
    """RGT-1: never to have complained is no merit either; and a policy may help with disputes."""
    quiet = weighting(kind="retail.customer.quiet", title="Months without a complaint", weight=sign)
    assert "RGT-1" in rules(GUARD.check_policy(policy(quiet)))
    assert GUARD.check_policy(policy(name="disputes-and-complaints")) == ()


def test_a_sensitive_trait_cannot_hide_behind_an_ordinary_declaration() -> None:
    """BIO-1: declared a purchase, and made of a face; spelt out, or cut in two."""
    for words in ("Se1fies that you sent", "Faces, by web cam", "s m i l e s that you gave"):
        assert rules(GUARD.check_kind(kind(title=words))) == {"BIO-1"}


def test_a_kind_about_opinions_cannot_hide_behind_a_harmless_name() -> None:
    """The refusal names rule, source and the words that gave the kind away."""
    hidden = kind(name="community.tone.positive", title="Kind words on institutions")
    (finding,) = GUARD.check_kind(hidden)
    assert (finding.rule, finding.source) == ("POL-1", "GDPR 9; GL 168")
    assert "institutions" in finding.reason
    assert finding.about == "kind community.tone.positive"


def test_an_exception_does_not_cover_the_words_beside_it() -> None:
    """What is taken out as harmless takes nothing else with it, and no listed phrase that begins in it."""
    assert "POL-1" in rules(GUARD.check_kind(kind(title="Credit union dues and trade union dues")))
    assert "TST-1" in rules(GUARD.check_kind(kind(title="Import duty on imported goods")))
    assert "POL-1" in rules(GUARD.check_kind(kind(title="Being a third party member")))
    assert not GUARD.check_kind(kind(title="Bills paid as a credit union member"))
