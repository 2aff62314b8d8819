"""One spelling of an issuer URL, by its syntax alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk import Direction, Grant, InvalidInputError, Pseudonymizer
from sesame_sdk.model.issuers import normalize_issuer
from sesame_sdk.model.manifest import Party
from tests.conftest import NOON

HUB = "https://hub.example"
SPELLINGS = {
    HUB: [HUB,
          f"{HUB}/", f"{HUB}//", "HTTPS://hub.example", "https://Hub.EXAMPLE", f"{HUB}:443", f"{HUB}:443/",
          f"{HUB}:0443", f"{HUB}:", "https://hub.example.", f"{HUB}/.", f"{HUB}/a/.."],
    "http://127.0.0.1:8765": ["http://127.0.0.1:8765/", "HTTP://127.0.0.1:8765"],
    "http://localhost": ["http://localhost:80", "http://LOCALHOST/"],
    "https://hub.example:80": ["https://hub.example:80/"],
    "https://hub.example/~a/Hub%2F%20": [f"{HUB}/%7Ea/./Hub%2f%20/", f"{HUB}/%7ea/b/../Hub%2F%20"],
    "https://[::1]:8443": ["https://[0:0:0::1]:8443/"],
    "https://xn--bcher-kva.example": ["https://bücher.example", "https://BÜCHER.example/",
                                      "https://xn--bcher-kva.example."],
}  # fmt: skip


@pytest.mark.parametrize(("url", "spelling"), [(url, one) for url, ones in SPELLINGS.items() for one in ones])
def test_all_spellings_of_a_url_are_one_issuer(url: str, spelling: str) -> None:
    """RFC 3986, sections 6.2.2 and 6.2.3; a slash at the end says nothing."""
    assert normalize_issuer(spelling) == url
    assert Party(spelling).issuer == url
    grant = Grant(
        spelling,
        Pseudonymizer(b"s" * 32).pseudonym("ada"),
        Direction.SEND,
        NOON,
        kinds=("retail.order.completed",),
    )
    assert grant.partner == url


@pytest.mark.parametrize(
    "other", ["http://hub.example", f"{HUB}:444", f"{HUB}/a", f"{HUB}/A", "https://hub2.example"]
)
def test_different_urls_stay_different(other: str) -> None:
    """Nothing is guessed: a path has upper and lower case, and http is not https."""
    assert normalize_issuer(other) == other


@pytest.mark.parametrize(
    "wrong", [f"{HUB}:99999", f"{HUB}:x", f"{HUB}:0", "https://a..b", "https://a\\b", "https://[1::2::3]"]
)
def test_a_wrong_host_or_port_is_rejected(wrong: str) -> None:
    """By name, before it is stored anywhere."""
    with pytest.raises(InvalidInputError, match="invalid"):
        normalize_issuer(wrong)


@given(st.text() | st.text().map("https://{}".format) | st.text().map("https://hub.example/{}".format))
def test_normalizing_twice_changes_nothing(url: str) -> None:
    """And no text breaks it."""
    try:
        once = normalize_issuer(url)
    except InvalidInputError:
        return
    assert normalize_issuer(once) == once
