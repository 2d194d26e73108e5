"""Write Grafana's boards: ``python -m dashboards.generate``.

``dashboards/grafana/ID.json`` in English, ``dashboards/grafana-zh/ID.json`` in Chinese, for the default reporting
currency; a test reproduces them. Another currency needs boards of its own: ``--currency EUR --to DIRECTORY``.
Exit codes: 0, 1 with --check where a file is not what the definitions make, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dashboards.generating.boards import board_json
from dashboards.generating.edition import Edition
from dashboards.registry import BOARDS
from pipeline.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE: Final = Path(__file__).resolve().parent
CURRENCY: Final = str(Settings.model_fields["reporting_currency"].default)


def files(currency: str = CURRENCY) -> dict[str, str]:
    """Return the content of each file, by its path below the folder they are written to."""
    english, chinese = Edition("en", currency, BOARDS), Edition("zh", currency, BOARDS)
    return {f"grafana/{board.id}.json": board_json(board, english) for board in BOARDS} | {
        f"grafana-zh/{board.id}.json": board_json(board, chinese) for board in BOARDS
    }


def stale(folder: Path, wanted: dict[str, str]) -> list[str]:
    """Return what is missing, differs, or belongs to no board any more."""
    there = {path.relative_to(folder).as_posix() for path in folder.glob("grafana*/*.json")}
    differs = [
        name for name, text in wanted.items() if name in there and (folder / name).read_text(encoding="utf-8") != text
    ]
    return sorted({*differs, *(there ^ set(wanted))})


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the boards or check them, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m dashboards.generate", description="Write Grafana's boards.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is not up to date")
    parser.add_argument("--currency", default=CURRENCY, help=f"ISO code of the reporting currency ({CURRENCY})")
    parser.add_argument("--to", type=Path, default=HERE, metavar="DIRECTORY", help="folder to write to")
    chosen = parser.parse_args(arguments)
    if not re.fullmatch("[A-Z]{3}", chosen.currency):
        parser.error(f"{chosen.currency!r} is no code of a currency, such as CNY or EUR")
    wanted = files(chosen.currency)
    found = stale(chosen.to, wanted)
    if chosen.check:
        for name in found:
            sys.stderr.write(f"{name} is not what the definitions make; run: python -m dashboards.generate\n")
        return 1 if found else 0
    for name in found:
        path = chosen.to / name
        if name in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[name], encoding="utf-8")
        else:
            path.unlink()
        sys.stdout.write(f"{'written' if name in wanted else 'removed'}: {path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
