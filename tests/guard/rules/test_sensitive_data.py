"""POL-1, SPC-1, TST-1, ASC-1, BIO-1, LOC-1, RGT-1: declared, mentioned, or disguised."""

import pytest

from sesame_sdk.guard.guard import Guard
from sesame_sdk.model.policy import Band
from sesame_sdk.model.signals import Conduct, Sensitivity
from tests.guard.builders import kind, policy, rules, weighting

GUARD = Guard()

UNRELATED = [
    ("retail.order.completed", "order", "Orders that you kept"),
    ("retail.order.spend", "GBP", "What you spent on orders that you kept"),
    ("retail.order.returned", "GBP", "What you were paid back for orders"),
    ("retail.customer.tenure", "month", "Months that you have been a customer"),
    ("retail.order.party-supplies", "order", "Party supplies for a birthday party"),
    ("retail.order.jewellery", "order", "Jewellery that you kept"),
    ("retail.item.unique", "item", "Unique and universal items, from sheets to Sussex crockery"),
    ("retail.payment.on-time", "payment", "Bills paid in time through your bank or credit union"),
    ("retail.payment.default", "GBP", "What you did not pay, as the state of your account shows"),
    ("retail.fraud.confirmed", "case", "Fraud that a person confirmed"),
    ("retail.parcel.accepted", "parcel", "Parcels that you took in at the door, by country"),
    ("retail.order.gift", "order", "Presents for Mother's Day, family-size packs among them"),
    ("retail.order.important", "order", "Important deliveries, kept in good faith"),
    ("retail.deposit.returned", "deposit", "Deposits returned in full by a third party"),
    ("community.post.helpful", "post", "Posts that others found helpful"),
    ("community.post.upvoted", "vote", "Votes that your answers were given"),
    ("community.answer.polite", "answer", "Polite and friendly answers"),
    ("community.abuse.confirmed", "case", "Abuse of the site that a moderator confirmed"),
    ("community.event.attended", "event", "Product demonstrations that you attended"),
    ("community.member.since", "month", "Length of membership"),
    ("community.work.volunteered", "hour", "Hours that you volunteered in this community"),
    ("community.gift.donated", "gift", "Donations made to other members"),
    ("community.praise.received", "mark", "Praise that your repairs were given"),
    ("community.identity.verified", "check", "Your identity was verified"),
    ("community.reply.prompt", "reply", "Replies within a day, relative to all replies"),
    ("retail.loyalty.points", "point", "Loyalty to this shop, in every country"),
    ("community.rule.broken", "strike", "Strikes that a moderator gave you"),
    ("retail.book.returned", "book", "Books returned to the library"),
    ("retail.parcel.collected", "parcel", "Your parcel was collected"),
    ("retail.order.history", "order", "Your order history"),
    ("retail.shop.partner", "order", "Orders at a partner shop"),
    ("retail.order.homeware", "order", "Household goods that you kept, a parcel that's on time"),
    ("retail.order.abroad", "order", "Orders sent to France, paid in British pounds"),
    ("retail.goods.kept", "item", "Goods from your last order"),
    ("retail.march.sale", "order", "Orders in March, cling film and shelves"),
    ("retail.order.kept", "订单", "您保留的订单"),
    ("community.post.liked", "帖子", "对其他成员有帮助的帖子"),
    ("retail.payment.late", "次", "逾期未付款"),
]


@pytest.mark.parametrize(("name", "unit", "reason"), UNRELATED, ids=[name for name, _, _ in UNRELATED])
def test_unrelated_kinds_pass_both_checks(name: str, unit: str, reason: str) -> None:
    """A kind that is about none of the topics is not refused for how it sounds."""
    context = name.split(".")[0]
    assert not GUARD.check_kind(kind(name=name, context=context, unit=unit, reason=reason))
    assert not GUARD.check_policy(
        policy(weighting(kind=name, context=context, reason=reason), context=context)
    )


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("POL-1", {"sensitivity": Sensitivity.POLITICAL}),
        ("SPC-1", {"sensitivity": Sensitivity.SPECIAL}),
        ("TST-1", {"sensitivity": Sensitivity.TASTE}),
        ("ASC-1", {"conduct": Conduct.OTHERS}),
    ],
)
def test_an_honest_declaration_is_refused_by_name(rule: str, changes: dict[str, object]) -> None:
    """What a kind says of itself is enough, whatever it is called."""
    assert rules(GUARD.check_kind(kind(**changes))) == {rule}


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
    assert rule in rules(GUARD.check_kind(kind(reason=words)))
    findings = GUARD.check_policy(policy(weighting(reason=words, weight=sign)))
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
    assert "POL-1" in rules(GUARD.check_kind(kind(reason=f"Posts on the {words} of today")))


def test_every_text_of_a_kind_is_read() -> None:
    """The name and the unit give a kind away as well as its reason."""
    assert "POL-1" in rules(GUARD.check_kind(kind(name="retail.protest.attended")))
    assert "POL-1" in rules(GUARD.check_kind(kind(name="retail.govern-ment.praised")))
    assert "POL-1" in rules(GUARD.check_kind(kind(unit="protest")))


def test_every_text_of_a_policy_is_read() -> None:
    """A policy's own name, its bands and each of its kinds are read."""
    assert rules(GUARD.check_policy(policy(name="patriots"))) == {"POL-1"}
    assert rules(GUARD.check_policy(policy(bands=(Band("dissident", 350.0), Band("good", 600.0))))) == {
        "POL-1"
    }
    assert rules(GUARD.check_policy(policy(weighting(kind="retail.union.joined")))) == {"POL-1"}


@pytest.mark.parametrize("text", ["gps", "whereabouts", "行踪"])
def test_a_place_is_no_conduct_wherever_it_is_named(text: str) -> None:
    """LOC-1 reads all of a kind: name, unit, sources, title, description."""
    changed = [{"unit": text}, {"sources": (text,)}, {"title": text}, {"description": f"Counted by {text}"}]
    assert [rules(GUARD.check_kind(kind(**changes))) for changes in changed] == [{"LOC-1"}] * 4
    assert rules(GUARD.check_kind(kind(name="retail.g-p-s.seen"))) == {"LOC-1"}


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["rewarded", "punished"])
def test_using_a_right_neither_costs_nor_earns(sign: float) -> None:
    """RGT-1: never to have complained is no merit either; and a policy may help with disputes."""
    quiet = weighting(kind="retail.customer.quiet", reason="Months without a complaint", weight=sign)
    assert "RGT-1" in rules(GUARD.check_policy(policy(quiet)))
    assert GUARD.check_policy(policy(aim="Quicker answers to disputes and complaints")) == ()


def test_a_sensitive_trait_cannot_hide_behind_an_ordinary_declaration() -> None:
    """BIO-1: declared a purchase, and made of a face; spelt out, or cut in two."""
    for words in ("Se1fies that you sent", "Faces, by web cam", "s m i l e s that you gave"):
        assert rules(GUARD.check_kind(kind(reason=words))) == {"BIO-1"}


def test_the_first_match_does_not_depend_on_the_order_of_sources() -> None:
    """The finding's text is identical."""
    sources = ("a protest", "a union", "an election")
    assert GUARD.check_kind(kind(sources=sources)) == GUARD.check_kind(kind(sources=sources[::-1]))


def test_a_kind_about_opinions_cannot_hide_behind_a_harmless_name() -> None:
    """The refusal names rule, source and the words that gave the kind away."""
    hidden = kind(name="community.tone.positive", context="community", reason="Kind words on institutions")
    (finding,) = GUARD.check_kind(hidden)
    assert (finding.rule, finding.source) == ("POL-1", "GDPR 9; GL 168")
    assert "institutions" in finding.reason
    assert finding.about == "kind community.tone.positive"


def test_an_exception_does_not_cover_the_words_beside_it() -> None:
    """What is taken out as harmless takes nothing else with it, and no listed phrase that begins in it."""
    assert "POL-1" in rules(GUARD.check_kind(kind(reason="Credit union dues and trade union dues")))
    assert "TST-1" in rules(GUARD.check_kind(kind(reason="Import duty on imported goods")))
    assert "POL-1" in rules(GUARD.check_kind(kind(reason="Being a third party member")))
    assert not GUARD.check_kind(kind(reason="Bills paid as a credit union member"))
