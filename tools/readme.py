"""The generated parts of README.md: each stands between two comments that name it."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

PATH: Final = Path(__file__).resolve().parent.parent / "README.md"


def with_section(page: str, name: str, content: str) -> str:
    """Return the page with ``content`` between its comments ``<!-- name: begin … -->`` and ``<!-- name: end -->``.

    Raises:
        ValueError: the comments are not there exactly once.
    """
    between = re.compile(rf"(<!-- {name}: begin[^\n]*-->\n).*?(<!-- {name}: end -->)", re.DOTALL)
    changed, count = between.subn(lambda found: f"{found[1]}\n{content}\n{found[2]}", page)
    if count != 1:
        raise ValueError(f"sections named {name!r} == {count}, must be 1")
    return changed


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n" for cells in lines)


def keep_section(module: str, name: str, render: Callable[[], str]) -> int:
    """Write or check one section, as the command line of ``module`` asks; return the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=f"The table of {name} in README.md.")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", action="store_true", help="write the table into README.md")
    action.add_argument("--check", action="store_true", help="only compare; exit code 1 where they differ")
    page = PATH.read_text(encoding="utf-8")
    wanted = with_section(page, name, render())
    if parser.parse_args().write:
        PATH.write_text(wanted, encoding="utf-8")
    elif page != wanted:
        sys.stderr.write(f"error: README.md has other {name} than the code; run: python -m {module} --write\n")
        return 1
    return 0
