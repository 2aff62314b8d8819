"""Classifies posts in batches; it keeps nothing.

Rules:
1. A prediction is a suspicion for a moderator, or says that a post is helpful; it lowers no score by itself.
2. Opinions are not classified: a post that refers to no person, and so to institutions at most, is never
   called abuse, and a post that names an institution is never called helpful.
3. Speech against prejudice names it, and so looks like it: if a post has words of such speech, a head needs
   a higher probability; and a quoted slur ("he said X") does not count.
4. A post in a language other than English and Chinese is not classified.
5. The caller may state the kind of the posts. Otherwise each post counts as a comment as far as it is written
   like one, and as a message for the rest.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate, groupby
from typing import Literal, TypeAlias, get_args

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from sesame_sdk import InvalidInputError
from sesame_social.classifier.attributes import Attribute
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
from sesame_social.classifier.language import OTHER as OTHER_LANGUAGE
from sesame_social.classifier.language import detect_languages
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
#: The attributes that the model has.
ATTRIBUTES = (Attribute.TOXICITY, Attribute.IDENTITY_ATTACK, Attribute.SPAM)
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
    """Predictions for a batch of posts; each array has one entry for each post.

    Attributes:
        language: ``en`` or ``zh``; empty for any other language, which is not classified.
        probability: the probability of each attribute that the model has; NaN where it is not classified.
        suspected: whether each probability reaches its threshold. That of `TOXICITY` is higher for posts with
            words against prejudice.
        helpful: whether it helps, by its form. It is a rule, without a probability.
    """

    language: NDArray[np.str_]
    probability: Mapping[Attribute, Floats]
    suspected: Mapping[Attribute, Bools]
    helpful: Bools

    @property
    def supported(self) -> Bools:
        """Whether the post is in a language that the classifier knows."""
        result: Bools = self.language != OTHER_LANGUAGE
        return result

    @property
    def spam(self) -> Floats:
        """Probability of spam or a scam."""
        return self.probability[Attribute.SPAM]

    @property
    def abuse(self) -> Floats:
        """Probability of abuse of people; 0.4 at most without a reference to a person."""
        return self.probability[Attribute.TOXICITY]

    @property
    def hate(self) -> Floats:
        """Probability of hate; part of `abuse`."""
        return self.probability[Attribute.IDENTITY_ATTACK]

    @property
    def suspected_spam(self) -> Bools:
        """Whether `spam` reaches its threshold."""
        return self.suspected[Attribute.SPAM]

    @property
    def suspected_abuse(self) -> Bools:
        """Whether `abuse` reaches its threshold."""
        return self.suspected[Attribute.TOXICITY]


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
    return Predictions(
        np.concatenate([part.language for part in parts]),
        {name: np.concatenate([part.probability[name] for part in parts]) for name in ATTRIBUTES},
        {name: np.concatenate([part.suspected[name] for part in parts]) for name in ATTRIBUTES},
        np.concatenate([part.helpful for part in parts]),
    )


def _classify_batch(texts: Sequence[str], model: Model, kind: PostKind) -> Predictions:
    text = normalize(texts)
    masked = mask_entities(text, model.phrases)
    flags = masked.flags
    classes = character_classes()[masked.text.units]
    latin, han = (count_units(masked.text, classes == script) for script in (LETTER, HAN))
    language = detect_languages(text)
    known = language != OTHER_LANGUAGE
    english, chinese = (latin > 2 * han) & known, (han >= 2) & known
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
    hate = np.where(english, probability[ENGLISH] * probability[HATE], np.nan)
    manners = np.sum([flags[sign] for sign in (ADVICE, STEP, REASON, EXAMPLE)], axis=0)
    is_helpful = (manners >= HELPFUL_MANNERS) & (np.diff(masked.text.starts) > HELPFUL_LENGTH)
    is_helpful &= ~(is_spam | is_abuse | flags[THING] | flags[PEOPLE])
    is_hate = is_abuse & (english & (probability[HATE] >= model.thresholds[HATE]))
    return Predictions(
        language,
        {
            name: np.where(known, values, np.nan)
            for name, values in zip(ATTRIBUTES, (abuse, hate, spam), strict=True)
        },
        {name: known & values for name, values in zip(ATTRIBUTES, (is_abuse, is_hate, is_spam), strict=True)},
        is_helpful & known,
    )


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
