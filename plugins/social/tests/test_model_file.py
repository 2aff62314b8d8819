"""A model is numbers, checked before it is believed."""

import io
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sesame_social.classifier.model import SHIPPED_MODEL, digest_path, load_model, save_model

from sesame_sdk import ConfigurationError


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The shipped model, where a test may spoil it."""
    for path in (SHIPPED_MODEL, digest_path(SHIPPED_MODEL)):
        shutil.copy(path, tmp_path / path.name)
    return tmp_path / SHIPPED_MODEL.name


def signed(path: Path, raw: bytes) -> Path:
    """A file with the digest that belongs to it."""
    import hashlib

    path.write_bytes(raw)
    digest_path(path).write_text(f"{hashlib.sha256(raw).hexdigest()}  {path.name}\n")
    return path


def test_the_shipped_model_is_small() -> None:
    """Under eight megabytes."""
    assert SHIPPED_MODEL.stat().st_size < 8_000_000


def test_saving_what_was_loaded_gives_the_same_bytes(copied: Path, tmp_path: Path) -> None:
    """No clock and no order of a dictionary is in the file."""
    again = tmp_path / "again.npz"
    assert save_model(load_model(copied), again) == load_model(copied).digest
    assert again.read_bytes() == copied.read_bytes()


@pytest.mark.parametrize("at", [0, 1000, -1])
def test_one_changed_byte_is_refused(at: int, copied: Path) -> None:
    """Before anything of it is unpacked."""
    raw = bytearray(copied.read_bytes())
    raw[at] ^= 1
    copied.write_bytes(raw)
    with pytest.raises(ConfigurationError, match="digest of the model does not match"):
        load_model(copied)


def test_a_model_without_its_digest_is_refused(copied: Path) -> None:
    """No signature covers it."""
    digest_path(copied).unlink()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_model(copied)


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    """Neither as a file nor as an array inside of one, whatever its digest says."""
    with pytest.raises(ConfigurationError, match="is not a model"):
        load_model(signed(tmp_path / "a.npz", pickle.dumps({"weights": 1})))
    result = io.BytesIO()
    np.savez(result, format=np.array([object()], dtype=object))
    with pytest.raises(ConfigurationError, match="is not a model"):
        load_model(signed(tmp_path / "b.npz", result.getvalue()))


def test_a_file_that_unpacks_to_more_than_memory_is_refused(tmp_path: Path) -> None:
    """By what its table of contents says."""
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("weights.npy", bytes(20 << 20))
    with pytest.raises(ConfigurationError, match="too large"):
        load_model(signed(tmp_path / "bomb.npz", result.getvalue()))


def test_a_model_of_another_form_is_refused(tmp_path: Path) -> None:
    """And an array that is missing."""
    result = io.BytesIO()
    np.savez(result, format=np.array([1, 18]), weights=np.zeros((1, 2), dtype=np.int16))
    with pytest.raises(ConfigurationError, match=r"no model|another form"):
        load_model(signed(tmp_path / "c.npz", result.getvalue()))
