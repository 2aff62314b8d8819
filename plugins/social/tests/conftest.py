"""What the tests of this plugin share."""

import os
from pathlib import Path

import pytest
from sesame_social.classifier import Model, load_model

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the public sets; CI always has it."""
    if not DATA.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{DATA} must be there in CI")
        pytest.skip(f"needs the real data in {DATA}")
    return DATA


@pytest.fixture(scope="session")
def model() -> Model:
    """The model that is shipped."""
    return load_model()
