"""What others published: each vector is accepted or refused as its authors say."""

import base64
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from jwcrypto.jwk import JWK

from sesame_sdk import InvalidInputError
from sesame_sdk.signing import base64url
from sesame_sdk.signing import jws as signing_jws
from sesame_sdk.signing.keys import SigningKey, thumbprint
from sesame_sdk.signing.sd_jwt import digest_of, digests_of


def read(path: Path) -> Any:
    """A file of JSON."""
    return json.loads(path.read_text(encoding="utf-8"))


# --- Wycheproof: Ed25519 -------------------------------------------------------------------------


def wycheproof(shared_data: Path) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """Each test with the key that it is about."""
    for group in read(shared_data / "wycheproof/testvectors_v1/ed25519_test.json")["testGroups"]:
        for test in group["tests"]:
            yield group["publicKeyJwk"], test


def test_ed25519_judges_all_wycheproof_vectors_as_they_are_meant(shared_data: Path) -> None:
    """Through the very key and algorithm objects that stand behind `compact`, under both names of it."""
    count = 0
    for jwk, test in wycheproof(shared_data):
        key = signing_jws._public_key(signing_jws.public_point(jwk))
        for name in ("Ed25519", "EdDSA"):
            model = signing_jws._REGISTRY.get_alg(name)
            valid = model.verify(bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]), key)
            assert valid == (test["result"] == "valid"), test["comment"]
        count += 1
    assert count == 151


def test_signatures_that_wycheproof_refuses_fail_in_a_token_too(shared_data: Path) -> None:
    """Put behind a good header and payload, none of the 151 is taken for the token's own."""
    for jwk, test in wycheproof(shared_data):
        header = base64url.encode(b'{"alg":"Ed25519","kid":"k","typ":"secevent+jwt"}')
        payload = base64url.encode(bytes.fromhex(test["msg"]))
        token = b".".join([header, payload, base64url.encode(bytes.fromhex(test["sig"]))])
        with pytest.raises(InvalidInputError, match=r"^(signature|token): "):
            signing_jws.parse(token).verify(jwk)


# --- JOSE cookbook: RFC 7520, 7797, 8037 -----------------------------------------------------------


def test_the_signature_of_rfc_8037_is_made_and_believed(shared_data: Path, tmp_path: Path) -> None:
    """Appendix A.4 and A.5: the same bytes when signed; and good when looked at alone, without our rules."""
    example = read(shared_data / "jose-cookbook/curve25519/jws.json")
    (tmp_path / "key").write_text(json.dumps(example["input"]["key"]))
    (tmp_path / "key").chmod(0o600)
    key = SigningKey.load(tmp_path / "key")
    token = example["output"]["compact"].encode()

    assert base64url.encode(key.sign(token.rpartition(b".")[0])).decode() == example["signing"]["sig"]
    signed = jws.extract_compact(token, registry=signing_jws._REGISTRY)
    unverified = signing_jws.UnverifiedJws("", "", signed.payload, signed)
    unverified.verify(key.public_jwk)
    assert unverified.payload.decode() == example["input"]["payload"]
    with pytest.raises(InvalidInputError, match="is invalid"):
        unverified.verify(SigningKey.generate().public_jwk)


def test_a_thumbprint_is_that_of_other_software(shared_data: Path) -> None:
    """For the cookbook's key, and for keys of ours; every other type of key is refused."""
    mine = read(shared_data / "jose-cookbook/curve25519/jws.json")["input"]["key"]
    for jwk in (mine, *(SigningKey.generate().public_jwk for _ in range(20))):
        assert thumbprint(jwk) == JWK(**jwk).thumbprint()
    for path in (shared_data / "jose-cookbook/jwk").iterdir():
        with pytest.raises(InvalidInputError, match="Ed25519"):
            thumbprint(read(path))


def compacts(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every token that the examples under a folder hold, in any form, by file."""
    for path in sorted(folder.rglob("*.json")):
        output = read(path).get("output", {})
        for name, form in output.items():
            text = form if isinstance(form, str) else json.dumps(form)
            yield f"{path.name} {name}", text.encode()
        flat = output.get("json_flat", {})
        if "protected" in flat and "payload" in flat:
            parts = (flat["protected"], flat["payload"], flat["signature"])
            yield f"{path.name} flat as compact", ".".join(parts).encode()


def test_every_other_token_of_the_cookbook_is_refused(shared_data: Path) -> None:
    """RSA, HMAC, ECDSA, detached, unprotected or many signatures, ``b64:false``, encryption: none is ours."""
    tokens = list(compacts(shared_data / "jose-cookbook"))

    assert len(tokens) > 25
    for name, token in tokens:
        with pytest.raises(InvalidInputError):
            pytest.fail(f"{name} was taken: {signing_jws.parse(token)}")


def test_unencoded_payloads_are_refused_for_what_they_are(shared_data: Path) -> None:
    """RFC 7797 with ``crit`` and without; joserfc alone would take both."""
    for path in (shared_data / "jose-cookbook/rfc7797").iterdir():
        flat = read(path)["output"]["json_flat"]
        token = f"{flat['protected']}.cGF5bG9hZA.{flat['signature']}".encode()
        with pytest.raises(InvalidInputError, match="b64"):
            signing_jws.parse(token)


# --- SD-JWT: RFC 9901 ------------------------------------------------------------------------------


def test_disclosures_have_the_digests_of_the_specification(shared_data: Path) -> None:
    """Over the text that travels: other spaces or escapes are another disclosure."""
    vectors = read(shared_data / "sd-jwt/disclosure_vectors.json")
    texts = [vector["disclosure"].encode() for vector in vectors]

    assert [digest_of(text) for text in texts] == [vector["sha256_b64u"] for vector in vectors]
    assert digests_of(texts) == [vector["sha256_b64u"] for vector in vectors]
    for text, vector in zip(texts, vectors, strict=True):
        assert json.loads(base64url.decode(text, field="x")) == vector["decoded"]


def test_many_digests_are_those_of_each() -> None:
    """The vectorised encoding splits at the right characters, for any number of them."""
    for count in (0, 1, 2, 3, 4, 100):
        texts = [str(number).encode() for number in range(count)]
        alone = [base64.urlsafe_b64encode(sha256(text).digest()).rstrip(b"=").decode() for text in texts]
        assert digests_of(texts) == alone
