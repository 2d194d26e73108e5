"""Whether a run equals another: every view compared, with what must be known before the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pipeline.clickhouse import sql
from pipeline.comparison.comparing import ViewComparison, compare
from pipeline.comparison.grounds import Ground, grounds
from pipeline.ledger.rows import LIVE

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.clickhouse.reader import Reader
    from pipeline.comparison.erased import ErasedCustomers

ROUNDS: Final = 3
"""How often what live has gone on with is replayed after, before the answer says that live did not stand still."""


@dataclass(frozen=True, slots=True)
class Verification:
    """Two runs compared.

    Attributes:
        left, right: what the run is compared with, and the run.
        halted: topics that live is halted on, with the cause.
        grounds: what both count with otherwise; where there is any, a difference is no fault.
        ahead: records that live had counted, when the comparison was over, and the run had not.
        erased: customers whom live has erased: what is left of them is left out, and counted with each view.
        unread: why dead letters of erased customers could not be told from others; '' where they could.
        is_recorded: whether live has recorded all that it decided by its clock.
    """

    left: str
    right: str
    halted: list[tuple[str, str]]
    grounds: list[Ground]
    views: list[ViewComparison]
    ahead: int
    erased: int
    unread: str
    is_recorded: bool

    @property
    def rows(self) -> int:
        """How many rows of the run were compared."""
        return sum(view.right_rows for view in self.views)

    @property
    def left_out(self) -> int:
        """How many rows are what is left of erased customers."""
        return sum(view.left_out for view in self.views)

    @property
    def differing(self) -> list[ViewComparison]:
        """The views that are not equal."""
        return [view for view in self.views if view.differing]

    def answer(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "run": self.right,
            "against": self.left,
            "equal": not self.differing,
            "halted": [{"topic": topic, "cause": cause} for topic, cause in self.halted],
            "grounds": [ground.row() for ground in self.grounds],
            "ahead": self.ahead,
            "erased": self.erased,
            "rows": self.rows,
            "views": [
                {
                    "view": view.view,
                    self.left: view.left_rows,
                    self.right: view.right_rows,
                    "differing": view.differing,
                    "left_out": view.left_out,
                    "first": [{"key": dict(one.key), self.left: one.left, self.right: one.right} for one in view.first],
                }
                for view in self.views
            ],
        }


def verify(  # noqa: PLR0913 - what is compared, and what goes on meanwhile
    reader: Reader,
    database: str,
    left: str,
    right: str,
    *,
    ahead: Callable[[], int] = lambda: 0,
    go_on: Callable[[], None] = lambda: None,
    erased: Callable[[], ErasedCustomers | None] = lambda: None,
    on_view: Callable[[int, int], None] = lambda _done, _all: None,
) -> Verification:
    """Compare a run with another, live or a replay.

    Args:
        reader: of the database.
        database: its name.
        left: what it is compared with.
        right: the run.
        ahead: how many records ``left`` has counted and the run has not.
        go_on: has the run go on to where ``left`` has come by now; called before each of `ROUNDS` comparisons.
        erased: whom ``left`` has erased by now.
        on_view: told the number of views that are done, and of all.

    Raises:
        UserError: one of the runs is not there.
    """
    views: list[ViewComparison] = []
    behind, gone = 0, None
    found = grounds(reader, database, left, right)
    for _ in range(ROUNDS):
        if ahead():
            go_on()
        gone = erased()
        views, behind = compare(reader, database, left, right, on_view, gone), ahead()
        if not behind or not any(view.differing for view in views):
            break
    halted = reader.rows(sql.query("halted_now", database), {"run": left}) if left == LIVE else []
    recorded = reader.rows(sql.query("verdicts_recorded", database), {"run": left})
    return Verification(
        left,
        right,
        [(row["topic"], row["cause"]) for row in halted],
        found,
        views,
        behind,
        len(gone or ()),
        "" if gone is None else gone.unread,
        left != LIVE or bool(recorded and recorded[0]["is_recorded"]),
    )
