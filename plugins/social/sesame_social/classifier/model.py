"""What the classifier has learned, as plain arrays in a file that is checked before it is believed.

Rules:
1. Nothing is unpickled: the file holds numbers only, and NumPy is told so.
2. The digest of the file stands beside it, in a file of the same name and ``.sha256``; another is refused.
3. Every array has the shape that it must have, or the file is refused.
"""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen

from sesame_sdk import ConfigurationError
from sesame_social.classifier.entity_masking import PhraseTable
from sesame_social.classifier.normalize import Floats, Weights
from sesame_social.classifier.surface_features import COLUMNS

SHIPPED_MODEL = Path(__file__).parents[1] / "model" / "social.npz"
#: In the order of the rows of `Model.weights`.
HEADS = MESSAGE, COMMENT, KIND, ENGLISH, HATE, CHINESE = tuple(range(6))
#: Buckets of features: two to the power of this.
BITS = 18
_LARGEST = 16 << 20
_FORMAT = 3


@frozen(eq=False)
class Model:
    """Six linear heads over hashed features. Their sums become probabilities by the logistic function.

    Spam in messages and spam in comments have a head each: an invitation to look at one's own videos is
    spam under a stranger's, and not among friends. `KIND` says how far a post is written like a comment.

    Attributes:
        weights: one row a head, one column a bucket, in steps of `steps`.
        steps: what a weight of 1 is worth in each head.
        surface_weights: one row a head, one column of `form.COLUMNS`.
        bias: of each head.
        thresholds: from what probability on each head speaks; of `HATE` it parts hate from offence; of
            `KIND` it is that of spam in a post of which nobody said what kind it is.
        phrases: what is masked and what is noted.
        digest: SHA-256 of the file, in hexadecimal.
    """

    weights: Weights
    steps: Floats
    surface_weights: Floats
    bias: Floats
    thresholds: Floats
    phrases: PhraseTable
    digest: str = ""


def load_model(path: Path = SHIPPED_MODEL) -> Model:
    """The model in a file.

    Raises:
        ConfigurationError: there is no such file, its digest is another, or it is no model of ours.
    """
    try:
        raw = path.read_bytes()
        expected = digest_path(path).read_text("ascii").split()[0]
    except (OSError, ValueError, IndexError) as error:
        raise ConfigurationError("the model or its digest cannot be read", field=path.name) from error
    digest = hashlib.sha256(raw).hexdigest()
    if digest != expected:
        raise ConfigurationError("the model has another digest", field=path.name, hint="install it again")
    return _model(_arrays(raw, path), digest, path)


def digest_path(path: Path) -> Path:
    """Where the digest of a model stands."""
    return path.with_name(f"{path.name}.sha256")


def save_model(model: Model, path: Path) -> str:
    """Write a model and its digest, and return the digest. The same model makes the same bytes."""
    made = io.BytesIO()
    phrases = model.phrases
    np.savez_compressed(
        made,
        format=np.array([_FORMAT, BITS], dtype=np.int64),
        weights=model.weights,
        steps=model.steps,
        form=model.surface_weights,
        bias=model.bias,
        thresholds=model.thresholds,
        hashes=phrases.hashes,
        signs=phrases.signs,
        lengths=phrases.lengths,
        starts=np.packbits(phrases.starts),
    )
    digest = hashlib.sha256(made.getvalue()).hexdigest()
    path.write_bytes(made.getvalue())
    digest_path(path).write_text(f"{digest}  {path.name}\n", "ascii")
    return digest


def _arrays(raw: bytes, path: Path) -> Mapping[str, Any]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            if sum(each.file_size for each in packed.infolist()) > _LARGEST:
                raise ConfigurationError("the model is too large", field=path.name)
        with np.load(io.BytesIO(raw), allow_pickle=False) as opened:
            return {name: opened[name] for name in opened.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ConfigurationError("is no model", field=path.name) from error


def _model(arrays: Mapping[str, Any], digest: str, path: Path) -> Model:
    heads = len(HEADS)
    shapes = {"weights": (heads, 1 << BITS), "steps": (heads,), "form": (heads, COLUMNS), "bias": (heads,)}
    try:
        fits = [*arrays["format"]] == [_FORMAT, BITS] and all(
            arrays[name].shape == shape for name, shape in shapes.items()
        )
        if not fits or arrays["weights"].dtype != np.int16 or "thresholds" not in arrays:
            raise ConfigurationError("is a model of another form", field=path.name, hint="train it again")
        tops = np.zeros(1 << 16, dtype=bool)
        tops[arrays["hashes"] >> np.uint64(48)] = True
        starts = np.unpackbits(arrays["starts"]).astype(bool)
        phrases = PhraseTable(arrays["hashes"], arrays["signs"], arrays["lengths"], starts, tops)
    except (KeyError, TypeError, IndexError) as error:
        raise ConfigurationError("is no model", field=path.name) from error
    return Model(
        weights=arrays["weights"],
        steps=arrays["steps"],
        surface_weights=arrays["form"],
        bias=arrays["bias"],
        thresholds=arrays["thresholds"],
        phrases=phrases,
        digest=digest,
    )
