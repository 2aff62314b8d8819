"""Maps our probabilities to the scores that a site is used to, by equal quantiles.

A site that records Perspective's scores of some of its own comments can keep its thresholds: the comment of
which, say, nine in ten score lower gets the same score as before. The order of comments stays ours. Quantile
mapping is also called equipercentile equating (Kolen and Brennan, 2014).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np

from sesame_sdk import InvalidInputError
from sesame_social.classifier import Model, classify
from sesame_social.labelled_posts import LabelledPost

#: Fewer comments of an attribute say too little about its quantiles.
MIN_COMMENTS = 200
_QUANTILES = np.linspace(0, 1, 101)
_Column = Annotated[
    tuple[Annotated[float, msgspec.Meta(ge=0, le=1)], ...], msgspec.Meta(min_length=2, max_length=1000)
]
QuantileMap = Mapping[str, tuple[Sequence[float], Sequence[float]]]


def fit_quantile_map(posts: Iterable[LabelledPost], model: Model) -> QuantileMap:
    """Fit the map from comments with their Perspective scores.

    Raises:
        InvalidInputError: an attribute has too few comments in a language that the classifier knows.
    """
    ours: defaultdict[str, list[float]] = defaultdict(list)
    theirs: defaultdict[str, list[float]] = defaultdict(list)
    posts = iter(posts)
    while some := list(islice(posts, 1000)):
        by_name = {
            name.value: column
            for name, column in classify([post.text for post in some], model).probability.items()
        }
        for at, post in enumerate(some):
            for name, score in post.scores.items():
                column = by_name.get(name)
                if column is not None and not np.isnan(column[at]):
                    ours[name].append(float(column[at]))
                    theirs[name].append(score)
    if not ours:
        raise InvalidInputError("has no comment with a score that the classifier has", field="comments")
    return {name: _columns(name, ours[name], theirs[name]) for name in ours}


def _columns(name: str, ours: Sequence[float], theirs: Sequence[float]) -> tuple[list[float], list[float]]:
    if len(ours) < MIN_COMMENTS:
        text = f"{len(ours)} comments with {name}, of at least {MIN_COMMENTS}"
        raise InvalidInputError(text, field="comments", hint="record more, or leave the attribute out")
    x, y = (np.quantile(np.array(column), _QUANTILES) for column in (ours, theirs))
    steps = np.unique(x)  # where many comments share one probability, their mean score stands
    means = [float(y[x == step].mean()) for step in steps]
    # Both ends are pinned, so that the map covers every probability.
    return [0.0, *map(float, steps), 1.0], [0.0, *means, 1.0]


def load_quantile_map(path: Path) -> QuantileMap:
    """Load a map that `fit_quantile_map` made.

    Raises:
        InvalidInputError: the file is not one.
    """
    try:
        loaded = msgspec.json.decode(path.read_bytes(), type=dict[str, tuple[_Column, _Column]])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"is not a quantile map: {error}", field=path.name) from error
    for name, columns in loaded.items():
        if len(columns[0]) != len(columns[1]) or any(list(column) != sorted(column) for column in columns):
            raise InvalidInputError(
                "must have two ascending columns of one length", field=f"{path.name}, {name}"
            )
    return loaded
