from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, strategies

from schemas.common import MAX_IDENTIFIER_LENGTH
from tests.oracle.building import Ledger
from tests.oracle.compare import differences
from tests.oracle.evaluate import evaluate
from tests.oracle.generators import random_log
from tests.state.rules import DEFAULT, PROPERTY, SEEDS, Rules, any_logs, any_rules, returning_logs
from tests.support.fakes_native import NativeReader
from tests.support.fakes_player import MemoryPlayer

if TYPE_CHECKING:
    from pipeline.state.policy import CoreName, Policy
    from tests.oracle.log import Log
    from tests.support.fakes import FakeLedger

pytestmark = pytest.mark.usefixtures("native_core")


class RecordedPlayer(MemoryPlayer):
    """Keeps every block's rows; each owner of the shards may have another core."""

    def __init__(self, rules: Rules, log: Log, *cores: CoreName) -> None:
        self.blocks: list[list[Any]] = []
        self._cores = cores
        self._rules = rules
        super().__init__(rules.policy, log, now_ms=rules.config.now_ms)

    def acquire(self) -> None:
        self._policy: Policy = replace(self._rules.policy, core=self._cores[self._lives % len(self._cores)])
        super().acquire()

    def open_ledger(self, owner: str) -> FakeLedger:
        ledger = super().open_ledger(owner)
        write = ledger.write

        def recorded(block: Any) -> None:
            rows = [(heads, row) for heads, rows in NativeReader(block.body).blocks() for row in rows]
            self.blocks.append(sorted(rows, key=repr))
            write(block)

        ledger.write = recorded  # type: ignore[method-assign] # of this one ledger
        return ledger


def played(rules: Rules, log: Log, seed: int, crashes: int, *cores: CoreName) -> RecordedPlayer:
    player = RecordedPlayer(rules, log, *cores)
    player.play(Random(seed), crashes=crashes, most=40)
    return player


@PROPERTY
@given(any_logs(200) | returning_logs(200), any_rules(), SEEDS, strategies.sampled_from((0, 4)))
def test_both_cores_write_the_same_rows_in_each_block(log: Log, rules: Rules, seed: int, crashes: int) -> None:
    plain = played(rules, log, seed, crashes, "plain")
    assert played(rules, log, seed, crashes, "native").blocks == plain.blocks


@pytest.mark.parametrize("first", ["plain", "native"])
def test_a_ledger_begun_by_one_core_goes_on_with_the_other(first: CoreName) -> None:
    other: CoreName = "native" if first == "plain" else "plain"
    for seed in range(4):
        log = random_log(seed, 300)
        player = played(DEFAULT, log, seed, 8, first, other)
        views = player.views()
        assert differences(evaluate(log, DEFAULT.config), views) == []


def test_ids_of_253_to_256_bytes_stay_themselves() -> None:
    written = Ledger()
    written.campaign()
    for place, last in enumerate("aé€𠀋"):  # one to four bytes
        name = "𠀋" * (MAX_IDENTIFIER_LENGTH - 1) + last
        for _ in range(2):  # the second is a copy
            written.touch(name, f"2026-03-0{place + 1} 12:00", cost_minor=1)
            written.pay(name, f"2026-03-0{place + 1} 13:00")
    blocks = {core: played(DEFAULT, written.log, 1, 0, core) for core in ("plain", "native")}
    assert blocks["native"].blocks == blocks["plain"].blocks
    rows = blocks["native"].views()["credits"]
    assert sorted(len(row["touch_event_id"].encode()) for row in rows) == [253, 254, 255, 256]


def test_ids_that_are_uuids_and_ids_that_are_nearly_stay_themselves() -> None:
    canonical = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
    spellings = (
        canonical,
        canonical.upper(),
        canonical.replace("-", ""),
        f"{{{canonical}}}",
        canonical.replace("-", "_"),
    )
    written = Ledger()
    written.campaign()
    for place, name in enumerate((*spellings, canonical[:-1] + "g", canonical[:-1] + "a", "f" * 36, "0" * 35 + "-")):
        for copy in range(2):
            written.touch(name, f"2026-03-02 12:00:{place // 3:02d}", cost_minor=1, kind=("send", "click")[copy])
            written.pay(name, f"2026-03-02 13:00:{place // 3:02d}", reverses=canonical if place == 1 else None)
        written.pay(f"{name}r"[:64], "2026-03-02 14:00", reverses=f"{canonical[:-2]}ff")
    blocks = {core: played(DEFAULT, written.log, 1, 0, core) for core in ("plain", "native")}
    assert blocks["native"].blocks == blocks["plain"].blocks
    assert differences(evaluate(written.log, DEFAULT.config), blocks["native"].views()) == []
