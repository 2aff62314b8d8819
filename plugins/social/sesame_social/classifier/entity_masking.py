"""Names of states, parties, faiths, firms and places become one and the same sign before anything is judged.

So two posts that differ only in whom they name are the same to every head, whatever the heads have learned.
Other phrases are only noted: whether a post speaks of persons at all, in what manner it helps, and what
spam is made of (`tagging`).

Rules:
1. A phrase in Han stands anywhere; any other is a whole word or several.
2. The longest name counts, and names that touch are one name.
3. A thing (`THING`) and the people of a faith or a side (`PEOPLE`) keep two signs: to judge a party is not
   to judge its members.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np
from attrs import evolve, frozen

from sesame_social.classifier.feature_hashing import RollingHash, hash_words
from sesame_social.classifier.normalize import (
    DIGIT,
    HAN,
    LETTER,
    Bools,
    Hashes,
    Ints,
    NormalizedText,
    Units,
    character_classes,
    normalize,
)
from sesame_social.classifier.surface_features import Tags, find_patterns, select_tags

#: Signs that replace a name. Private use, so nobody's text has them but by design.
THING, PEOPLE = 0xE001, 0xE002
#: Signs that are only noted: persons spoken to or of, four manners of helping, words against prejudice,
#: coarse words, and those of them that speak of persons.
FLAGGED = PERSON, ADVICE, STEP, REASON, EXAMPLE, AGAINST, COARSE, INSULT = tuple(range(0xE010, 0xE018))
_AT = ord("@")
#: The longest phrase of words, in words.
_WORDS = 5
#: Han that speak of persons wherever they stand.
_PERSONS = np.frombuffer("人女男妈爹爷奶婆娘佬鬼狗婊逼屌奸贱妓".encode("utf-16-le"), dtype="<u2")


@frozen(eq=False)
class PhraseTable:
    """Phrases to be found, by hash alone.

    Attributes:
        hashes: of each phrase, sorted.
        signs: what each stands for, in the order of `hashes`.
        lengths: of the phrases that begin with a Han, in units, each once, longest first.
        starts: whether any phrase begins with a pair of units, by `_pairs`.
        tops: whether any hash begins with these 16 bits: spares most look-ups.
    """

    hashes: Hashes
    signs: Units
    lengths: Ints
    starts: Bools
    tops: Bools

    @classmethod
    def from_phrases(cls, phrases: Mapping[str, int]) -> "PhraseTable":
        """From phrases of two units or more, and their signs."""
        folded = {phrase: normalize([phrase]).units[1:-1] for phrase in phrases}
        hashed = {phrase: _whole(units) for phrase, units in folded.items()}
        order = sorted(phrases, key=lambda phrase: hashed[phrase])
        hashes = np.array([hashed[phrase] for phrase in order], dtype=np.uint64)
        starts, tops = np.zeros(1 << 16, dtype=bool), np.zeros(1 << 16, dtype=bool)
        starts[[_pairs(units)[0] for units in folded.values()]] = True
        tops[hashes >> np.uint64(48)] = True
        signs = np.array([phrases[phrase] for phrase in order], dtype=np.uint16)
        han = {len(units) for units in folded.values() if character_classes()[units[0]] == HAN}
        lengths = np.array(sorted(han, reverse=True), dtype=np.int64)
        return cls(hashes, signs, lengths, starts, tops)


@frozen(eq=False)
class MaskedText:
    """A batch with its names masked.

    Attributes:
        text: the batch, a sign in the place of each name.
        flags: of each sign, whether each post has it.
        tags: what spam is made of, and where.
    """

    text: NormalizedText
    flags: Mapping[int, Bools]
    tags: Tags


def mask_entities(folded: NormalizedText, phrases: PhraseTable) -> MaskedText:
    """Put signs in the place of names, and of each person that is written to by ``@``; note the rest."""
    begins, ends, signs = _found(folded.units, phrases)
    post = np.searchsorted(folded.starts, begins, side="right") - 1
    names = signs < PERSON
    covered = _covered(len(folded.units), begins[names], ends[names])
    noted = {}
    for sign in (THING, PEOPLE, *FLAGGED):
        noted[sign] = np.zeros(len(folded.starts) - 1, dtype=bool)
        noted[sign][post[signs == sign]] = True
    noted[PERSON] |= noted[INSULT] | _persons(folded)
    # What stands within a name is not read: of "he called me X", that is X.
    noted[COARSE][post[(signs == INSULT) & ~covered[begins]]] = True
    return MaskedText(
        _replaced(folded, begins[names], signs[names], covered), noted, select_tags(begins, signs, post)
    )


def _covered(size: int, begins: Ints, ends: Ints) -> Bools:
    """The units that some spans cover."""
    depth = np.cumsum(np.bincount(begins, minlength=size + 1) - np.bincount(ends, minlength=size + 1))[:size]
    made: Bools = depth > 0
    return made


def _replaced(folded: NormalizedText, begins: Ints, signs: Units, covered: Bools) -> NormalizedText:
    first = covered.copy()
    first[1:] &= ~covered[:-1]
    units = folded.units.copy()
    units[begins[::-1]] = signs[::-1]  # the longest came first: its sign is the one that stays
    return evolve(folded, units=units).select(~covered | first)


def _found(units: Units, phrases: PhraseTable) -> tuple[Ints, Ints, Units]:
    """Where phrases begin and end, the longest first, and their signs."""
    sums, starts = RollingHash(units), phrases.starts[_pairs(units)]
    places = np.flatnonzero(starts & (character_classes()[units] == HAN))
    found = [_addressed(units)]
    for length in phrases.lengths if len(places) else ():
        begins = places[: np.searchsorted(places, len(units) - length)]
        found.append(_known(begins, begins + length, sums, phrases))
    spoken = hash_words(units, sums)
    found.append(find_patterns(units, spoken))
    able = starts[spoken.begins]
    for more in range(min(_WORDS, len(able)) - 1, -1, -1):
        first = np.flatnonzero(able[: len(able) - more])
        found.append(_known(spoken.begins[first], spoken.ends[first + more], sums, phrases))
    return (
        np.concatenate([each[0] for each in found]),
        np.concatenate([each[1] for each in found]),
        np.concatenate([each[2] for each in found]),
    )


def _known(begins: Ints, ends: Ints, sums: RollingHash, phrases: PhraseTable) -> tuple[Ints, Ints, Units]:
    hashes = sums.hash_spans(begins, ends)
    maybe = np.flatnonzero(phrases.tops[hashes >> np.uint64(48)])
    at = np.minimum(np.searchsorted(phrases.hashes, hashes[maybe]), len(phrases.hashes) - 1)
    hit = phrases.hashes[at] == hashes[maybe]
    here = maybe[hit]
    return begins[here], ends[here], phrases.signs[at[hit]]


def _persons(folded: NormalizedText) -> Bools:
    places = np.flatnonzero(_is_person()[folded.units])
    made: Bools = np.diff(np.searchsorted(places, folded.starts)) > 0
    return made


@cache
def _is_person() -> Bools:
    table = np.zeros(1 << 16, dtype=bool)
    table[_PERSONS] = True
    return table


def _addressed(units: Units) -> tuple[Ints, Ints, Units]:
    """``@somebody``, from the sign to the end of the word."""
    sort = character_classes()[units]
    inside = (sort == LETTER) | (sort == DIGIT)
    begins = np.flatnonzero((units[:-1] == _AT) & inside[1:])
    outside = np.flatnonzero(~inside)
    ends = outside[np.searchsorted(outside, begins + 1)]
    return begins, ends, np.full(len(begins), PEOPLE, dtype=np.uint16)


def _pairs(units: Units) -> Units:
    """A number for each unit and the next one."""
    made = units * np.uint16(31)
    made[:-1] += units[1:] * np.uint16(257)
    return made


def _whole(units: Units) -> int:
    return int(RollingHash(units).hash_spans(np.array([0]), np.array([len(units)]))[0])
