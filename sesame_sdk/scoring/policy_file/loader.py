"""Reads a policy from TOML, whole or not at all, and never unjudged by the guard.

    name = "retail-privileges"
    version = 1
    context = "retail"
    aim = "Small privileges for customers whose orders go well"
    base = 550
    range = [350, 950]
    purposes = ["https://w3id.org/dpv#PersonalisedBenefits"]
    disputes = "https://shop.example/disputes"  # where a person says that a signal is wrong

    [[bands]]
    name = "ordinary"
    from = 350                              # the first band begins where the range does

    [[effects]]                             # what follows; none, if left out
    name = "Free express delivery"
    from = "very good"                      # a band; or below = "..."
    consequence = "benefit"                 # the default; or review, limit, suspension, ban
    decides = "score"                       # the default; or person, who may overturn it
    price_percent = 0                       # below 0 is a discount; then say disclosed = true

    [[kinds]]
    kind = "retail.order.returned"
    unit = "GBP"
    categories = ["https://w3id.org/dpv/pd#Purchase"]
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
    severity = "minor"                       # the default; or serious, grave: how grave the conduct is
    effort = 1                              # what one more takes a person; left out: only time helps
    code = "R2"                             # reason code; left out: the kind's name

Further keys say the terms (`model.terms`): visibility, default_on, mandatory, bundled, no_score, reshare,
minimum_age, disputed_count and the table ``[ranking]`` with parameters and other_order. Their defaults
are what the guard lets pass. A kind may also have sensitivity, conduct, sources, title and description
(`model.signal`).

A key that is not listed is an error, so that a typo cannot switch a rule off; errors and findings say the
line (`policy_lines`).

Points are given to the hundredth at most, so that reasons add up to the score exactly.
"""

import stat
from pathlib import Path

from sesame_sdk.errors import ConfigurationError, GuardRefusedError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.model.policy import Policy
from sesame_sdk.scoring.policy_file.builder import to_policy
from sesame_sdk.scoring.policy_file.locations import PolicyText, finding_lines
from sesame_sdk.scoring.policy_file.schema import MOST_BYTES, read_form


def load_policy(path: Path, guard: Guard | None = None) -> Policy:
    """Read, check and judge the policy in the file `path`; see `parse_policy`."""
    return parse_policy(read_text(path), guard, name=str(path))


def read_text(path: Path) -> str:
    """The text of a policy file, of at most about `MOST_BYTES`.

    Raises:
        ConfigurationError: naming the file.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would keep us waiting
            raise ConfigurationError("is not a file", field=str(path), hint="name a policy in TOML")
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1).decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        hint = "name a policy in TOML that you may read"
        raise ConfigurationError(f"cannot be read: {reason}", field=str(path), hint=hint) from error
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8 at byte {error.start}"
        raise ConfigurationError(reason, field=str(path), hint="save it as UTF-8") from error


def parse_policy(text: str, guard: Guard | None = None, *, name: str = "policy") -> Policy:
    """Read, check and judge a policy.

    Args:
        text: TOML, at most `MOST_BYTES`.
        guard: judges it; a guard of the built-in rules alone if none is given.
        name: what errors call the file.

    Returns:
        The policy with its digest, which depends on the rules and not on how the file is written.

    Raises:
        ConfigurationError: naming file, line and key, and how to mend it.
        GuardRefusedError: by the guard, with its findings and their lines.
    """
    file = PolicyText(name, text)
    policy = to_policy(read_form(file), file)
    try:
        (guard or Guard()).admit_policy(policy)
    except GuardRefusedError as refused:
        refused.field = name
        refused.lines = finding_lines(text, refused.findings)
        raise
    return policy
