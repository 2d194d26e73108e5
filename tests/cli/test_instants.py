"""Instants on the command line: RFC 3339, or the begin of a business day."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import typer

from pipeline.cli.instants import instant_ms, zone_of_range
from pipeline.policies import describe_policy
from tests.cli.conftest import Answer
from tests.support.given_settings import settings as given_settings

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from tests.cli.conftest import FakeClickHouse

ZONE = "Asia/Shanghai"
BEGIN_MS = 1_795_622_400_000  # 2026-11-26 in Shanghai


@pytest.mark.parametrize("text", ["2026-11-26", "2026-11-26T00:00:00+08:00", "2026-11-25T16:00:00Z"])
def test_a_day_begins_where_the_bank_is(text: str) -> None:
    assert instant_ms(text, "--from", ZONE) == BEGIN_MS


@pytest.mark.parametrize("text", ["", "today", "2026-02-30", "2026-11-26T00:00:00", "0001-01-01T00:00:00+14:00"])
def test_what_is_neither_is_refused_with_the_form_to_write(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write 2026-11-26T09:00:00"):
        instant_ms(text, "--from", ZONE)


def begun(zone: str) -> bytes:
    text = describe_policy(given_settings()).replace(f"zone={ZONE}", f"zone={zone}")
    return json.dumps(["fingerprint", text, "rules"]).encode()


@pytest.mark.parametrize(("row", "zone"), [(begun("Pacific/Apia"), "Pacific/Apia"), (b"", ZONE)])
def test_a_day_of_a_run_is_one_of_the_zone_it_was_begun_under(
    settings: Settings, clickhouse: FakeClickHouse, row: bytes, zone: str
) -> None:
    clickhouse.answers["roi.runs"] = Answer(row)
    assert zone_of_range(settings, "may", "2026-11-26", None) == zone
    assert clickhouse.asked[0][1]["param_run"] == "may"


@pytest.mark.parametrize(
    ("begin", "end"),
    [(None, None), ("2026-11-26T00:00:00Z", None), ("soon", None), ("2026-11-26", "2026-11-25")],
    ids=["no bound", "an instant", "neither", "upside down"],
)
def test_the_ledger_is_not_asked_where_its_zone_does_not_matter(
    settings: Settings, clickhouse: FakeClickHouse, begin: str | None, end: str | None
) -> None:
    assert zone_of_range(settings, "live", begin, end) == ZONE
    assert not clickhouse.asked
