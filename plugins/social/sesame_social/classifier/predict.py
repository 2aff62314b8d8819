"""Classifies posts in batches; it keeps nothing.

Rules:
1. A prediction is a suspicion for a moderator, or says that a post is helpful; it lowers no score by itself.
2. Opinions are not classified: a post that refers to no person, and so to institutions at most, is never
   called abuse, and a post that names an institution is never called helpful.
3. Speech against prejudice names it, and so looks like it: if a post has words of such speech, a head needs
   a higher probability; and a quoted slur ("he said X") does not count.
4. A head does not classify scripts that it was not trained on.
5. The caller may state the kind of the posts. Otherwise each post counts as a comment as far as it is written
   like one, and as a message for the rest.
"""

from collections.abc import Sequence
from itertools import accumulate, groupby
from typing import Literal, TypeAlias, get_args

import numpy as np
from attrs import frozen

from sesame_sdk import InvalidInputError
from sesame_social.classifier.entity_masking import (
    ADVICE,
    AGAINST,
    COARSE,
    EXAMPLE,
    PEOPLE,
    PERSON,
    REASON,
    STEP,
    THING,
    mask_entities,
)
from sesame_social.classifier.features import HashedFeatures, count_units, hash_features, surface_features
from sesame_social.classifier.model import BITS, CHINESE, COMMENT, ENGLISH, HATE, KIND, MESSAGE, Model
from sesame_social.classifier.normalize import (
    HAN,
    LETTER,
    MAX_CHARACTERS,
    Bools,
    Floats,
    Ints,
    NormalizedText,
    Weights,
    character_classes,
    normalize,
)

#: Kinds of posts: comments below other people's content, messages to a person, or unknown.
PostKind: TypeAlias = Literal["any", "comment", "message"]
POST_KINDS: tuple[PostKind, ...] = get_args(PostKind)
#: The heads for spam; the threshold of the first applies.
_SPAM_HEADS = {"any": (KIND, MESSAGE, COMMENT), "comment": (COMMENT,), "message": (MESSAGE,)}
#: Characters in a batch: few enough for numpy's arrays to stay in the processor's cache.
_BATCH_CHARACTERS = 1 << 16
#: A helpful post has more units than this, and at least so many manners of helping.
HELPFUL_LENGTH, HELPFUL_MANNERS = 60, 2
#: Highest probability of abuse in a post that refers to no person.
_MAX_WITHOUT_PERSON = 0.4
#: Threshold of abuse in a post with words against prejudice.
_PREJUDICE_THRESHOLD = 0.9


@frozen(eq=False)
class Predictions:
    """Predictions for a batch of posts; one entry for each post.

    Attributes:
        spam: probability of spam or a scam.
        abuse: probability of abuse of people; 0.4 at most without a reference to a person.
        hate: probability of hate, for English abuse; part of `abuse`.
        suspected_spam: whether `spam` reaches its threshold.
        suspected_abuse: whether `abuse` does; it is higher for posts with words against prejudice.
        helpful: whether it helps, by its form. It is a rule, without a probability.
    """

    spam: Floats
    abuse: Floats
    hate: Floats
    suspected_spam: Bools
    suspected_abuse: Bools
    helpful: Bools


def classify(texts: Sequence[str], model: Model, kind: PostKind = "any") -> Predictions:
    """Classify posts. No text raises an error; of a very long one the first 10,000 characters count.

    The kind is of all posts, if it is known, and matters for spam only; any other is an InvalidInputError.
    """
    if kind not in POST_KINDS:
        raise InvalidInputError(f"must be one of {', '.join(POST_KINDS)}", field="kind")
    sizes = accumulate(min(len(text), MAX_CHARACTERS) + 1 for text in texts)
    batches = groupby(zip(texts, sizes, strict=True), key=lambda one: one[1] // _BATCH_CHARACTERS)
    parts = [_classify_batch([text for text, _ in batch], model, kind) for _, batch in batches]
    parts = parts or [_classify_batch([], model, kind)]
    names = Predictions.__annotations__
    return Predictions(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _classify_batch(texts: Sequence[str], model: Model, kind: PostKind) -> Predictions:
    text = normalize(texts)
    masked = mask_entities(text, model.phrases)
    flags = masked.flags
    classes = character_classes()[masked.text.units]
    latin, han = (count_units(masked.text, classes == script) for script in (LETTER, HAN))
    english, chinese = latin > 2 * han, han >= 2
    needed = [*_SPAM_HEADS[kind], *[CHINESE] * bool(han.any()), *[ENGLISH, HATE] * bool(english.any())]
    surface = surface_features(text, masked.tags, flags[COARSE])
    probability = 1 / (1 + np.exp(-_score_heads(masked.text, surface, model, needed)))
    as_comment = probability[KIND] if kind == "any" else np.float64(kind == "comment")
    spam = as_comment * probability[COMMENT] + (1 - as_comment) * probability[MESSAGE]
    spam *= (latin + han) > 0
    is_spam = spam >= model.thresholds[_SPAM_HEADS[kind][0]]
    mentions_people = flags[PEOPLE] | flags[PERSON]
    abuse = np.maximum(probability[ENGLISH] * english, probability[CHINESE] * chinese)
    abuse[~mentions_people] = np.minimum(abuse[~mentions_people], _MAX_WITHOUT_PERSON)
    raised = np.where(flags[AGAINST], _PREJUDICE_THRESHOLD, 0)
    reached = probability >= np.maximum(model.thresholds[:, None], raised)
    is_abuse = ((reached[ENGLISH] & english) | (reached[CHINESE] & chinese)) & mentions_people
    hate = probability[ENGLISH] * english * probability[HATE]
    manners = np.sum([flags[sign] for sign in (ADVICE, STEP, REASON, EXAMPLE)], axis=0)
    is_helpful = (manners >= HELPFUL_MANNERS) & (np.diff(masked.text.starts) > HELPFUL_LENGTH)
    is_helpful &= ~(is_spam | is_abuse | flags[THING] | flags[PEOPLE])
    return Predictions(spam, abuse, hate, is_spam, is_abuse, is_helpful)


def _score_heads(text: NormalizedText, surface: Floats, model: Model, heads: Sequence[int]) -> Floats:
    """Sums by head (row) and post (column); rows of heads not in `heads` are meaningless."""
    features = hash_features(text, BITS)
    size = np.sqrt(np.maximum(count_features(features, text), 1))
    sums = surface @ model.surface_weights.T + model.bias
    for head in heads:
        sums[:, head] += _sum_weights(model.weights[head], features, text) * model.steps[head] / size
    return sums.T


def _sum_weights(table: Weights, features: HashedFeatures, text: NormalizedText) -> Ints:
    """Sum one head's weights for each post."""
    unit_sums = table.take(features.ngrams[0]).astype(np.int32)
    for ngrams in features.ngrams[1:]:
        unit_sums += table.take(ngrams)
    before = np.zeros(len(unit_sums) + 1, dtype=np.int64)
    np.cumsum(unit_sums, out=before[1:])
    word_sums = np.bincount(features.word_posts, table.take(features.words), minlength=len(text.starts) - 1)
    result: Ints = before[text.starts[1:] - 1] - before[text.starts[:-1]] + word_sums.astype(np.int64)
    return result


def count_features(features: HashedFeatures, text: NormalizedText) -> Ints:
    """Count the features of each post."""
    length = np.diff(text.starts) - 1
    ngrams = sum(np.maximum(length - shorter, 0) for shorter in range(len(features.ngrams)))
    words = np.bincount(features.word_posts, minlength=len(length))
    result: Ints = ngrams + words
    return result
