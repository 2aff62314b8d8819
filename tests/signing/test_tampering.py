"""Whatever a stranger changes on the way is refused, or changes nothing."""

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from sesame_sdk import InvalidInputError
from tests.signing.parties import make_signals, opened, sealed

ENVELOPE = sealed(3)
SIGNALS = make_signals(3)
TOKEN_ENDS = ENVELOPE.index(b"~")


def harmless(changed: bytes) -> bool:
    """Whether the hub refuses the envelope, or reads in it what the shop wrote, or less of it."""
    with suppress(InvalidInputError):
        envelope = opened(changed)
        unchanged = envelope.envelope == opened(ENVELOPE).envelope
        return unchanged or set(envelope.envelope.signals) < set(SIGNALS)
    return True


def test_every_byte_with_every_bit_flipped_is_refused() -> None:
    """All of the envelope: header, payload, signature, disclosures and separators."""
    for place in range(len(ENVELOPE)):
        for bit in range(8):
            changed = bytearray(ENVELOPE)
            changed[place] ^= 1 << bit
            assert refused(bytes(changed)), f"bit {bit} of byte {place}"


def refused(changed: bytes) -> bool:
    """Whether the hub refuses the envelope."""
    with suppress(InvalidInputError):
        opened(changed)
        return False
    return True


@settings(max_examples=300)
@given(st.data())
def test_any_cut_any_insertion_and_any_swap_is_harmless(data: st.DataObject) -> None:
    """The one thing that a stranger can do is leave signals out."""
    places = st.integers(0, len(ENVELOPE))
    start, end, to = (data.draw(places) for _ in range(3))
    piece = ENVELOPE[start:end]
    rest = ENVELOPE[: min(start, end)] + ENVELOPE[max(start, end) :]

    assert harmless(rest)
    assert harmless(ENVELOPE[:to] + piece + ENVELOPE[to:])
    assert harmless(rest[:to] + piece + rest[to:])


@settings(max_examples=300)
@given(st.binary(max_size=200), st.integers(0, len(ENVELOPE)))
def test_any_bytes_anywhere_are_harmless(junk: bytes, place: int) -> None:
    """Alone, in front, behind or in between; and never an error that is not ours."""
    assert refused(junk)
    assert harmless(ENVELOPE[:place] + junk + ENVELOPE[place:])
    assert harmless(ENVELOPE[:place] + junk)
