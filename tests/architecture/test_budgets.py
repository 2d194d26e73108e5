from __future__ import annotations

import ast
import re
import tokenize
from typing import TYPE_CHECKING, Final

from tests.architecture.sources import PACKAGES, ROOT, tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODULE_LINES: Final = 350
FUNCTION_LINES: Final = 50
# longer ones, each with what makes it one thing
LONG_MODULES: Final = {
    "pipeline/embedded/clickhouse/allowlists.py": "names only, one list per kind of name of the engine",
    "tests/support/fakes.py": "the ledger in memory: one table and all that is asked of it",
    "tests/oracle/test_worked_examples.py": "the contract's worked examples, calculated by hand, in its order",
}
LONG_FUNCTIONS: Final = {
    "pipeline/cli/__init__.py build_app": "registers the commands, each with its help",
    "pipeline/worker/main.py _run": "the one place where a worker's parts are put together",
}
PATHS: Final = [path for package in (*PACKAGES, "tests") for path in sorted((ROOT / package).rglob("*.py"))]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def functions() -> Iterator[tuple[str, Function]]:
    for path in PATHS:
        for node in ast.walk(tree(path)):
            if isinstance(node, Function):
                yield f"{name_of(path)} {node.name}", node


def length(node: Function) -> int:
    """Return the lines of a function's body; its signature and its docstring are its contract."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return (node.end_lineno or node.lineno) - body[0].lineno + 1 if body else 0


def comments(path: Path) -> Iterator[tuple[int, str]]:
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


def all_comments() -> Iterator[tuple[str, str]]:
    for path in PATHS:
        yield from ((f"{name_of(path)}:{line}", comment) for line, comment in comments(path))


def test_modules_are_short_and_the_exceptions_are_needed() -> None:
    assert {name_of(path) for path in PATHS if lines_of(path) > MODULE_LINES} == set(LONG_MODULES)


def test_functions_are_short_and_the_exceptions_are_needed() -> None:
    assert {name for name, node in functions() if length(node) > FUNCTION_LINES} == set(LONG_FUNCTIONS)


def test_every_function_is_annotated() -> None:
    bare = []
    for name, node in functions():
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        given = [one for one in arguments if one is not None and one.arg not in {"self", "cls"}]
        if node.returns is None or any(one.annotation is None for one in given):
            bare.append(name)
    assert not bare


def test_nothing_is_left_to_do_in_a_comment() -> None:
    """An issue can be found and closed; a note in the code is read by whoever passes."""
    assert not [place for place, comment in all_comments() if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", comment)]


def test_every_suppression_says_why() -> None:
    reasoned = re.compile(r"#\s*(noqa: [A-Z0-9, ]+ - \S|type: ignore\[[\w, -]+\] # \S)")
    marks = [(place, comment) for place, comment in all_comments() if re.match(r"#\s*(noqa|type: ignore)", comment)]
    assert len(marks) > 50
    assert not [place for place, comment in marks if not reasoned.match(comment)]
