"""What a new database can do without of the migrations: what later ones replace or drop, unused until then. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_ANEW: Final = "CREATE OR REPLACE VIEW"
_LEAD: Final = r"(?:\s|--[^\n]*\n)*"
_VIEW: Final = re.compile(rf"{_LEAD}{_ANEW} \{{database\}}\.(\w+)")
_MADE: Final = re.compile(
    rf"{_LEAD}(?:{_ANEW}|CREATE MATERIALIZED VIEW IF NOT EXISTS|CREATE TABLE IF NOT EXISTS|ALTER TABLE) "
    r"\{database\}\.(\w+)"
)
_DROPPED: Final = re.compile(rf"{_LEAD}DROP (?:TABLE|VIEW) IF EXISTS \{{database\}}\.(\w+)")
# a Merge table names what it reads by a pattern
_PATTERN: Final = re.compile(r"\bmerge\s*\((?:\s*'[^']*'\s*,\s*'([^']*)')?", re.IGNORECASE)


def for_new_database(statements: Sequence[str]) -> list[str]:
    """Return what makes of an empty database what all statements would.

    Where a view is replaced, ClickHouse makes it under another name, exchanges the two and drops one, even if there is
    none: three times as much as to make it.
    """
    left_out = superseded(statements)
    made: set[str] = set()
    needed = []
    for place, statement in enumerate(statements):
        if place in left_out:
            continue
        view = _VIEW.match(statement)
        is_first = view is not None and view[1] not in made
        needed.append(statement.replace(_ANEW, "CREATE VIEW", 1) if is_first else statement)
        made |= {view[1]} if view else set()
    return needed


def superseded(statements: Sequence[str]) -> set[int]:
    """Return the places of statements that change nothing in the end, if all are run in order on an empty database.

    Such a statement makes a view that a later one makes anew, or makes or alters what a later one drops, and none
    between them names it. They are a third of all statements, and a new database waits for each.
    """
    left_out: set[int] = set()
    while found := _unused(statements, left_out):  # what only a view without use has named is without use itself
        left_out |= found
    return left_out


def _unused(statements: Sequence[str], left_out: set[int]) -> set[int]:
    unused: set[int] = set()
    replaced: set[str] = set()  # what is made anew or dropped further on, where nothing between here and there names it
    for place in reversed(range(len(statements))):
        if place in left_out:
            continue
        statement = statements[place]
        made, ended = _MADE.match(statement), _VIEW.match(statement) or _DROPPED.match(statement)
        if made is not None and made[1] in replaced:
            unused.add(place)
        else:
            replaced -= _named(statement, replaced)
        if ended is not None:
            replaced.add(ended[1])
    return unused


def _named(statement: str, names: set[str]) -> set[str]:
    """Return those of the names that a statement uses."""
    patterns = [found[1] for found in _PATTERN.finditer(statement)]
    if None in patterns:  # a Merge table that reads who knows what
        return names
    by_pattern = {name for name in names if any(re.search(pattern, name) for pattern in patterns)}
    return by_pattern.union(re.findall(r"\{database\}\.(\w+)", statement))
