"""What a run of `python -m bench` has found, kept as JSON: `--json FILE`."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bench.alone_figures import crossovers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bench.figures import Row
    from bench.peer_figures import Outcome


@dataclass(slots=True)
class Results:
    """What was found, kept in a file after every single result: a run that is stopped leaves what it has.

    Attributes:
        path: of the JSON file; None = keep none.
    """

    path: Path | None = None
    _found: dict[str, Any] = field(default_factory=dict, init=False)
    _step: dict[str, Any] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._found = {
            "begun": datetime.now(UTC).isoformat(timespec="seconds"),
            "processors": os.cpu_count(),
            "python": platform.python_version(),
            "table": [],
            "jobs": [],
        }

    def begin(self, step: str) -> None:
        """Note the machine's load before a step: what the step itself puts on it must not be taken for others'."""
        self._step = {"step": step, "load_before": os.getloadavg()[0]}

    def add(self, part: str, told: Mapping[str, Any]) -> None:
        """Keep plain values of a part, beside those that it has."""
        self._found.setdefault(part, []).append(self._step | dict(told))
        self._save()

    def add_rows(self, rows: Sequence[Row]) -> None:
        """Keep the lines of the table."""
        self._found["table"] += [self._step | row._asdict() for row in rows]
        self._save()

    def add_job(self, broker: str, job: str, events: int, peer: str, outcome: Outcome) -> None:
        """Keep one peer's outcome."""
        told = {"broker": broker, "job": job, "given": events, "peer": peer}
        self._found["jobs"].append(told | outcome.as_json())
        self._save()

    def set_alone(self, windows: Sequence[dict[str, Any]], own_us: float) -> None:
        """Keep what is known of ClickHouse alone, in place of what was known before."""
        self._found["alone"] = {"own_us": own_us, "windows": list(windows), "crossovers": crossovers(windows, own_us)}
        self._save()

    def _save(self) -> None:
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(json.dumps(self._found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
