"""Base64url: one text a value, and one value a text."""

import base64
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sesame_sdk import InvalidInputError
from sesame_sdk.signing import base64url


@given(st.binary(max_size=100))
def test_what_is_encoded_is_decoded(data: bytes) -> None:
    """The text is the one that the standard library writes, without its padding."""
    text = base64url.encode(data)

    assert text == base64.urlsafe_b64encode(data).rstrip(b"=")
    assert base64url.decode(text, field="x") == data


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_many_are_decoded_as_one_by_one(values: list[bytes]) -> None:
    """Decoding in one go is nothing but quicker."""
    assert base64url.decode_all([base64url.encode(value) for value in values], field="x") == values


@given(st.binary(max_size=60))
@example(b'","'.join([b"AAAA"] * 5))
@example(b"AAAA" + b"\\u0041" * 4)
@example(b"AAAA~AAAA")
@example(b"QUI=")
@example(b"QR")
@example(b"\xff\xfe\xfd\xfc")
def test_any_other_text_is_refused(text: bytes) -> None:
    """Whatever is not exactly what `encode` writes has no value: no junk is skipped, no bit ignored."""
    with suppress(InvalidInputError):
        assert base64url.encode(base64url.decode(text, field="x")) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"QUJD\n", id="a line break after it"),
        pytest.param(b"QUI=", id="padding"),
        pytest.param(b"a+b/", id="the characters of the other alphabet"),
        pytest.param(b"QUJDR", id="a character too many"),
        pytest.param(b'","'.join([b"QUJD"] * 5), id="quotes that would make five of one"),
        pytest.param(b"AAAA" + b"\\u0041" * 4, id="characters written as JSON escapes"),
        pytest.param(b"QU JD", id="a space inside"),
    ],
)
def test_one_bad_text_spoils_the_batch(text: bytes) -> None:
    """Decoding many is as strict as decoding one."""
    with pytest.raises(InvalidInputError, match="base64url"):
        base64url.decode_all([b"QUJD", text, b"QUJD"], field="disclosure")


def test_spare_bits_are_refused_where_no_digest_vouches_for_the_text() -> None:
    """QQ and QR both decode to the byte A; only the first is canonical."""
    assert base64url.decode(b"QQ", field="x") == b"A"
    with pytest.raises(InvalidInputError, match="spare bits"):
        base64url.decode(b"QR", field="x")
