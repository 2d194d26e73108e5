"""`python -m bench`: measure and print one table."""

from __future__ import annotations

import signal
import sys
from typing import Final

from rich.console import Console
from rich.table import Table

from bench import peering
from bench.measuring import Measuring
from bench.options import parse
from bench.results import Results
from pipeline.errors import UserError

_PAGE_WIDTH: Final = 180


def main() -> int:
    """Measure everything asked for; a part that cannot be measured costs its rows, not the others'."""
    arguments = parse(sys.argv[1:])
    # what was started is ended too, as after Ctrl-C: an instance left alone would slow whatever is measured next
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    progress = Console(stderr=True)
    results = Results(arguments.json)
    title = f"mix {' and '.join(arguments.mix)}, one process each"
    table = Table("measured", "on", "result", "beside", title=title, title_justify="left")
    failed = False
    if not peering.installed():
        progress.print("without the peers, whose engines are not installed: make peers")
    for name, measure in Measuring(arguments, results).steps():
        progress.print(f"measuring {name} …")
        results.begin(name)
        try:
            rows = measure()
        except UserError as error:
            failed = True
            progress.print(f"[red]not measured:[/] {name}: {error.cause}; {error.remedy}")
            continue
        results.add_rows(rows)
        for row in rows:
            table.add_row(*row)
    if table.row_count:
        # a file or a pipe has no width of its own
        Console(width=None if sys.stdout.isatty() else _PAGE_WIDTH).print(table)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
