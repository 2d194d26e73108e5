"""The source files as syntax trees: which module imports which, and when."""

from __future__ import annotations

import ast
import gc
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("agents", "bench", "dashboards", "examples", "pipeline", "schemas", "tools")


class Import(NamedTuple):
    """One module that another imports; ``at_run_time`` is false under TYPE_CHECKING."""

    module: str
    at_run_time: bool


@cache
def modules() -> Mapping[str, Path]:
    """Return every module of the application and its tools by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(path: Path) -> ast.Module:
    # CPython 3.11 takes the frames of a collection's callback, such as Hypothesis has, for the parser's own
    gc.disable()
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    finally:
        gc.enable()


@cache
def imports(module: str) -> frozenset[Import]:
    """Return what a module imports of `modules`, in functions too, for those come at run time as well."""
    found = _imports(tree(modules()[module]), at_run_time=True)
    return frozenset(one for one in found if one.module in modules() and one.module != module)


def _imports(node: ast.AST, *, at_run_time: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(alias.name, at_run_time) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            yield Import(whole if whole in modules() else str(node.module), at_run_time)
    elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        for statement in node.body:
            yield from _imports(statement, at_run_time=False)
        for statement in node.orelse:
            yield from _imports(statement, at_run_time=at_run_time)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _imports(child, at_run_time=at_run_time)


def folder(module: str) -> str:
    """Return the room that a module stands in; one that stands beside the pipeline's folders is its own."""
    parent = module.rpartition(".")[0]
    return module if parent == "pipeline" or modules()[module].name == "__init__.py" else parent


def circles(arrows: Mapping[str, set[str]]) -> list[list[str]]:
    """Return every set of names that reach each other, each set once and sorted."""
    reached = {name: _reached(arrows, name) for name in arrows}
    found = {frozenset({name} | {other for other in reached[name] if name in reached[other]}) for name in arrows}
    return sorted(sorted(circle) for circle in found if len(circle) > 1)


def _reached(arrows: Mapping[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    open_ends = [start]
    while open_ends:
        more = arrows[open_ends.pop()] - found
        found |= more
        open_ends.extend(more)
    return found
