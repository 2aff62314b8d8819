"""Nothing travels along with signals: what a hub keeps is what people agreed to."""

from typing import Any

import pytest

from sesame_sdk import InvalidInputError
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType
from sesame_sdk.signing import base64url
from sesame_sdk.signing.jwt import sign_event
from sesame_sdk.signing.sd_jwt import digest_of
from tests.conftest import NOON
from tests.signing.parties import HUB, KEY, SHOP, make_signals, opened

SIGNAL: dict[str, Any] = codec.decode(codec.encode(make_signals(1)[0]), dict[str, Any])
SALT = "c2FsdA" * 4


def envelope(disclosed: bytes, **claims: object) -> bytes:
    """An envelope that shows these bytes and is signed rightly."""
    shown = base64url.encode(disclosed)
    payload = {"signals": [{"...": digest_of(shown)}]}
    token = sign_event(
        EventType.SIGNALS,
        payload,
        KEY,
        issuer=SHOP,
        audience=HUB,
        now=NOON,
        **{"_sd_alg": "sha-256", **claims},
    )
    return b"~".join([token, shown, b""])


def test_a_subject_with_quotes_in_it_is_a_signal_like_any_other() -> None:
    """Looking closely is not refusing."""
    odd = {**SIGNAL, "subject": 'a"b\\c'}
    assert opened(envelope(codec.encode([SALT, odd]))).envelope.signals[0].subject == odd["subject"]


@pytest.mark.parametrize(
    "disclosed",
    [
        pytest.param(codec.encode([SALT, {**SIGNAL, "faith": "x"}]), id="a member with text"),
        pytest.param(codec.encode([SALT, {**SIGNAL, "age": 40}]), id="a member with a number"),
        pytest.param(codec.encode([SALT, SIGNAL])[:-2] + b',"value":2.0}]', id="a member twice"),
        pytest.param(codec.encode([SALT, {**SIGNAL, "subject": 'a"', "x": 1}]), id="behind an escaped quote"),
        pytest.param(codec.encode([SALT * 200, SIGNAL]), id="a salt that is a message"),
        pytest.param(codec.encode([SALT, SIGNAL, "more"]), id="a third element"),
    ],
)
def test_a_disclosure_that_holds_more_than_a_signal_is_rejected(disclosed: bytes) -> None:
    """Whatever its form: what is not refused would be kept."""
    with pytest.raises(InvalidInputError):
        opened(envelope(disclosed))


@pytest.mark.parametrize("name", ["sub_id", "email", "note"])
def test_a_claim_that_is_no_claim_of_an_envelope_is_rejected(name: str) -> None:
    """Around signals there is nothing to say about a person."""
    with pytest.raises(InvalidInputError, match=name):
        opened(envelope(codec.encode([SALT, SIGNAL]), **{name: "x"}))


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param({"signals": [{**SIGNAL, "faith": "x"}]}, id="in a signal"),
        pytest.param({"signals": [SIGNAL], "more": 1}, id="beside the signals"),
    ],
)
def test_a_plain_set_holds_signals_and_nothing_else(payload: dict[str, object]) -> None:
    """Its token is kept whole, so the same holds there."""
    token = sign_event(EventType.SIGNALS, payload, KEY, issuer=SHOP, audience=HUB, now=NOON)
    with pytest.raises(InvalidInputError):
        opened(token)
