"""Reads a population from TOML: these keys and no others. Everything that is left out has its default.

people = 100000
seed = 1
days = 365
income = 2000                 # median for a month, in the policy's money
income_spread = 0.5           # standard deviation of its logarithm
rationality = 30              # how strongly people answer to points

[[groups]]                    # the names stand for nobody
name = "group A"
share = 0.6
income = 1.0                  # what its income is multiplied by

[correlation]                 # -1 to 1; above 0, the groups named first have more
income = 0.0
engagement = 0.0
reliability = 0.0

[[markets]]
context = "retail"            # left out: every context that has no entry
shares = [0.5, 0.3, 0.2]      # of each partner
adoption = 0.8                # share of the people who let a partner send

[leak]                        # 0 to 1: how much a free choice goes along with what is rewarded
writing = 0.0
goods = 0.0
meeting = 0.0
"""

import re
import stat
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from sesame_sdk.audit.simulation.population import Correlation, Group, Leak, Market, Population
from sesame_sdk.constants import MAX_TOML_DOTS_PER_LINE
from sesame_sdk.errors import ConfigurationError, InvalidInputError

MOST_BYTES = 64 * 1024

_WITH_PATH = re.compile(r"(?P<what>.*) - at `\$\.?(?P<where>.*)`", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<key>.*)`", re.DOTALL)

T = TypeVar("T")


class GroupEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A table under ``[[groups]]``."""

    name: str
    share: float
    income: float = 1.0


class CorrelationEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The table ``[correlation]``."""

    income: float = 0.0
    engagement: float = 0.0
    reliability: float = 0.0


class MarketEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A table under ``[[markets]]``."""

    context: str = ""
    shares: tuple[float, ...] = (0.5, 0.3, 0.2)
    adoption: float = 0.8


class LeakEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The table ``[leak]``."""

    writing: float = 0.0
    goods: float = 0.0
    meeting: float = 0.0


class PopulationForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The whole file."""

    people: int | None = None
    seed: int | None = None
    days: int | None = None
    groups: list[GroupEntry] | None = None
    income: float | None = None
    income_spread: float | None = None
    correlation: CorrelationEntry | None = None
    markets: list[MarketEntry] | None = None
    leak: LeakEntry | None = None
    rationality: float | None = None


def load_population(path: Path) -> Population:
    """Read and check the population in the file `path`; see `parse_population`."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would keep us waiting
            raise ConfigurationError("is not a file", field=str(path), hint="name a population in TOML")
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1).decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        hint = "name a population in TOML that you may read"
        raise ConfigurationError(f"cannot be read: {reason}", field=str(path), hint=hint) from error
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8 at byte {error.start}"
        raise ConfigurationError(reason, field=str(path), hint="save it as UTF-8") from error
    return parse_population(text, name=str(path))


def parse_population(text: str, *, name: str = "population") -> Population:
    """Read and check a population.

    Args:
        text: TOML, at most `MOST_BYTES`.
        name: what errors call the file.

    Raises:
        ConfigurationError: naming file and key, and how to mend it.
    """
    form = _form(text, name)
    made: dict[str, object] = {
        key: value
        for key in ("people", "seed", "days", "income", "income_spread", "rationality")
        if (value := getattr(form, key)) is not None
    }
    for key, entries, noun in (("groups", form.groups, Group), ("markets", form.markets, Market)):
        if entries is not None:
            nouns = [_noun(f"{name}: {key}[{at}].", noun, each) for at, each in enumerate(entries)]
            made[key] = tuple(nouns)
    for key, entry, one in (("correlation", form.correlation, Correlation), ("leak", form.leak, Leak)):
        if entry is not None:
            made[key] = _noun(f"{name}: {key}.", one, entry)
    with _naming(f"{name}: "):
        return Population(**made)  # type: ignore[arg-type]  # the form is the nouns' own


def _noun(where: str, noun: Callable[..., T], entry: msgspec.Struct) -> T:
    with _naming(where):
        return noun(**msgspec.structs.asdict(entry))


def _form(text: str, name: str) -> PopulationForm:
    if len(text) > MOST_BYTES or len(text.encode(errors="replace")) > MOST_BYTES:
        hint = f"keep it under {MOST_BYTES // 1024} KiB"
        raise ConfigurationError("is too long for a population", field=name, hint=hint)
    for number, line in enumerate(text.splitlines(), start=1):
        if line.count(".") > MAX_TOML_DOTS_PER_LINE:
            raise ConfigurationError(
                "has too many dots", field=f"{name}, line {number}", hint="shorten the line"
            )
    try:
        return msgspec.convert(tomllib.loads(text), PopulationForm, strict=True)
    except RecursionError as error:
        raise ConfigurationError("is nested too deeply", field=name, hint="it is two tables deep") from error
    except msgspec.ValidationError as error:
        raise _located(str(error), name) from error
    except ValueError as error:  # TOMLDecodeError, or a number beyond what Python reads
        raise ConfigurationError(
            f"is not TOML: {error}", field=name, hint="mend the line it names"
        ) from error


def _located(message: str, name: str) -> ConfigurationError:
    """What msgspec said, as an error that names file, key and what to do."""
    found = _WITH_PATH.fullmatch(message)
    what, where = (found["what"], found["where"]) if found else (message, "")
    unknown = _UNKNOWN.fullmatch(what)
    if unknown:
        where, what = ".".join(filter(None, (where, unknown["key"][:60]))), "is not a key of a population"
    hint = "see the form in sesame_sdk.audit.simulation.population_file"
    return ConfigurationError(what[:200], field=f"{name}: {where}" if where else name, hint=hint)


@contextmanager
def _naming(where: str) -> Iterator[None]:
    """Errors of the nouns, as errors of the file that say where in it."""
    try:
        yield
    except InvalidInputError as error:
        hint = error.hint or "mend the value"
        raise ConfigurationError(error.message, field=f"{where}{error.field or ''}", hint=hint) from error
