"""What is wrong with the form of a policy file, in words: a key too many, one too few, a value of no use.

`msgspec` finds the fault and says it in terms of types; here it is said in terms of the file.
"""

import re
import typing
from difflib import get_close_matches
from enum import Enum
from typing import Any

import msgspec

from sesame_sdk.errors import ConfigurationError
from sesame_sdk.scoring.policy_file.locations import PolicyText
from sesame_sdk.scoring.policy_file.toml_lines import Path

_WITH_PATH = re.compile(r"(?P<what>.*) - at `\$\.?(?P<where>.*)`", re.DOTALL)
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<key>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<key>\w+)`")
_OF_TYPE = re.compile(r"Expected `(?P<wanted>[a-z |]+)`, got `(?P<got>[a-z]+)`")
_WORDS = {
    "float": "a number",
    "int": "a whole number",
    "str": "a text in quotes",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}
_SEE_FORM = "see the form in sesame_sdk.scoring.policy_file.loader"
#: What to write where a key is missing.
_EXAMPLES = {
    "name": 'name = "retail-privileges"',
    "version": "version = 1",
    "context": 'context = "retail"',
    "base": "base = 550",
    "range": "range = [350, 950]",
    "bands": '[[bands]] with name = "ordinary" and from = 350',
    "kinds": "[[kinds]] with a kind, its weight, cap, partner_cap and reason",
    "from": "from = 350",
    "kind": 'kind = "retail.order.completed"',
    "unit": 'unit = "order"; it says what a value of 1 means',
    "weight": "weight = 4; so many points for a value of 1 today",
    "cap": "cap = 120; the most that all signals of the kind add",
    "partner_cap": "partner_cap = 60; the most that one partner adds or takes",
    "reason": 'reason = "Orders that you kept"; people read it beside the points',
}


def explained(
    error: msgspec.ValidationError, form: type[msgspec.Struct], file: PolicyText
) -> ConfigurationError:
    """The error of the file that `error` is, found where `form` was read from it."""
    located = _WITH_PATH.fullmatch(str(error))
    what, where = (located["what"], located["where"]) if located else (str(error), "")
    path: Path = tuple(int(at) if at else key for at, key in _STEP.findall(where))
    if unknown := _UNKNOWN.fullmatch(what):
        key = unknown["key"]
        return file.fault((*path, key), "is not a key of a policy", _instead(key, form, path))
    if missing := _MISSING.fullmatch(what):
        key = missing["key"]
        return file.fault((*path, key), "is missing", f"add {_EXAMPLES.get(key, key)}")
    return file.fault(path, *_value(what, form, path))


def _value(what: str, form: type[msgspec.Struct], path: Path) -> tuple[str, str]:
    kind = _type_at(form, path)
    if what.startswith("Invalid enum value") and isinstance(kind, type) and issubclass(kind, Enum):
        return (
            "is none of the values that it may have",
            f"write one of: {', '.join(each.value for each in kind)}",
        )
    if of_type := _OF_TYPE.fullmatch(what):
        wanted, got = (_WORDS.get(word.split(" | ")[0], word) for word in of_type.groups())
        return f"must be {wanted}, not {got}", _SEE_FORM
    return what[:200], _SEE_FORM


def _instead(key: str, form: type[msgspec.Struct], path: Path) -> str:
    """What somebody who wrote `key` may have meant."""
    own = _keys(_type_at(form, path))
    if path and key in _keys(form):
        return f"{key} is a key of the whole policy: write it above the first [[...]]"
    if not path and (tables := [name for name in _keys(form) if key in _keys(_type_at(form, (name, 0)))]):
        return f"{key} belongs under [[{tables[0]}]]"
    if close := get_close_matches(key, own, n=1):
        return f"did you mean {close[0]}?"
    return "correct the key's name or take it out"


def _keys(kind: object) -> list[str]:
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return []
    return [field.encode_name for field in msgspec.structs.fields(kind)]


def _type_at(form: object, path: Path) -> Any:  # noqa: ANN401 - whatever the form says
    """The type that the form has for a path: of lists that of their members, without None."""
    for step in path:
        if isinstance(step, str):
            fields = msgspec.structs.fields(form) if _keys(form) else ()  # type: ignore[arg-type]
            form = next((field.type for field in fields if field.encode_name == step), None)
        else:
            form = next(iter(typing.get_args(form)), None)
        given = [each for each in typing.get_args(form) if each is not type(None)]
        if len(given) == 1 and typing.get_origin(form) is not list:
            form = given[0]
    return form
