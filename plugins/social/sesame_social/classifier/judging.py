"""Posts in, verdicts out: thousands at a time, and nothing is kept.

Rules:
1. A verdict is a suspicion for a moderator, or a kindness; it is never a signal that lowers anything.
2. What somebody thinks is no matter of ours: a post that speaks of no person, and so of institutions at
   most, is never called abuse, and none that names an institution is ever called helpful.
3. A script that a head did not learn is not judged by it.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, groupby

import numpy as np
from attrs import frozen

from sesame_social.classifier.arrays import Bools, Floats, Ints, Weights
from sesame_social.classifier.folding import LONGEST, Folded, fold
from sesame_social.classifier.form import form, scripts
from sesame_social.classifier.hashing import Features, features
from sesame_social.classifier.masking import (
    ADVICE,
    EXAMPLE,
    PEOPLE,
    PERSON,
    REASON,
    STEP,
    THING,
    Masked,
    masked,
)
from sesame_social.classifier.model import BITS, CHINESE, ENGLISH, HATE, HEADS, SPAM, Model

#: Characters taken at a time: what numpy makes of them stays in the processor's cache.
_BATCH = 1 << 16
#: A helpful post has at least so many units, and shows at least so many manners of helping.
HELPFUL_LENGTH, HELPFUL_MANNERS = 60, 2
#: The most that the probability of abuse can be where no person is spoken of.
_NOBODY = 0.4


@frozen(eq=False)
class Judged:
    """What a batch of posts was found to be; one entry a post.

    Attributes:
        spam: probability of spam or a scam.
        abuse: probability of abuse of people; 0.4 at most where no person is spoken of.
        hate: probability of hate, where the abuse is English; part of `abuse`.
        suspected_spam: whether `spam` is past its threshold.
        suspected_abuse: whether `abuse` is.
        helpful: whether it helps by its form. No probability: it is a rule.
    """

    spam: Floats
    abuse: Floats
    hate: Floats
    suspected_spam: Bools
    suspected_abuse: Bools
    helpful: Bools


def judge(texts: Sequence[str], model: Model) -> Judged:
    """Judge posts. No text raises, however odd; of a very long one the first 10,000 characters count."""
    parts = [_batch(texts[begin:end], model) for begin, end in _batches(texts)]
    if not parts:
        parts = [_batch([], model)]
    names = Judged.__annotations__
    return Judged(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _batches(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    weight = accumulate(min(len(text), LONGEST) + 1 for text in texts)
    for _, group in groupby(enumerate(weight), key=lambda one: one[1] // _BATCH):
        places = [place for place, _ in group]
        yield places[0], places[-1] + 1


def _batch(texts: Sequence[str], model: Model) -> Judged:
    folded = fold(texts)
    found = masked(folded, model.phrases)
    looks = form(folded)
    latin, han = scripts(found.folded)
    needed = [SPAM, *[CHINESE] * bool(han.any()), *[ENGLISH, HATE] * bool((latin > 2 * han).any())]
    sums = scores(found.folded, looks, model, needed)
    return _judged(found, 1 / (1 + np.exp(-sums)), latin, han, model)


def _judged(found: Masked, chance: Floats, latin: Ints, han: Ints, model: Model) -> Judged:
    limit, noted = model.thresholds, found.noted
    english, chinese = latin > 2 * han, han >= 2
    meant = noted[PEOPLE] | noted[PERSON]
    abuse = np.maximum(chance[ENGLISH] * english, chance[CHINESE] * chinese)
    abuse[~meant] = np.minimum(abuse[~meant], _NOBODY)
    past = ((chance[ENGLISH] >= limit[ENGLISH]) & english) | ((chance[CHINESE] >= limit[CHINESE]) & chinese)
    past &= meant
    some = (latin + han) > 0
    spammy = (chance[SPAM] >= limit[SPAM]) & some
    manners = np.sum([noted[sign] for sign in (ADVICE, STEP, REASON, EXAMPLE)], axis=0)
    helps = (manners >= HELPFUL_MANNERS) & (np.diff(found.folded.posts) > HELPFUL_LENGTH)
    doubtful = spammy | past | noted[THING] | noted[PEOPLE]
    hate = chance[ENGLISH] * english * chance[HATE]
    return Judged(chance[SPAM] * some, abuse, hate, spammy, past, helps & ~doubtful)


def scores(folded: Folded, looks: Floats, model: Model, heads: Sequence[int] = HEADS) -> Floats:
    """One row a head, one column a post: what they add up to. Heads not asked for mean nothing."""
    found = features(folded, BITS)
    size = np.sqrt(np.maximum(counts(found, folded), 1))
    made = looks @ model.form.T + model.bias
    for head in heads:
        made[:, head] += _sums(model.weights[head], found, folded) * model.steps[head] / size
    return made.T


def _sums(table: Weights, found: Features, folded: Folded) -> Ints:
    """What one head's weights add up to, of each post."""
    here = table.take(found.runs[0]).astype(np.int32)
    for run in found.runs[1:]:
        here += table.take(run)
    before = np.zeros(len(here) + 1, dtype=np.int64)
    np.cumsum(here, out=before[1:])
    worded = np.bincount(found.word_posts, table.take(found.words), minlength=len(folded.posts) - 1)
    made: Ints = before[folded.posts[1:] - 1] - before[folded.posts[:-1]] + worded.astype(np.int64)
    return made


def counts(found: Features, folded: Folded) -> Ints:
    """How many features each post has."""
    length = np.diff(folded.posts) - 1
    runs = sum(np.maximum(length - shorter, 0) for shorter in range(len(found.runs)))
    words = np.bincount(found.word_posts, minlength=len(length))
    made: Ints = runs + words
    return made
