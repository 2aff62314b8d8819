"""Posts in, verdicts out: thousands at a time, and nothing is kept.

Rules:
1. A verdict is a suspicion for a moderator, or a kindness; it is never a signal that lowers anything.
2. What somebody thinks is no matter of ours: a post that speaks of no person, and so of institutions at
   most, is never called abuse, and none that names an institution is ever called helpful.
3. Speech against prejudice names it, and so looks like it: where words of such speech stand, a head must
   be surer before it is believed; and a slur that somebody tells of ("he said X") is not read.
4. A script that a head did not learn is not judged by it.
5. Whoever knows what kind of posts they are may say so. If nobody does, each post counts as a comment as
   far as it is written like one, and as a message for the rest.
"""

from collections.abc import Iterator, Sequence
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
    MaskedText,
    mask_entities,
)
from sesame_social.classifier.feature_hashing import HashedFeatures, hash_features
from sesame_social.classifier.model import (
    BITS,
    CHINESE,
    COMMENT,
    ENGLISH,
    HATE,
    HEADS,
    KIND,
    MESSAGE,
    Model,
)
from sesame_social.classifier.normalize import (
    MAX_CHARACTERS,
    Bools,
    Floats,
    Ints,
    NormalizedText,
    Weights,
    normalize,
)
from sesame_social.classifier.surface_features import count_scripts, surface_features

#: What posts are: comments under what others made, messages to somebody, or not known.
PostKind: TypeAlias = Literal["any", "comment", "message"]
POST_KINDS: tuple[PostKind, ...] = get_args(PostKind)
_SPAM = {"any": (MESSAGE, COMMENT, KIND), "comment": (COMMENT,), "message": (MESSAGE,)}
#: Whose threshold it is.
_LIMIT = {"any": KIND, "comment": COMMENT, "message": MESSAGE}
#: Characters taken at a time: what numpy makes of them stays in the processor's cache.
_BATCH = 1 << 16
#: A helpful post has at least so many units, and shows at least so many manners of helping.
HELPFUL_LENGTH, HELPFUL_MANNERS = 60, 2
#: The most that the probability of abuse can be where no person is spoken of.
_NOBODY = 0.4
#: How sure a head must be of abuse where prejudice itself is spoken of.
_WARY = 0.9


@frozen(eq=False)
class Predictions:
    """What a batch of posts was found to be; one entry a post.

    Attributes:
        spam: probability of spam or a scam.
        abuse: probability of abuse of people; 0.4 at most where no person is spoken of.
        hate: probability of hate, where the abuse is English; part of `abuse`.
        suspected_spam: whether `spam` is past its threshold.
        suspected_abuse: whether `abuse` is; a higher one where words against prejudice stand.
        helpful: whether it helps by its form. No probability: it is a rule.
    """

    spam: Floats
    abuse: Floats
    hate: Floats
    suspected_spam: Bools
    suspected_abuse: Bools
    helpful: Bools


def classify(texts: Sequence[str], model: Model, kind: PostKind = "any") -> Predictions:
    """Judge posts. No text raises, however odd; of a very long one the first 10,000 characters count.

    Args:
        texts: what was written.
        model: what was learned.
        kind: what all of them are, where the platform knows it; for spam alone.

    Raises:
        InvalidInputError: there is no such kind.
    """
    if kind not in POST_KINDS:
        raise InvalidInputError(f"must be one of {', '.join(POST_KINDS)}", field="kind")
    parts = [_batch(texts[begin:end], model, kind) for begin, end in _batches(texts)]
    if not parts:
        parts = [_batch([], model, kind)]
    names = Predictions.__annotations__
    return Predictions(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _batches(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    weight = accumulate(min(len(text), MAX_CHARACTERS) + 1 for text in texts)
    for _, group in groupby(enumerate(weight), key=lambda one: one[1] // _BATCH):
        places = [place for place, _ in group]
        yield places[0], places[-1] + 1


def _batch(texts: Sequence[str], model: Model, kind: PostKind) -> Predictions:
    folded = normalize(texts)
    found = mask_entities(folded, model.phrases)
    looks = surface_features(folded, found.tags, found.flags[COARSE])
    latin, han = count_scripts(found.text)
    needed = [*_SPAM[kind], *[CHINESE] * bool(han.any()), *[ENGLISH, HATE] * bool((latin > 2 * han).any())]
    chance = 1 / (1 + np.exp(-score_heads(found.text, looks, model, needed)))
    spam = _spam(chance, kind) * ((latin + han) > 0)
    return _judged(found, spam, spam >= model.thresholds[_LIMIT[kind]], chance, (latin, han), model)


def _spam(chance: Floats, kind: PostKind) -> Floats:
    as_comment = chance[KIND] if kind == "any" else np.float64(kind == "comment")
    made: Floats = as_comment * chance[COMMENT] + (1 - as_comment) * chance[MESSAGE]
    return made


def _judged(
    found: MaskedText, spam: Floats, spammy: Bools, chance: Floats, letters: tuple[Ints, Ints], model: Model
) -> Predictions:
    noted = found.flags
    latin, han = letters
    english, chinese = latin > 2 * han, han >= 2
    meant = noted[PEOPLE] | noted[PERSON]
    abuse = np.maximum(chance[ENGLISH] * english, chance[CHINESE] * chinese)
    abuse[~meant] = np.minimum(abuse[~meant], _NOBODY)
    limit = np.where(noted[AGAINST], np.maximum(model.thresholds[:, None], _WARY), model.thresholds[:, None])
    sure = chance >= limit
    past = ((sure[ENGLISH] & english) | (sure[CHINESE] & chinese)) & meant
    manners = np.sum([noted[sign] for sign in (ADVICE, STEP, REASON, EXAMPLE)], axis=0)
    helps = (manners >= HELPFUL_MANNERS) & (np.diff(found.text.starts) > HELPFUL_LENGTH)
    doubtful = spammy | past | noted[THING] | noted[PEOPLE]
    hate = chance[ENGLISH] * english * chance[HATE]
    return Predictions(spam, abuse, hate, spammy, past, helps & ~doubtful)


def score_heads(folded: NormalizedText, looks: Floats, model: Model, heads: Sequence[int] = HEADS) -> Floats:
    """One row a head, one column a post: what they add up to. Heads not asked for mean nothing."""
    found = hash_features(folded, BITS)
    size = np.sqrt(np.maximum(count_features(found, folded), 1))
    made = looks @ model.surface_weights.T + model.bias
    for head in heads:
        made[:, head] += _sums(model.weights[head], found, folded) * model.steps[head] / size
    return made.T


def _sums(table: Weights, found: HashedFeatures, folded: NormalizedText) -> Ints:
    """What one head's weights add up to, of each post."""
    here = table.take(found.ngrams[0]).astype(np.int32)
    for run in found.ngrams[1:]:
        here += table.take(run)
    before = np.zeros(len(here) + 1, dtype=np.int64)
    np.cumsum(here, out=before[1:])
    worded = np.bincount(found.word_posts, table.take(found.words), minlength=len(folded.starts) - 1)
    made: Ints = before[folded.starts[1:] - 1] - before[folded.starts[:-1]] + worded.astype(np.int64)
    return made


def count_features(found: HashedFeatures, folded: NormalizedText) -> Ints:
    """How many features each post has."""
    length = np.diff(folded.starts) - 1
    runs = sum(np.maximum(length - shorter, 0) for shorter in range(len(found.ngrams)))
    words = np.bincount(found.word_posts, minlength=len(length))
    made: Ints = runs + words
    return made
