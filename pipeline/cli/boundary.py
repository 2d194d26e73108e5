"""The one place where errors become a line on stderr and an exit code (contract section 7)."""

from __future__ import annotations

import sys
from typing import Any, Final, NoReturn

import typer
from typer.core import TyperGroup

from pipeline.errors import PipelineError

FAILED: Final = 1
INTERRUPTED: Final = 130  # 128 + SIGINT, what shells expect of a command ended by Ctrl-C


class OneLineErrors(TyperGroup):
    """The root command group: a user's mistake is one line without a traceback; a bug of ours keeps its traceback."""

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run, report and exit: 0 done, 1 failed, 2 wrong usage."""
        extra["standalone_mode"] = False
        try:
            result = super().main(*args, **extra)
        except PipelineError as error:
            _report(str(error))
            sys.exit(FAILED)
        except typer.TyperException as error:
            _report(_usage_line(error))
            sys.exit(error.exit_code)
        except (typer.Abort, KeyboardInterrupt):
            typer.echo("interrupted", err=True)
            sys.exit(INTERRUPTED)
        sys.exit(result if isinstance(result, int) else 0)


def _usage_line(error: typer.TyperException) -> str:
    message = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    return f"{message}; see: {context.command_path} --help" if context is not None else message


def _report(message: str) -> None:
    one_line = " ".join(message.split())
    typer.echo(f"error: {one_line}", err=True)
