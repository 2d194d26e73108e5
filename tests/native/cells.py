"""The cells of both cores, driven side by side: every step is counted by each, and blocks are compared row by row."""

from __future__ import annotations

from ctypes import c_bool, c_int64, c_uint32, c_void_p
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from pipeline.ledger.body import body_of, encode
from pipeline.ledger.rows import ShardBlock
from pipeline.native.campaigns import NativeCampaigns
from pipeline.native.library import library
from pipeline.native.people import People
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.state.cells import Cells
from pipeline.state.policy import Policy
from pipeline.state.records import Credit, Touch
from pipeline.state.rows import Changes
from tests.support.fakes_native import NativeReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.state.campaign_registry import Arm

MODELS: Final = ("last_touch", "linear", "time_decay")
STEPS: Final = ("touch", "revert", "credit", "arm_conversion", "conversion", "drain", "open_chapter", "forget_idle")
# what other files of the compiled core call: only tests call it from Python
_COUNTING: Final[dict[str, list[Any]]] = {
    "count_touch": [c_void_p, c_uint32, c_uint32, c_int64, c_int64, c_int64, c_bool, c_bool],
    "revert_reach": [c_void_p, c_uint32, c_uint32, c_int64],
    "book_credit": [c_void_p, c_uint32, c_uint32, c_uint32, *[c_int64] * 5],
    "count_arm_conversion": [c_void_p, c_uint32, c_uint32, c_int64],
    "count_conversion": [c_void_p, c_uint32, c_uint32, c_uint32, c_int64, c_int64],
}
Row = tuple[tuple[str, Any], ...]


class Step(NamedTuple):
    """Something that happens; each kind uses the fields it needs."""

    kind: str
    model: int = 0
    campaign: str = "spring"
    variant: str | None = "a"
    tier: str = "gold"
    at: int = 0
    lag_ms: int = 0
    sign: int = 1
    money: int = 0
    assets: int = 0
    reaches_arm: bool = False
    reaches: bool = False
    versions: int = 1


def counting() -> Any:
    """Return the library, its functions for counting declared."""
    found = library()
    for name, arguments in _COUNTING.items():
        function = getattr(found, name)
        function.restype, function.argtypes = None, arguments
    return found


class BothCells:
    """All cells of a shard, once as the plain core has them and once compiled."""

    def __init__(self, zone: str = "UTC", models: Sequence[str] = MODELS[:1]) -> None:
        policy = Policy(models=tuple(models), zone=zone, pseudonym_key=b"key")
        calendar = policy.calendar()
        self._labels = policy.labels
        self._registry = CampaignRegistry(policy)
        self._plain = [Cells(model, policy.calendar()) for model in range(len(models))]
        self._library = counting()
        self._people = People(125)
        self._shard = self._people.handle
        self._campaigns = NativeCampaigns(self._people, self._registry, calendar)
        self._version = 0
        for label in policy.labels:
            self._library.shard_add_label(self._shard, label.encode(), len(label))

    def play(self, steps: Sequence[Step]) -> list[tuple[list[Row], list[Row]]]:
        """Count steps with both; return what each wrote, block by block, a last one included."""
        written = []
        for step in [*steps, Step("drain")]:
            if step.kind == "drain":
                written.append(self._drained(step.versions))
            elif step.kind == "open_chapter":
                for cells in self._plain:
                    cells.open_chapter(self._version + step.versions)
                self._library.shard_open_chapter(self._shard, self._version + step.versions)
            elif step.kind == "forget_idle":
                before = max(0, self._version + 2 - step.versions)
                for cells in self._plain:
                    cells.forget_idle(before)
                self._library.shard_forget_idle(self._shard, before)
            else:
                self._count(step)
        return written

    def _count(self, step: Step) -> None:
        arm = self._registry.arm(step.campaign, step.variant)
        self._campaigns.sync()
        self._campaigns.know_quarters(np.array([step.at, step.at - step.lag_ms]))
        self._count_plain(step, arm)
        self._count_native(step, arm.index, self._people.tier_number(step.tier))

    def _count_plain(self, step: Step, arm: Arm) -> None:
        cells = self._plain[step.model % len(self._plain)]
        match step.kind:
            case "touch":
                firsts = {"reaches_arm": step.reaches_arm, "reaches": step.reaches}
                self._plain[0].add_touch(arm, step.tier, step.at, step.sign > 0, step.money, **firsts)
            case "revert":
                self._plain[0].revert_reach(arm, step.tier, step.at)
            case "credit":
                touch = Touch(arm.campaign_index, step.at - step.lag_ms, "T", arm.index)
                credit = Credit(step.model, touch, 333_333, step.money, step.assets)
                cells.add_credit(arm, step.tier, step.at, credit, step.sign)
            case "arm_conversion":
                cells.add_arm_conversion(arm, step.sign)
            case "conversion":
                cells.add_conversion(arm, step.tier, step.at, step.sign)

    def _count_native(self, step: Step, arm: int, tier: int) -> None:
        core, shard, model = self._library, self._shard, step.model % len(self._plain)
        match step.kind:
            case "touch":
                touches = int(step.sign > 0)
                core.count_touch(shard, arm, tier, step.at, touches, step.money, step.reaches_arm, step.reaches)
            case "revert":
                core.revert_reach(shard, arm, tier, step.at)
            case "credit":
                shares = [step.sign * share for share in (333_333, step.money, step.assets)]
                core.book_credit(shard, model, arm, tier, step.at, step.at - step.lag_ms, *shares)
            case "arm_conversion":
                core.count_arm_conversion(shard, model, arm, step.sign)
            case "conversion":
                core.count_conversion(shard, model, arm, tier, step.at, step.sign)

    def _drained(self, versions: int) -> tuple[list[Row], list[Row]]:
        self._version += versions
        plain = Changes()
        for cells in self._plain:
            cells.drain_changes(self._version, plain.cells)
        self._library.shard_drain_cells(self._shard, self._version)
        return self._rows(plain), self._rows(Changes(encoded=self._people.take_rows()))

    def _rows(self, changes: Changes) -> list[Row]:
        body, _ = body_of(encode(ShardBlock(3, self._version, changes, [], []), self._labels, 0))
        blocks = NativeReader(body).blocks()
        rows = [tuple(zip([name for name, _ in heads], row, strict=True)) for heads, found in blocks for row in found]
        return sorted(rows, key=repr)
