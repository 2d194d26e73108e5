"""What somebody asks a replay for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Order:
    """One replay as it is asked for.

    Attributes:
        run: its name.
        begin_ms, end_ms: event times that count, the end excluded.
        overrides: settings laid over the installation's, by dotted name.
        campaigns: definitions in place of the topic's.
        customers: profiles in place of the topic's.
        inputs: files in place of the topics.
        topic: of all records of those files, or `auto`.
        is_resumed: go on with a run that was begun and not finished.
        ends_with_live: stop where live has come to, so that both have counted the same records.
    """

    run: str
    begin_ms: int | None = None
    end_ms: int | None = None
    overrides: dict[str, Any] = field(default_factory=dict)
    campaigns: Path | None = None
    customers: Path | None = None
    inputs: tuple[Path, ...] = ()
    topic: str = "auto"
    is_resumed: bool = False
    ends_with_live: bool = False
