"""Envelopes: sealed, opened, cut down, and put together wrongly."""

import json
import random
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from sesame_sdk import InvalidInputError, Signal
from sesame_sdk.constants import MAX_ENVELOPE_BYTES, MAX_SIGNALS
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType
from sesame_sdk.signing import base64url
from sesame_sdk.signing.envelopes import seal
from sesame_sdk.signing.jws import sign
from sesame_sdk.signing.jwt import READ_TYP, sign_event
from sesame_sdk.signing.sd_jwt import SdJwt, digest_of, disclose
from tests.conftest import NOON
from tests.signing.parties import HUB, KEY, KIND, PSEUDONYMIZER, SHOP, make_signals, opened, sealed

SIGNALS = make_signals(8)
ENVELOPE = sealed(8)
TOKEN, *SHOWN, _ = ENVELOPE.split(b"~")

subjects = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=128)
numbers = st.floats(allow_nan=False, allow_infinity=False)
drawn_signals = st.builds(
    Signal,
    id=st.integers().map(lambda n: PSEUDONYMIZER.signal_id(KIND, str(n), NOON)),
    subject=subjects,
    kind=st.from_regex(r"[a-z]{1,9}(\.[a-z-]{1,9}){1,4}", fullmatch=True).filter(lambda k: ".-" not in k),
    value=numbers,
    occurred_at=st.datetimes().map(lambda time: time.replace(tzinfo=NOON.tzinfo)),
)


def join(token: bytes, shown: list[bytes]) -> bytes:
    """An envelope with these disclosures."""
    return b"~".join([token, *shown, b""])


def batch(payload: object, **claims: Any) -> bytes:
    """A token that the shop signs over any payload."""
    return sign_event(EventType.SIGNALS, payload, KEY, issuer=SHOP, audience=HUB, now=NOON, **claims)


def listing(digests: list[str], **claims: Any) -> bytes:
    """A token that lists these digests."""
    return batch({"signals": [{"...": digest} for digest in digests]}, **claims)


@settings(max_examples=60)
@given(st.lists(drawn_signals, min_size=1, max_size=6))
def test_what_is_sealed_is_opened(signals: list[Signal]) -> None:
    """Every field of every signal, in the same order, with its own disclosure beside it."""
    envelope = opened(seal(signals, KEY, issuer=SHOP, audience=HUB, now=NOON, jti="batch-1"))

    assert envelope.envelope.signals == tuple(signals)
    assert (envelope.envelope.jti, envelope.envelope.issuer, envelope.envelope.audience) == (
        "batch-1",
        SHOP,
        HUB,
    )
    assert (envelope.envelope.issued_at, envelope.kid, envelope.withheld) == (NOON, KEY.kid, 0)
    for disclosure, signal in zip(envelope.disclosures, signals, strict=True):
        assert codec.decode(base64url.decode(disclosure, field="x"), tuple[str, Signal])[1] == signal


@given(st.sets(st.integers(0, 7)), st.randoms(use_true_random=False))
def test_any_part_of_an_envelope_opens_with_exactly_that_part(kept: set[int], chance: random.Random) -> None:
    """In whatever order the disclosures come, and down to none; the signature holds all the same."""
    arriving = [SHOWN[place] for place in kept]
    chance.shuffle(arriving)
    envelope = opened(join(TOKEN, arriving))

    assert envelope.envelope.signals == tuple(SIGNALS[place] for place in sorted(kept))
    assert envelope.disclosures == tuple(SHOWN[place] for place in sorted(kept))
    assert (envelope.withheld, envelope.token) == (8 - len(kept), TOKEN)


def test_a_thousand_signals_fit() -> None:
    """Also when every field is as long as it may be; and one more does not."""
    long = [
        evolve(s, subject="s" * 128, kind="k." + "k" * 30 + ".k" * 3, value=-1 / 3)
        for s in make_signals(1000)
    ]
    envelope = seal(long, KEY, issuer=SHOP, audience=HUB, now=NOON)

    assert opened(envelope).envelope.signals == tuple(long)
    with pytest.raises(InvalidInputError, match="1000"):
        sealed(MAX_SIGNALS + 1)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"signals": []}, "signals", id="no signal"),
        pytest.param({"signals": ["a signal"]}, "signals", id="something else"),
        pytest.param({"issuer": "shop"}, "issuer", id="an issuer that is no URL"),
        pytest.param({"audience": ""}, "audience", id="an empty audience"),
        pytest.param({"now": NOON.replace(tzinfo=None)}, "issued_at", id="a time without a zone"),
        pytest.param({"jti": "x" * 65}, "jti", id="an id that is too long"),
    ],
)
def test_nothing_is_sealed_that_the_other_side_would_refuse(change: dict[str, Any], field: str) -> None:
    """The sender hears of it, and at once."""
    wish: dict[str, Any] = {"signals": SIGNALS, "issuer": SHOP, "audience": HUB, "now": NOON, **change}

    with pytest.raises(InvalidInputError) as caught:
        seal(wish.pop("signals"), KEY, **wish)
    assert caught.value.field == field


def test_salts_differ_so_that_equal_signals_have_different_digests() -> None:
    """The digests do not reveal that two people did the same, and do not allow testing a guess."""
    _, digests = disclose([b"1"] * 1000)

    assert len(set(digests)) == 1000


@given(st.lists(st.text(max_size=40), min_size=1, max_size=8))
def test_values_of_any_length_are_disclosed_under_a_salt_of_128_bits(values: list[str]) -> None:
    """Each decodes on its own to its value, whatever stands beside it (RFC 9901 section 9.3)."""
    disclosures, digests = disclose([codec.encode(value) for value in values])
    read = [json.loads(base64url.decode(text, field="disclosure")) for text in disclosures]
    assert [value for _, value in read] == values
    assert all(len(base64url.decode(salt[:22].encode() + b"AA", field="salt")) * 8 >= 128 for salt, _ in read)
    assert len({salt for salt, _ in read}) == len(values)
    assert digests == [digest_of(text) for text in disclosures]


def test_a_plain_set_with_its_signals_in_the_clear_is_opened() -> None:
    """That is what other Shared Signals software sends."""
    clear = [codec.decode(codec.encode(signal), dict[str, Any]) for signal in SIGNALS]
    envelope = opened(batch({"signals": clear}, txn="8675309"))

    assert envelope.envelope.signals == tuple(SIGNALS)
    assert (envelope.disclosures, envelope.withheld) == ((), 0)


def test_sha_256_is_meant_where_no_hash_is_named() -> None:
    """RFC 9901 section 4.1.1."""
    assert opened(join(listing([digest_of(SHOWN[0])]), SHOWN[:1])).envelope.signals == (SIGNALS[0],)


_foreign = disclose([codec.encode(make_signals(9)[8])])[0][0]


@pytest.mark.parametrize(
    ("envelope", "why"),
    [
        pytest.param(join(TOKEN, [*SHOWN, _foreign]), "no digest in the signed", id="a foreign disclosure"),
        pytest.param(
            join(TOKEN, [*SHOWN[1:], _foreign]),
            "no digest in the signed",
            id="a foreign one in another's place",
        ),
        pytest.param(join(TOKEN, [*SHOWN, SHOWN[0]]), "duplicate", id="a disclosure that comes twice"),
        pytest.param(join(TOKEN, [SHOWN[0], SHOWN[0]]), "duplicate", id="one twice in place of two"),
        pytest.param(join(TOKEN, [b""]), "no digest in the signed", id="an empty disclosure"),
        pytest.param(join(TOKEN, [SHOWN[0] + b"="]), "no digest in the signed", id="padding"),
        pytest.param(ENVELOPE[:-1], "must end in ~", id="no end"),
        pytest.param(ENVELOPE + TOKEN, "key binding", id="a token behind it"),
        pytest.param(TOKEN, "id", id="digests without a ~ at all"),
        pytest.param(
            join(listing([digest_of(SHOWN[0])] * 2), []), "digest twice", id="a digest listed twice"
        ),
        pytest.param(join(listing(["x"] * 1001), []), "1000", id="too many digests"),
        pytest.param(join(TOKEN, SHOWN * 126), "at most 1000", id="too many disclosures"),
        pytest.param(join(listing([], _sd_alg="sha-512"), []), "must be sha-256", id="another hash"),
        pytest.param(join(listing([], _sd_alg=None), []), "_sd_alg", id="no hash"),
        pytest.param(
            join(batch({"signals": [{"...": "x", "a": 1}]}), []), "unknown field", id="more beside a digest"
        ),
        pytest.param(join(batch({"signals": SIGNALS}), []), "events", id="clear signals in an SD-JWT"),
        pytest.param(
            join(batch({"signals": [SIGNALS[0], {"...": "x"}]}), []), "events", id="half in the clear"
        ),
        pytest.param(join(batch({}), []), "signals", id="no list"),
        pytest.param(batch({"signals": [5]}), "Expected `object`", id="a number for a signal"),
        pytest.param(b"~" * 1002, "at most 1000", id="nothing but separators"),
    ],
)
def test_what_was_put_together_wrongly_is_refused(envelope: bytes, why: str) -> None:
    """With the reason."""
    with pytest.raises(InvalidInputError, match=why):
        opened(envelope)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b'["salt"]', id="no value"),
        pytest.param(b'["salt","name",%b]', id="a name, as for a member of an object"),
        pytest.param(b'["salt",%b,%b]', id="two values"),
        pytest.param(b'["salt",%b],["salt",%b]', id="two arrays in one text"),
        pytest.param(b"[5,%b]", id="a salt that is a number"),
        pytest.param(b"%b", id="the value alone"),
        pytest.param(b'["salt",{}]', id="an empty object"),
        pytest.param(b'["salt",{"_sd":["x"]}]', id="a value that has disclosures of its own"),
        pytest.param(b'["salt",' + b"[" * 200_000, id="nesting beyond the parser's depth"),
        pytest.param(b"\xff\xff", id="bytes that are no text"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_a_listed_disclosure_that_holds_no_signal_is_refused(text: bytes) -> None:
    """The signature says who listed it, and not that it makes sense."""
    disclosure = base64url.encode(text.replace(b"%b", codec.encode(SIGNALS[0])))

    with pytest.raises(InvalidInputError):
        opened(join(listing([digest_of(disclosure)]), [disclosure]))


@pytest.mark.parametrize("characters", [b"+", b"/", b'"', b"\\", b" ", b'","'])
def test_a_listed_disclosure_with_foreign_characters_is_refused(characters: bytes) -> None:
    """Even a correct digest does not allow characters that base64url does not have."""
    disclosure = SHOWN[0][:40] + characters + SHOWN[0][40:]

    with pytest.raises(InvalidInputError, match="base64url"):
        opened(join(listing([digest_of(disclosure)]), [disclosure]))


def test_a_signal_that_is_not_valid_is_named_by_its_field() -> None:
    """In an otherwise good envelope."""
    shown, digests = disclose([codec.encode(SIGNALS[0]).replace(KIND.encode(), b"Retail")])

    with pytest.raises(InvalidInputError, match="kind"):
        opened(join(listing(digests), shown))


def test_an_oversize_envelope_is_refused_before_it_is_read() -> None:
    """Nothing is split, decoded or looked up."""
    with pytest.raises(InvalidInputError, match=f"at most {MAX_ENVELOPE_BYTES} bytes"):
        SdJwt.parse(b"~" * (MAX_ENVELOPE_BYTES + 1))


def test_a_token_of_another_kind_is_no_envelope() -> None:
    """The same claims under the type of a permission to read."""
    payload = base64url.decode(TOKEN.split(b".")[1], field="x")

    with pytest.raises(InvalidInputError, match="typ"):
        opened(join(sign(payload, KEY, typ=READ_TYP), SHOWN))


def test_the_kind_of_event_is_known_before_verification() -> None:
    """So that the hub knows which keys to use."""
    assert SdJwt.parse(ENVELOPE).token.event_type is EventType.SIGNALS
