"""How commands tell what is at fault (`pipeline.operations.health`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.operations.health import Fault


def fault_lines(found: Iterable[Fault]) -> list[str]:
    """Return one line for each."""
    return [f"{'FAULT' if fault.severity == 'failed' else 'warning'} {' '.join(str(fault).split())}" for fault in found]


def print_faults(found: Iterable[Fault]) -> None:
    """Print one line for each."""
    for line in fault_lines(found):
        typer.echo(line)
