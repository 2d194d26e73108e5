"""`python -m tools.command_table --write|--check`: the table of commands in README.md."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import typer

from pipeline.cli import build_app
from tools.readme import keep_section, table

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHOLE: Final = 1_000  # characters; click cuts a help line at 45 unless told otherwise


def render() -> str:
    """Return a row for each command, in the order of ``roi --help``."""
    return table(("Command", "What it does"), _rows(typer.main.get_command(build_app()), "roi"))


def _rows(command: Any, name: str) -> Iterator[tuple[str, str]]:
    parts = getattr(command, "commands", None)
    if parts is None:
        yield f"`{name}`", command.get_short_help_str(_WHOLE)
    else:
        for word, part in parts.items():
            yield from _rows(part, f"{name} {word}")


if __name__ == "__main__":
    sys.exit(keep_section("tools.command_table", "commands", render))
