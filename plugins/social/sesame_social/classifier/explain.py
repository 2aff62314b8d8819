"""Finds the words of a post that weigh most in a prediction, by leaving out each in turn.

This needs nothing of the model but its predictions (occlusion; Zeiler and Fergus, 2014), so it explains what
the whole classifier says, rules included. A word in Latin letters is left out whole; in Han, two characters
are.
"""

import re

import numpy as np
from attrs import frozen

from sesame_social.classifier.attributes import Attribute
from sesame_social.classifier.model import Model
from sesame_social.classifier.normalize import IGNORABLE
from sesame_social.classifier.predict import PostKind, classify

#: Only the first words of a post are left out in turn: a moderator sees them beside the post.
MAX_WORDS = 200
_HAN, _LETTER = r"[\u3400-\u9fff\uf900-\ufaff]", r"[^\W\u3400-\u9fff\uf900-\ufaff]"
#: A character that is ignored does not end a word.
_WORDS = re.compile(rf"{_HAN}(?=({_HAN})?)|{_LETTER}+(?:[{IGNORABLE}]+{_LETTER}+)*|[^\w\s]+")
#: Lighter words are not listed.
_MIN_WEIGHT = 0.1
_TINY = 1e-9


@frozen
class WeightedSpan:
    """A part of a post, from `begin` to `end` in characters.

    `weight` is by how much the log-odds of the attribute fall without it.
    """

    begin: int
    end: int
    weight: float


def explain(
    text: str,
    model: Model,
    attribute: Attribute = Attribute.TOXICITY,
    kind: PostKind = "any",
    *,
    max_spans: int = 5,
) -> list[WeightedSpan]:
    """List the words that weigh most for an attribute, the heaviest first; they do not overlap.

    The list is empty if no word raises the probability, or the language is not supported.
    """
    matches = [match for match, _ in zip(_WORDS.finditer(text), range(MAX_WORDS), strict=False)]
    spans = [(match.start(), match.end() + bool(match[1])) for match in matches]
    shortened = [f"{text[:begin]} {text[end:]}" for begin, end in spans]
    probability = classify([text, *shortened], model, kind).probability[attribute]
    if np.isnan(probability[0]):
        return []
    odds = np.log(np.clip(probability, _TINY, 1 - _TINY))
    odds -= np.log(np.clip(1 - probability, _TINY, 1 - _TINY))
    falls = odds[0] - np.nan_to_num(odds[1:], nan=odds[0])
    chosen: list[WeightedSpan] = []
    for at in np.argsort(-falls, kind="stable"):
        begin, end = spans[at]
        apart = all(end <= other.begin or begin >= other.end for other in chosen)
        if falls[at] >= _MIN_WEIGHT and apart and len(chosen) < max_spans:
            chosen.append(WeightedSpan(begin, end, round(float(falls[at]), 4)))
    return chosen
