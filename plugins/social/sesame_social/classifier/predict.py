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
    Masked,
    masked,
)
from sesame_social.classifier.feature_hashing import Features, features
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
from sesame_social.classifier.normalize import LONGEST, Bools, Floats, Folded, Ints, Weights, fold
from sesame_social.classifier.surface_features import form, scripts

#: What posts are: comments under what others made, messages to somebody, or not known.
Kind: TypeAlias = Literal["any", "comment", "message"]
KINDS: tuple[Kind, ...] = get_args(Kind)
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
class Judged:
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


def judge(texts: Sequence[str], model: Model, kind: Kind = "any") -> Judged:
    """Judge posts. No text raises, however odd; of a very long one the first 10,000 characters count.

    Args:
        texts: what was written.
        model: what was learned.
        kind: what all of them are, where the platform knows it; for spam alone.

    Raises:
        InvalidInputError: there is no such kind.
    """
    if kind not in KINDS:
        raise InvalidInputError(f"must be one of {', '.join(KINDS)}", field="kind")
    parts = [_batch(texts[begin:end], model, kind) for begin, end in _batches(texts)]
    if not parts:
        parts = [_batch([], model, kind)]
    names = Judged.__annotations__
    return Judged(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _batches(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    weight = accumulate(min(len(text), LONGEST) + 1 for text in texts)
    for _, group in groupby(enumerate(weight), key=lambda one: one[1] // _BATCH):
        places = [place for place, _ in group]
        yield places[0], places[-1] + 1


def _batch(texts: Sequence[str], model: Model, kind: Kind) -> Judged:
    folded = fold(texts)
    found = masked(folded, model.phrases)
    looks = form(folded, found.tags, found.noted[COARSE])
    latin, han = scripts(found.folded)
    needed = [*_SPAM[kind], *[CHINESE] * bool(han.any()), *[ENGLISH, HATE] * bool((latin > 2 * han).any())]
    chance = 1 / (1 + np.exp(-scores(found.folded, looks, model, needed)))
    spam = _spam(chance, kind) * ((latin + han) > 0)
    return _judged(found, spam, spam >= model.thresholds[_LIMIT[kind]], chance, (latin, han), model)


def _spam(chance: Floats, kind: Kind) -> Floats:
    as_comment = chance[KIND] if kind == "any" else np.float64(kind == "comment")
    made: Floats = as_comment * chance[COMMENT] + (1 - as_comment) * chance[MESSAGE]
    return made


def _judged(
    found: Masked, spam: Floats, spammy: Bools, chance: Floats, letters: tuple[Ints, Ints], model: Model
) -> Judged:
    noted = found.noted
    latin, han = letters
    english, chinese = latin > 2 * han, han >= 2
    meant = noted[PEOPLE] | noted[PERSON]
    abuse = np.maximum(chance[ENGLISH] * english, chance[CHINESE] * chinese)
    abuse[~meant] = np.minimum(abuse[~meant], _NOBODY)
    limit = np.where(noted[AGAINST], np.maximum(model.thresholds[:, None], _WARY), model.thresholds[:, None])
    sure = chance >= limit
    past = ((sure[ENGLISH] & english) | (sure[CHINESE] & chinese)) & meant
    manners = np.sum([noted[sign] for sign in (ADVICE, STEP, REASON, EXAMPLE)], axis=0)
    helps = (manners >= HELPFUL_MANNERS) & (np.diff(found.folded.posts) > HELPFUL_LENGTH)
    doubtful = spammy | past | noted[THING] | noted[PEOPLE]
    hate = chance[ENGLISH] * english * chance[HATE]
    return Judged(spam, abuse, hate, spammy, past, helps & ~doubtful)


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
