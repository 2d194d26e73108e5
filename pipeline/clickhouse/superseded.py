"""What a new database can do without of the migrations: views that later ones replace, unused until then. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_ANEW: Final = "CREATE OR REPLACE VIEW"
_VIEW: Final = re.compile(rf"(?:\s|--[^\n]*\n)*{_ANEW} \{{database\}}\.(\w+)")
# a Merge table names what it reads by a pattern
_PATTERNS: Final = re.compile(r"\bmerge\s*\(", re.IGNORECASE)


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

    Such a statement makes a view that a later one makes anew, and none between them names it. They are a third of all
    statements, and a new database waits for each.
    """
    left_out: set[int] = set()
    while found := _unused(statements, left_out):  # what only a view without use has named is without use itself
        left_out |= found
    return left_out


def _unused(statements: Sequence[str], left_out: set[int]) -> set[int]:
    unused: set[int] = set()
    replaced: dict[str, int] = {}  # the views that are made further on, where nothing between here and there names them
    for place in reversed(range(len(statements))):
        if place in left_out:
            continue
        statement = statements[place]
        made = _VIEW.match(statement)
        name = made[1] if made else None
        if name in replaced:
            unused.add(place)
        else:
            named = set(re.findall(r"\{database\}\.(\w+)", statement))
            replaced = (
                {} if _PATTERNS.search(statement) else {each: at for each, at in replaced.items() if each not in named}
            )
        if name is not None:
            replaced[name] = place
    return unused
