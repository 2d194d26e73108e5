"""Options that every command shares, and the settings they lead to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.settings import Settings


def named_directory(text: str | Path) -> Path:
    """Return the directory that an option names; an empty name, mostly an unset variable's, is not the current one."""
    if not str(text):
        raise typer.BadParameter("the directory has no name")
    if Path(text).is_file():
        raise typer.BadParameter(f"{text} is a file")
    return Path(text)


Data: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Talk to the instance that `roi up --embedded --data DIR` runs.",
        parser=named_directory,
    ),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def refuse_idle(given: Mapping[str, object], why: str) -> None:
    """Refuse options that nothing would heed: who gave them would believe that they have had their effect.

    Args:
        given: values by the names of the options; None = was not given.
        why: they have no effect, and what to give instead.

    Raises:
        typer.BadParameter: one of them was given.
    """
    for name, value in given.items():
        if value is not None:
            raise typer.BadParameter(why, param_hint=name)


def settings_for(data: Path | None) -> Settings:
    """Return the settings of a running instance, or of the environment when no directory is named."""
    from pipeline.settings import load_settings

    return load_settings(data)


def warn_of_unknown_settings() -> None:
    """Tell on stderr, where what runs for long has its log, which variables give no setting."""
    from pipeline.settings import unknown_settings

    for told in unknown_settings():
        typer.echo(f"warning: {told}", err=True)


def example(command: str) -> str:
    """Return the epilog of a command's help."""
    return f"Example:  [bold]{command}[/bold]"


def is_plain_terminal() -> bool:
    """Tell whether the environment asks for output without colour or movement (``TERM=dumb``, ``NO_COLOR``)."""
    return os.environ.get("TERM") == "dumb" or "NO_COLOR" in os.environ
