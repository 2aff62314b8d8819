"""Classifies posts in batches; it keeps nothing.

Rules:
1. A prediction is a suspicion for a moderator, or says that a post is helpful; it lowers no score by itself.
2. Opinions are not classified: a post that names an institution and no person is never called abuse, nor is
   praise of people; and a post that names an institution is never called helpful.
3. Speech against prejudice names it, and so looks like it: if a post has words of such speech or quotes, a
   head needs a higher probability; and a quoted slur ("he said X") does not count.
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
    BLAME,
    COARSE,
    CONDEMNING,
    EXAMPLE,
    GROUP,
    HOSTILE,
    NEGATION,
    PERSON,
    PRAISE,
    REASON,
    STEP,
    mask_entities,
    tone_features,
)
from sesame_social.classifier.features import (
    PEOPLE,
    QUOTATION,
    THING,
    HashedFeatures,
    count_features,
    count_units,
    hash_features,
    hash_single_words,
    surface_features,
)
from sesame_social.classifier.language import OTHER as OTHER_LANGUAGE
from sesame_social.classifier.language import detect_languages
from sesame_social.classifier.model import (
    ABUSE_ATTRIBUTES,
    ABUSE_HEADS,
    BITS,
    COMMENT,
    KIND,
    LANGUAGES,
    MESSAGE,
    SCAM,
    SPAM_HEADS,
    Model,
)
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
    encode,
    join,
)
from sesame_social.classifier.spelling import respell

#: Kinds of posts: comments below other people's content, messages to a person, or unknown.
PostKind: TypeAlias = Literal["any", "comment", "message"]
POST_KINDS: tuple[PostKind, ...] = get_args(PostKind)
#: The attributes that the model has.
ATTRIBUTES = tuple(Attribute)
#: The head whose threshold for spam applies.
_SPAM_HEADS = {"any": KIND, "comment": COMMENT, "message": MESSAGE}
#: Characters in a batch: few enough for numpy's arrays to stay in the processor's cache.
_BATCH_CHARACTERS = 1 << 16
#: A helpful post has more units than this, and at least so many manners of helping.
HELPFUL_LENGTH, HELPFUL_MANNERS = 60, 2
_SURROGATES = 0xD800, 0xDFFF
#: Highest probability of abuse in a post that is never abuse, and lowest thresholds in those that seldom are.
MAX_UNLIKELY, _THRESHOLD_OF_NAMES, _THRESHOLD_WITHOUT_PERSON = 0.4, 0.65, 0.7
_THRESHOLD_AGAINST_PREJUDICE, _THRESHOLD_OF_OPINIONS, _THRESHOLD_OF_QUOTATIONS = 0.75, 0.83, 0.7


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
    joined = join(texts)
    text = encode(joined)
    language = detect_languages(text)
    respelled = respell(joined)
    masked = mask_entities(text if respelled == joined else encode(respelled), model.phrases)
    flags, known = masked.flags, language != OTHER_LANGUAGE
    surface = np.hstack((surface_features(text, masked.tags, flags[COARSE]), tone_features(flags)))
    scores = _score_heads(masked.text, surface, model, language)
    chance = 1 / (1 + np.exp(-scores))
    as_comment = chance[KIND] if kind == "any" else np.float64(kind == "comment")
    spam = as_comment * chance[COMMENT] + (1 - as_comment) * chance[MESSAGE]
    probability = {Attribute.SPAM: spam, Attribute.SCAM: np.minimum(chance[SCAM], spam)}
    threshold = {
        Attribute.SPAM: model.thresholds[_SPAM_HEADS[kind]],
        Attribute.SCAM: model.thresholds[SCAM],
    }
    written = (language[:, None] == LANGUAGES).T
    never, at_least = _find_unlikely(flags, *_find_unreadable(masked.text, model))
    for at, name in enumerate(ABUSE_ATTRIBUTES):
        heads = [ABUSE_HEADS[each][at] for each in LANGUAGES]
        probability[name] = np.select(written, chance[heads], 0)
        threshold[name] = np.select(written, model.thresholds[heads, None], 1)
        if name is not Attribute.PROFANITY:
            probability[name][never] = np.minimum(probability[name][never], MAX_UNLIKELY)
            threshold[name] = np.maximum(threshold[name], at_least)
    lettered = np.isin(character_classes()[text.units], (LETTER, HAN))
    spam *= count_units(text, lettered) > 0
    suspected = {name: known & (probability[name] >= threshold[name]) for name in ATTRIBUTES}
    toxicity = Attribute.TOXICITY
    for name in (
        Attribute.THREAT,
        Attribute.INSULT,
    ):  # those are abuse, even if its own head does not know it
        probability[toxicity] = np.maximum(probability[toxicity], probability[name])
        suspected[toxicity] |= suspected[name]
    manners = np.sum([flags[sign] for sign in (ADVICE, STEP, REASON, EXAMPLE)], axis=0)
    is_helpful = (manners >= HELPFUL_MANNERS) & (np.diff(masked.text.starts) > HELPFUL_LENGTH)
    is_helpful &= known & ~(flags[THING] | flags[PEOPLE])
    is_helpful &= ~(suspected[Attribute.SPAM] | suspected[Attribute.TOXICITY])
    every = {name: np.where(known, probability[name], np.nan) for name in ATTRIBUTES}
    return Predictions(language, every, suspected, is_helpful)


def find_unlikely(texts: Sequence[str], model: Model) -> tuple[Bools, Floats]:
    """Find posts that are never abuse by the rules, and the lowest threshold of each of the others."""
    parts = []
    for at in range(0, len(texts), 256):
        masked = mask_entities(encode(respell(join(texts[at : at + 256]))), model.phrases)
        parts.append(_find_unlikely(masked.flags, *_find_unreadable(masked.text, model)))
    never, at_least = zip(*parts, strict=True)
    return np.concatenate(never), np.concatenate(at_least)


def _find_unlikely(
    flags: Mapping[int, Bools], has_unknown_words: Bools, has_symbols: Bools, is_quoting: Bools
) -> tuple[Bools, Floats]:
    """Posts that are never abuse, and the lowest threshold of each of the others.

    Criticism of an institution is never abuse, nor is praise of persons without a hostile word, nor a post
    that names people in known words, none of them hostile: naming is no reason. An unknown word may be a
    hostile one in another spelling, and an emoji a person or a weapon. Other posts that name people without a
    hostile word, refer to no person, name an institution, quote, or have words against prejudice seldom are
    abuse.
    """
    anyone, named = flags[PEOPLE] | flags[PERSON], flags[PEOPLE] | flags[GROUP]
    hostile = flags[BLAME] | flags[HOSTILE] | has_symbols
    friendly = ~hostile & ~flags[NEGATION] & anyone & flags[PRAISE]
    harmless = friendly | (~hostile & ~flags[NEGATION] & named & ~has_unknown_words)
    mild = ~hostile & ~(flags[NEGATION] & flags[PRAISE])
    at_least = np.where(mild & (named | (anyone & ~has_unknown_words)), _THRESHOLD_OF_NAMES, 0)
    at_least = np.where(~anyone & ~has_symbols, _THRESHOLD_WITHOUT_PERSON, at_least)
    at_least = np.where(is_quoting, _THRESHOLD_OF_QUOTATIONS, at_least)
    at_least = np.where(flags[AGAINST], _THRESHOLD_AGAINST_PREJUDICE, at_least)
    at_least = np.where(flags[THING], np.maximum(at_least, _THRESHOLD_OF_OPINIONS), at_least)
    return (flags[THING] & ~anyone) | harmless | flags[CONDEMNING], at_least


def _find_unreadable(text: NormalizedText, model: Model) -> tuple[Bools, Bools, Bools]:
    """Posts with a word that the model does not know, with an emoji (a surrogate pair), with a quotation.

    A text in Han is not divided into words, so it may always have an unknown one.
    """
    words, posts = hash_single_words(text, BITS)
    unknown = np.bincount(posts[~model.known_words[words]], minlength=len(text.starts) - 1) > 0
    unknown |= count_units(text, character_classes()[text.units] == HAN) > 0
    symbols = count_units(text, (text.units >= _SURROGATES[0]) & (text.units <= _SURROGATES[1])) > 0
    return unknown, symbols, count_units(text, text.units == QUOTATION) > 0


def _score_heads(text: NormalizedText, surface: Floats, model: Model, language: NDArray[np.str_]) -> Floats:
    """Sums by head (row) and post (column); rows of languages that no post has are meaningless."""
    features = hash_features(text, BITS)
    sizes = [np.sqrt(count)[:, None] for count in count_features(features, text)]
    sums = surface @ model.surface_weights.T + model.bias
    for name, table in model.tables.items():
        if name == "spam" or (language == name).any():
            heads = list(SPAM_HEADS if name == "spam" else ABUSE_HEADS[name])
            of_ngrams, of_words = _sum_weights(table, features, text)
            sums[:, heads] += (of_ngrams / sizes[0] + of_words / sizes[1]) * model.steps[heads]
    return sums.T


def _sum_weights(table: Weights, features: HashedFeatures, text: NormalizedText) -> tuple[Ints, Ints]:
    """Sum the weights of a table for each post (row) and head (column): of n-grams, and of words."""
    unit_sums = table.take(features.ngrams[0], axis=0).astype(np.int32)
    for ngrams in features.ngrams[1:]:
        unit_sums += table.take(ngrams, axis=0)
    result: Ints = np.zeros((len(text.starts) - 1, table.shape[1]), dtype=np.int64)
    if len(result):
        np.add.reduceat(unit_sums, text.starts[:-1] - 1, axis=0, out=result)
    words, of_words = table.take(features.words, axis=0), np.zeros_like(result)
    for head in range(table.shape[1]):
        sums = np.bincount(features.word_posts, words[:, head], minlength=len(result))
        of_words[:, head] = sums.astype(np.int64)
    return result, of_words
