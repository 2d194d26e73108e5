"""What a new owner of a shard loads is found by the sorting key: the past is not read again at every take-over."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest

from pipeline.clickhouse import sql

ROWS: Final = 40_000
_GRANULES: Final = re.compile(r"Granules: (\d+)/\d+")


def _granules(client: Any, run: str, name: str, kind: str, floor: int) -> int:
    text = f"EXPLAIN indexes = 1 {sql.query(name, 'roi').replace('FORMAT JSONCompactEachRow', '')}"
    asked = {"run": run, "kind": kind, "shards": [0, 1], "floors": [floor, floor + 1], "labels": [""]}
    lines = [line for (line,) in client.query(text, asked).result_rows]
    return min(int(found[1]) for line in lines if (found := _GRANULES.search(line)))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("load_transactions", "transaction"),
        ("load_reversals", "transaction"),
        ("load_touches", "touch"),
        ("load_credits", "credit"),
        ("load_ids", "touch"),
        ("load_ids", "cost"),
        ("load_logins", "login"),
    ],
)
def test_rows_behind_the_floors_are_not_read(clickhouse: Any, run_name: str, name: str, kind: str) -> None:
    clickhouse.command(
        "INSERT INTO roi.ledger (run, kind, shard, at, id, flags, measures, version)"
        f" SELECT '{run_name}', '{kind}', number % 2, number, toString(number), 4, [1, 1, 1, 1, 1], 1"
        f" FROM numbers({ROWS})"
    )
    everything = _granules(clickhouse, run_name, name, kind, 0)
    recent = _granules(clickhouse, run_name, name, kind, ROWS - 10)
    assert everything >= ROWS // 4_096
    assert recent <= 4
