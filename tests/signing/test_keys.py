"""Signing keys and trusted keys: files, public forms, validity and revocation."""

import os
import stat
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sesame_sdk import ConfigurationError, InvalidInputError
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType, Receipt
from sesame_sdk.signing.jwt import Token, sign_event, verify_event
from sesame_sdk.signing.keys import (
    MAX_KEYS,
    MAX_SET_BYTES,
    SigningKey,
    Trust,
    TrustedKey,
    jwk_set,
    read_jwk_set,
    thumbprint,
)
from tests.conftest import NOON
from tests.signing.parties import HUB, SHOP

#: RFC 8037 appendix A.1 to A.3.
RFC_8037 = {
    "kty": "OKP",
    "crv": "Ed25519",
    "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}
KID_8037 = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
KEY = SigningKey.generate()
OTHER = SigningKey.generate()


def write(path: Path, jwk: object, mode: int = 0o600) -> Path:
    """A key file with any content."""
    path.write_bytes(codec.encode(jwk))
    path.chmod(mode)
    return path


def test_a_saved_key_is_the_same_key(tmp_path: Path) -> None:
    """It has the same id and signs the same bytes with the same signature."""
    KEY.save(tmp_path / "signing.jwk")
    loaded = SigningKey.load(tmp_path / "signing.jwk")

    assert (loaded.kid, loaded.public_jwk) == (KEY.kid, KEY.public_jwk)
    assert loaded.sign(b"an order") == KEY.sign(b"an order")


def test_a_key_file_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    """Under umask 0, where every other file would be open to all, it still has mode 0600."""
    before = os.umask(0)
    try:
        KEY.save(tmp_path / "signing.jwk")
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "signing.jwk").stat().st_mode) == 0o600


def test_saving_never_writes_over_a_file(tmp_path: Path) -> None:
    """The key that was there is there still."""
    path = tmp_path / "signing.jwk"
    KEY.save(path)

    with pytest.raises(ConfigurationError, match="never overwritten"):
        OTHER.save(path)
    assert SigningKey.load(path).kid == KEY.kid


def test_saving_into_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    """The error names the file."""
    with pytest.raises(ConfigurationError, match="nowhere"):
        KEY.save(tmp_path / "nowhere" / "signing.jwk")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o610, 0o601])
def test_a_key_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    """A group or world bit is enough, and the error has a hint."""
    path = write(tmp_path / "signing.jwk", RFC_8037, mode)

    with pytest.raises(ConfigurationError, match="chmod 600"):
        SigningKey.load(path)


@pytest.mark.parametrize(
    "jwk",
    [
        pytest.param({k: v for k, v in RFC_8037.items() if k != "d"}, id="only the public part"),
        pytest.param({k: v for k, v in RFC_8037.items() if k != "x"}, id="no public part"),
        pytest.param({**RFC_8037, "x": KEY.public_jwk["x"]}, id="the public part of another key"),
        pytest.param({**RFC_8037, "kid": KEY.kid}, id="the id of another key"),
        pytest.param({**RFC_8037, "crv": "X25519"}, id="a key for agreement and not for signing"),
        pytest.param({**RFC_8037, "crv": "Ed448"}, id="another curve"),
        pytest.param({"kty": "oct", "k": "AAAA"}, id="a shared secret"),
        pytest.param({**RFC_8037, "d": RFC_8037["d"] + "AAAA"}, id="a private part that is too long"),
        pytest.param({**RFC_8037, "d": RFC_8037["d"] + "="}, id="padding"),
        pytest.param({**RFC_8037, "d": 5}, id="a private part that is a number"),
        pytest.param({**RFC_8037, "d": "é" * 43}, id="characters beyond ASCII"),
        pytest.param([RFC_8037], id="a list"),
        pytest.param({**RFC_8037, "note": "x" * 5000}, id="a file of unlikely size"),
    ],
)
def test_what_is_no_private_ed25519_key_is_not_loaded(tmp_path: Path, jwk: object) -> None:
    """The error names the file and never repeats what is in it."""
    path = write(tmp_path / "signing.jwk", jwk)

    with pytest.raises(ConfigurationError, match="not a private Ed25519 JWK") as caught:
        SigningKey.load(path)
    assert caught.value.field == str(path)
    assert RFC_8037["d"] not in str(caught.value)


def test_a_missing_key_file_is_an_error(tmp_path: Path) -> None:
    """With the command that makes one."""
    with pytest.raises(ConfigurationError, match="sesame keys new"):
        SigningKey.load(tmp_path / "signing.jwk")


def test_a_key_never_shows_its_private_part() -> None:
    """Neither in its repr nor in what it publishes."""
    assert "_private" not in repr(KEY)
    assert "d" not in KEY.public_jwk


def test_thumbprints_are_those_of_rfc_8037(tmp_path: Path) -> None:
    """Appendix A.3; members that are not required do not change it."""
    assert thumbprint(RFC_8037) == KID_8037
    assert thumbprint({**RFC_8037, "use": "sig", "kid": "any"}) == KID_8037
    assert SigningKey.load(write(tmp_path / "signing.jwk", RFC_8037)).kid == KID_8037


def test_a_published_set_is_read_back() -> None:
    """And a private member that slipped in is not published."""
    with_private = {**KEY.public_jwk, "d": RFC_8037["d"], "note": "mine"}
    published = codec.encode(jwk_set([with_private, OTHER.public_jwk]))

    assert b'"d"' not in published
    assert read_jwk_set(published) == (KEY.public_jwk, OTHER.public_jwk)


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        pytest.param([{**RFC_8037, "kid": KID_8037}], "private", id="a private key"),
        pytest.param([KEY.public_jwk, KEY.public_jwk], "duplicate key", id="the same key twice"),
        pytest.param([{**KEY.public_jwk, "kid": OTHER.kid}], "thumbprint", id="the id of another key"),
        pytest.param([{**KEY.public_jwk, "kid": None}], "thumbprint", id="no id"),
        pytest.param([{**KEY.public_jwk, "use": "enc"}], "signing", id="a key for encryption"),
        pytest.param([{**KEY.public_jwk, "alg": "ES256"}], "signing", id="another algorithm"),
        pytest.param([{**KEY.public_jwk, "crv": "X25519"}], "Ed25519", id="another curve"),
        pytest.param([{"kty": "RSA", "n": "AQAB", "e": "AQAB"}], "Ed25519", id="an RSA key"),
        pytest.param([{**KEY.public_jwk, "x": "AAAA"}], "32 bytes", id="a point that is too short"),
        pytest.param(["key"], "objects", id="text for a key"),
        pytest.param([], "1 to", id="no key"),
        pytest.param([KEY.public_jwk] * (MAX_KEYS + 1), "1 to", id="too many keys"),
        pytest.param("keys", "1 to", id="text for the list"),
    ],
)
def test_a_set_with_anything_but_public_ed25519_keys_is_refused(keys: Any, why: str) -> None:
    """Each with its own reason."""
    with pytest.raises(InvalidInputError, match=why):
        read_jwk_set(codec.encode({"keys": keys}))


@pytest.mark.parametrize("data", [b"", b"[]", b'{"keys":', b"\xff", b"[" * 60000])
def test_what_is_no_json_object_is_no_set(data: bytes) -> None:
    """However it fails to be one."""
    with pytest.raises(InvalidInputError):
        read_jwk_set(data)


def test_an_oversize_set_is_refused_before_it_is_read() -> None:
    """It need not even be JSON."""
    with pytest.raises(InvalidInputError, match="at most"):
        read_jwk_set(b"x" * (MAX_SET_BYTES + 1))


OLD = SigningKey.generate()
NEW = SigningKey.generate()
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
#: The old key leaves two days after the new one came.
ROTATING = Trust(
    {
        SHOP: [
            TrustedKey(OLD.public_jwk, NOON - 9 * DAY, not_after=NOON + DAY),
            TrustedKey(NEW.public_jwk, NOON - DAY),
        ],
        HUB: [TrustedKey(SigningKey.generate().public_jwk, NOON)],
    }
)


def counts(trust: Trust, key: SigningKey, at: datetime) -> bool:
    """Whether a token that the key signs is valid at this time."""
    token = sign_event(
        EventType.RECEIPT, Receipt("j", NOON, 1), key, issuer=SHOP, audience=HUB, now=NOON - 20 * DAY
    )
    try:
        verify_event(
            Token.parse(token), trust, event=EventType.RECEIPT, payload=Receipt, audience=HUB, now=at
        )
    except InvalidInputError:
        return False
    return True


@pytest.mark.parametrize(
    ("at", "old", "new"),
    [
        pytest.param(NOON - 9 * DAY - TICK, False, False, id="before either begins"),
        pytest.param(NOON - 9 * DAY, True, False, id="from the old key's first instant"),
        pytest.param(NOON - DAY - TICK, True, False, id="just before the new key begins"),
        pytest.param(NOON - DAY, True, True, id="both while they overlap"),
        pytest.param(NOON + DAY - TICK, True, True, id="the old key's last instant"),
        pytest.param(NOON + DAY, False, True, id="the new key alone from then on"),
        pytest.param(NOON + 9999 * DAY, False, True, id="a key without an end goes on"),
    ],
)
def test_a_rotation_is_two_keys_that_overlap(at: datetime, old: bool, new: bool) -> None:
    """Each counts in its own time, begin included and end excluded."""
    assert (counts(ROTATING, OLD, at), counts(ROTATING, NEW, at)) == (old, new)


def test_a_revoked_key_is_refused_from_the_instant_on() -> None:
    """Also for a token with an older date: the thief of a key can write any date."""
    trust = Trust({SHOP: [TrustedKey(OLD.public_jwk, NOON - 9 * DAY, revoked_at=NOON)]})

    assert counts(trust, OLD, NOON - TICK)
    assert not counts(trust, OLD, NOON)
    assert not counts(trust, OLD, NOON + 99 * DAY)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        pytest.param(TrustedKey(OLD.public_jwk, NOON, revoked_at=NOON), "was revoked", id="revoked"),
        pytest.param(TrustedKey(OLD.public_jwk, NOON + DAY), "not valid yet", id="not begun"),
        pytest.param(TrustedKey(OLD.public_jwk, NOON - DAY, NOON), "has expired", id="ended"),
    ],
)
def test_a_refusal_says_what_is_wrong_with_the_key(key: TrustedKey, why: str) -> None:
    """So that a partner knows whether to wait, to rotate or to worry."""
    with pytest.raises(InvalidInputError, match=why) as caught:
        Trust({SHOP: [key]}).find(SHOP, OLD.kid, NOON)
    assert caught.value.code == "invalid_key"


def test_an_unknown_issuer_and_an_unknown_key_have_different_codes() -> None:
    """RFC 8935 has a code for each."""
    with pytest.raises(InvalidInputError) as unknown_issuer:
        ROTATING.find("https://unknown.example", OLD.kid, NOON)
    with pytest.raises(InvalidInputError) as no_key:
        ROTATING.find(SHOP, SigningKey.generate().kid, NOON)

    assert (unknown_issuer.value.code, no_key.value.code) == ("invalid_issuer", "invalid_key")


def test_a_key_counts_for_its_own_issuer_alone() -> None:
    """The shop's key says nothing in the hub's name."""
    with pytest.raises(InvalidInputError, match="not a key of this issuer"):
        ROTATING.find(HUB, NEW.kid, NOON)


def test_a_key_listed_twice_is_refused() -> None:
    """One entry could end while the other goes on."""
    twice = [TrustedKey(OLD.public_jwk, NOON), TrustedKey(OLD.public_jwk, NOON, revoked_at=NOON)]

    with pytest.raises(ConfigurationError, match="duplicate key"):
        Trust({SHOP: twice})


def test_a_trusted_key_is_known_by_its_thumbprint_and_not_by_what_it_says() -> None:
    """A JWK cannot pass for another by its ``kid``."""
    key = TrustedKey({**OLD.public_jwk, "kid": NEW.kid}, NOON)

    assert key.kid == OLD.kid


@pytest.mark.parametrize("name", ["not_before", "not_after", "revoked_at"])
def test_times_without_a_zone_are_refused(name: str) -> None:
    """Guessing the zone would move the end of a key."""
    times = {"not_before": NOON, name: NOON.replace(tzinfo=None)}

    with pytest.raises(InvalidInputError, match=name):
        TrustedKey(OLD.public_jwk, **times)
