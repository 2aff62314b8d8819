"""Reads a policy from TOML, whole or not at all, and never unjudged by the guard.

    name = "retail-privileges"
    version = 1
    context = "retail"
    base = 550
    range = [350, 950]
    purposes = ["https://w3id.org/dpv#PersonalisedBenefits"]
    no_score = "neutral"                    # the default, and the only answer that the guard lets pass

    [[bands]]
    name = "ordinary"
    from = 350                              # the first band begins where the range does

    [[kinds]]
    kind = "retail.order.returned"
    weight = -0.2                           # points for a value of 1 today
    half_life_days = 180                    # left out: does not fade
    expires_days = 730                      # left out: never expires
    floor = -60                             # left out: 0, it cannot lower the score
    cap = 0
    partner_cap = 60                        # the most that one partner can add or take
    reason = "Orders that you sent back"
    context = "retail"                      # left out: the policy's own
    evidence = "observed"                   # the default
    polarity = "both"                       # left out: reward if the floor is 0, else both

Points are given to the hundredth at most, so that reasons add up to the score exactly.
"""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import evolve

from sesame_sdk.errors import Misconfigured, Refused, Rejected
from sesame_sdk.guard.guard import Guard
from sesame_sdk.model.codec import policy_digest
from sesame_sdk.model.policy import Band, Policy, Weighting
from sesame_sdk.model.signal import Polarity
from sesame_sdk.scoring.policy_form import MOST_BYTES, KindEntry, PolicyForm, read_form
from sesame_sdk.scoring.scorecard import MOST_POINTS, hundredths

#: What a half-life or an expiry may last: a quarter of an hour to three lifetimes.
FEWEST_DAYS, MOST_DAYS = 0.01, 100_000.0


def load_policy(path: Path, guard: Guard | None = None) -> Policy:
    """Read, check and judge the policy in the file `path`; see `parse_policy`."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would keep us waiting
            raise Misconfigured("is not a file", field=str(path), mend="name a policy in TOML")
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1).decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        mend = "name a policy in TOML that you may read"
        raise Misconfigured(f"cannot be read: {reason}", field=str(path), mend=mend) from error
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8 at byte {error.start}"
        raise Misconfigured(reason, field=str(path), mend="save it as UTF-8") from error
    return parse_policy(text, guard, name=str(path))


def parse_policy(text: str, guard: Guard | None = None, *, name: str = "policy") -> Policy:
    """Read, check and judge a policy.

    Args:
        text: TOML, at most `MOST_BYTES`.
        guard: judges it; a guard of the built-in rules alone if none is given.
        name: what errors call the file.

    Returns:
        The policy with its digest, which depends on the rules and not on how the file is written.

    Raises:
        Misconfigured: naming file and key, and how to mend it.
        Refused: by the guard, with its findings.
    """
    policy = _policy(read_form(text, name), name)
    try:
        (guard or Guard()).admit_policy(policy)
    except Refused as refused:
        refused.field = name
        raise
    return policy


def _policy(form: PolicyForm, name: str) -> Policy:
    bands, weightings = [], []
    for at, entry in enumerate(form.bands):
        with _naming(f"{name}: bands[{at}]."):
            bands.append(Band(entry.name, _points("from", entry.start)))
    for at, kind in enumerate(form.kinds):
        with _naming(f"{name}: kinds[{at}]."):
            weightings.append(_weighting(kind, form.context))
    with _naming(f"{name}: "):
        policy = Policy(
            name=form.name,
            version=form.version,
            context=form.context,
            base=_points("base", form.base),
            low=_points("range", form.range[0]),
            high=_points("range", form.range[1]),
            # Sorted, so that the digest does not depend on the order in which the file tells them.
            bands=tuple(sorted(bands, key=lambda band: band.start)),
            weightings=tuple(sorted(weightings, key=lambda weighting: weighting.kind)),
            purposes=tuple(sorted(set(form.purposes))),
            no_score=form.no_score,
        )
    return evolve(policy, digest=policy_digest(policy))


def _weighting(entry: KindEntry, context: str) -> Weighting:
    return Weighting(
        kind=entry.kind,
        weight=_number("weight", entry.weight, -MOST_POINTS, MOST_POINTS),
        floor=_points("floor", entry.floor),
        cap=_points("cap", entry.cap),
        partner_cap=_points("partner_cap", entry.partner_cap),
        reason=entry.reason,
        context=context if entry.context is None else entry.context,
        evidence=entry.evidence,
        polarity=entry.polarity or (Polarity.BOTH if entry.floor < 0 else Polarity.REWARD),
        half_life_days=_days("half_life_days", entry.half_life_days),
        expires_days=_days("expires_days", entry.expires_days),
    )


def _points(key: str, number: float) -> float:
    points = _number(key, number, -MOST_POINTS, MOST_POINTS)
    if hundredths(points) / 100 != points:
        raise Rejected("must be whole hundredths", field=key, mend="write it with two decimals at most")
    return points


def _days(key: str, number: float | None) -> float | None:
    return None if number is None else _number(key, number, FEWEST_DAYS, MOST_DAYS)


def _number(key: str, number: float, least: float, most: float) -> float:
    if not least <= number <= most:  # so written that NaN fails
        raise Rejected("is out of range", field=key, mend=f"give a number from {least:g} to {most:g}")
    return number + 0.0  # of the two zeros, the positive one


@contextmanager
def _naming(where: str) -> Iterator[None]:
    """Errors of the nouns, as errors of the file that say where in it."""
    try:
        yield
    except Rejected as error:
        mend = error.mend or "mend the value"
        raise Misconfigured(error.message, field=f"{where}{error.field or ''}", mend=mend) from error
