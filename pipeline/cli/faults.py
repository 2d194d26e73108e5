"""How commands tell what is at fault (`pipeline.operations.health`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.operations.health import Fault


def print_faults(found: Iterable[Fault], *, err: bool = False) -> None:
    """Print one line for each."""
    for fault in found:
        head = "FAULT" if fault.severity == "failed" else "warning"
        typer.echo(f"{head} {' '.join(str(fault).split())}", err=err)
