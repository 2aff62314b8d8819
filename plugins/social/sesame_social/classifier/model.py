"""The trained model: plain arrays in a file that is verified when it is loaded.

Rules:
1. Nothing is unpickled: the file holds numbers only, and NumPy refuses anything else.
2. The digest of the file is in a second file of the same name and ``.sha256``; any other digest is refused.
3. A file with an array of the wrong shape is refused.
"""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from attrs import field, frozen

from sesame_sdk import ConfigurationError
from sesame_social.classifier.attributes import Attribute
from sesame_social.classifier.entity_masking import TONES, PhraseTable
from sesame_social.classifier.features import COLUMNS
from sesame_social.classifier.language import CHINESE, ENGLISH
from sesame_social.classifier.normalize import Bools, Floats, Weights

SHIPPED_MODEL = Path(__file__).parents[1] / "model" / "social.npz"
LANGUAGES = (ENGLISH, CHINESE)
#: The attributes that each language has a head of its own for.
ABUSE_ATTRIBUTES = (
    Attribute.TOXICITY,
    Attribute.IDENTITY_ATTACK,
    Attribute.INSULT,
    Attribute.THREAT,
    Attribute.PROFANITY,
)
#: In the order of the rows of `Model.weights`; then those of each language, in the order of its attributes.
MESSAGE, COMMENT, KIND, SCAM = SPAM_HEADS = tuple(range(4))
ABUSE_HEADS = {
    language: tuple(range(first, first + len(ABUSE_ATTRIBUTES)))
    for language, first in zip(LANGUAGES, (4, 4 + len(ABUSE_ATTRIBUTES)), strict=True)
}
HEADS = tuple(range(4 + len(LANGUAGES) * len(ABUSE_ATTRIBUTES)))
#: Number of features that are not hashed.
SURFACE = COLUMNS + TONES
#: Number of buckets of features: two to the power of this.
BITS = 18
_MAX_BYTES = 16 << 20
_FORMAT = 5


@frozen(eq=False)
class Model:
    """Linear heads over hashed features. The logistic function turns their sums into probabilities.

    Spam in messages and spam in comments have a head each: an invitation to watch one's own videos is spam in
    a comment below a stranger's, and not among friends. `KIND` is how far a post is written like a comment.

    Attributes:
        weights: one row for each head, one column for each bucket, in multiples of `steps`.
        steps: the value of a weight of 1 in each head.
        thresholds: the probability from which each head flags a post; that of `KIND` is for spam in a post of
            unknown kind.
        known_words: whether each bucket has a word that the model knows from ordinary posts.
        tables: the weights of the heads for spam, for English and for Chinese, one row for each bucket: one
            look-up finds those of all heads.
    """

    weights: Weights
    steps: Floats
    surface_weights: Floats
    bias: Floats
    thresholds: Floats
    phrases: PhraseTable
    known_words: Bools
    digest: str = ""
    tables: Mapping[str, Weights] = field(init=False)

    @tables.default
    def _split_weights(self) -> Mapping[str, Weights]:
        groups = {"spam": SPAM_HEADS, **ABUSE_HEADS}
        return {name: np.ascontiguousarray(self.weights[list(heads)].T) for name, heads in groups.items()}


def load_model(path: Path = SHIPPED_MODEL) -> Model:
    """Load and verify a model; raise ConfigurationError for a missing file, a wrong digest, or no model."""
    try:
        raw = path.read_bytes()
        expected = digest_path(path).read_text("ascii").split()[0]
    except (OSError, ValueError, IndexError) as error:
        raise ConfigurationError("the model or its digest cannot be read", field=path.name) from error
    digest = hashlib.sha256(raw).hexdigest()
    if digest != expected:
        reason = "the digest of the model does not match"
        raise ConfigurationError(reason, field=path.name, hint="install it again")
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            if sum(each.file_size for each in packed.infolist()) > _MAX_BYTES:
                raise ConfigurationError("the model is too large", field=path.name)
        with np.load(io.BytesIO(raw), allow_pickle=False) as opened:
            return _from_arrays({name: opened[name] for name in opened.files}, digest, path)
    except (ValueError, OSError, EOFError, KeyError, TypeError, IndexError, zipfile.BadZipFile) as error:
        raise ConfigurationError("is not a model", field=path.name) from error


def digest_path(path: Path) -> Path:
    """Path of the digest of a model."""
    return path.with_name(f"{path.name}.sha256")


def save_model(model: Model, path: Path) -> str:
    """Save a model and its digest, and return the digest. Equal models make equal bytes."""
    buffer = io.BytesIO()
    phrases = model.phrases
    np.savez_compressed(
        buffer,
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
        known=np.packbits(model.known_words),
    )
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    path.write_bytes(buffer.getvalue())
    digest_path(path).write_text(f"{digest}  {path.name}\n", "ascii")
    return digest


def _from_arrays(arrays: Mapping[str, Any], digest: str, path: Path) -> Model:
    heads = len(HEADS)
    shapes = {"weights": (heads, 1 << BITS), "steps": (heads,), "form": (heads, SURFACE), "bias": (heads,)}
    fits = [*arrays["format"]] == [_FORMAT, BITS] and all(
        arrays[name].shape == shape for name, shape in shapes.items()
    )
    if not fits or arrays["weights"].dtype != np.int16 or "thresholds" not in arrays:
        raise ConfigurationError("is a model of another format", field=path.name, hint="train it again")
    tops = np.zeros(1 << 16, dtype=bool)
    tops[arrays["hashes"] >> np.uint64(48)] = True
    starts = np.unpackbits(arrays["starts"]).astype(bool)
    phrases = PhraseTable(arrays["hashes"], arrays["signs"], arrays["lengths"], starts, tops)
    known = np.unpackbits(arrays["known"]).astype(bool)
    weights, steps, surface_weights, bias = (arrays[name] for name in shapes)
    return Model(weights, steps, surface_weights, bias, arrays["thresholds"], phrases, known, digest)
