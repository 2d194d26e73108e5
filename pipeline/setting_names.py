"""Settings and the variables that give them: which one is at fault, and which gives no setting at all. Pure."""

from __future__ import annotations

import re
from difflib import get_close_matches
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_origin

from pydantic import BaseModel

from pipeline.errors import UserError
from pipeline.secret_files import SUFFIX, secret_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic_settings import SettingsError

PREFIX: Final = "ROI_"
_NESTED: Final = "__"
# read by what surrounds the application: its tests and measurements, the endpoint, deploy/
_OTHERS: Final = (
    *("ROI_TEST_", "ROI_FAULT_", "ROI_FUZZ_", "ROI_PROPERTY_", "ROI_BENCH_"),
    *("ROI_ENDPOINT_", "ROI_KAFKA_LIBS", "ROI_HEALTHY_ASKS"),
)
_QUOTED: Final = re.compile(r'"([^"]*)"')
_ALIKE: Final = 0.75
_OF_A_KEY: Final = "[key]"  # pydantic's, behind the key itself


class Place(NamedTuple):
    """Where a value is wrong: the variable that gives it, and what of its content, '' = all of it."""

    variable: str
    within: str


def place_of(model: type[BaseModel], location: Sequence[int | str], environment: Mapping[str, str]) -> Place:
    """Return where to correct what pydantic found at a location.

    A map or a list is one variable, however deep in it the fault lies, unless the environment gives a part of it by a
    longer name. A name that no group has is a variable's as well: somebody set it.
    """
    group: type[BaseModel] | None = model
    depth = 0
    while group is not None and depth < len(location):
        group = _group(group, str(location[depth]))
        depth += 1
    given = {name.upper() for name in environment}
    # the longest name that is set, down to that of a whole group; the setting's own where none is, as in roi.toml
    for end in (*range(len(location), depth - 1, -1), *range(depth - 1, 0, -1)):
        variable = _variable(location[:end])
        for each in (variable, variable + SUFFIX):
            if each in given:
                return Place(each, _words(location[end:]))
    return Place(_variable(location[:depth]), _words(location[depth:]))


def no_json(error: SettingsError, environment: Mapping[str, str]) -> UserError:
    """Return the user's error for what the environment's source could not read; the text itself may be a secret."""
    field, cause = _QUOTED.search(str(error)), error.__cause__
    if field is None or not isinstance(cause, JSONDecodeError):
        return UserError(f"a setting is not valid JSON: {error}", "lists and tables are written as JSON")
    variable = _unreadable(field[1], cause.doc, environment)
    where = f"{cause.msg} at character {cause.pos + 1}"
    return UserError(
        f"setting {variable}: not valid JSON ({where})", f"write {variable} as JSON: a list [] or a map {{}}"
    )


def unknown_variables(model: type[BaseModel], environment: Mapping[str, str]) -> list[str]:
    """Return the variables that look like settings and are none.

    Unknown names within a group are refused when the settings are read, so only whole groups are looked at.
    """
    files = {_variable(path) + SUFFIX for path in secret_fields(model)}
    tops = {_variable((name,)): _is_divided(field.annotation) for name, field in model.model_fields.items()}
    unknown = []
    for name in sorted(environment):
        top, nested, _ = name.upper().partition(_NESTED)
        is_known = name.upper() in files or (top in tops and (tops[top] or not nested))
        if top.startswith(PREFIX) and not is_known and not top.startswith(_OTHERS):
            unknown.append(name)
    return unknown


def unknown_words(model: type[BaseModel], name: str) -> str:
    """Return what is said of a name that no setting has: which one is most like it, if any is."""
    names = [*_variables(model), *(_variable(path) + SUFFIX for path in secret_fields(model))]
    nearest = get_close_matches(name.upper(), names, 1, _ALIKE)
    return "no setting has this name" + "".join(f", did you mean {each}?" for each in nearest)


def _unreadable(field: str, text: str, environment: Mapping[str, str]) -> str:
    """Return the variable of a field, or of a part of it, that holds a text which is no JSON."""
    top = _variable((field,))
    given = [
        name.upper()
        for name, value in environment.items()
        if value == text and (name.upper() == top or name.upper().startswith(f"{top}{_NESTED}"))
    ]
    return min(given, default=top)


def _group(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    field = model.model_fields.get(name)
    kind: Any = None if field is None else field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _is_divided(annotation: Any) -> bool:
    """Tell whether parts of a setting have variables of their own."""
    is_group = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return is_group or get_origin(annotation) is dict


def _variables(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[str]:
    for name in model.model_fields:
        group = _group(model, name)
        if group is None:
            yield _variable((*path, name))
        else:
            yield from _variables(group, (*path, name))


def _variable(path: Sequence[int | str]) -> str:
    return PREFIX + _NESTED.join(str(part) for part in path).upper()


def _words(rest: Sequence[int | str]) -> str:
    """Return where within a variable's value a fault lies, entries of a list counted from 1."""
    words = ".".join(f"entry {part + 1}" if isinstance(part, int) else part for part in rest if part != _OF_A_KEY)
    if not rest or rest[-1] != _OF_A_KEY:
        return words
    return f"the name {words!r}" if words else "the end of its name"
