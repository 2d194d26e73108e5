"""Instants on the command line: RFC 3339, or the begin of a business day."""

from __future__ import annotations

import pytest
import typer

from pipeline.cli.instants import instant_ms

ZONE = "Asia/Shanghai"
BEGIN_MS = 1_795_622_400_000  # 2026-11-26 in Shanghai


@pytest.mark.parametrize("text", ["2026-11-26", "2026-11-26T00:00:00+08:00", "2026-11-25T16:00:00Z"])
def test_a_day_begins_where_the_bank_is(text: str) -> None:
    assert instant_ms(text, "--from", ZONE) == BEGIN_MS


@pytest.mark.parametrize("text", ["", "today", "2026-02-30", "2026-11-26T00:00:00", "0001-01-01T00:00:00+14:00"])
def test_what_is_neither_is_refused_with_the_form_to_write(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write 2026-11-26T09:00:00"):
        instant_ms(text, "--from", ZONE)
