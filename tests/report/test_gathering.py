"""A report of a seeded bank: the board's numbers, the alert's words, hostile names, and what is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from dashboards.registry import BOARDS
from pipeline.cli.report import write
from pipeline.errors import UserError
from pipeline.metrics.registry import metric
from pipeline.report.document import Figures, Table
from pipeline.report.formats import Style
from pipeline.report.gathering import Asked, gather
from pipeline.report.html import page
from pipeline.report.pdf import paper
from tests.dashboards.seeding import FREE, UNDEFINED

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.report.document import Document
    from tests.dashboards.conftest import Seeded

STYLE = Style("en", "CNY", "Asia/Shanghai")


def of(bank: Seeded, campaign: str, style: Style = STYLE, run: str = "live") -> Document:
    return gather(bank.settings, Asked(campaign, run), style)


@pytest.mark.parametrize(
    ("campaign", "language"), [("spring.2026", "zh"), ("wide", "en"), (FREE, "en"), (UNDEFINED, "en")]
)
def test_every_panel_of_the_board_stands_in_it(seeded: Seeded, campaign: str, language: str) -> None:
    style = Style("zh" if language == "zh" else "en", "CNY", "Asia/Shanghai")
    found = of(seeded, campaign, style)
    (board,) = (one for one in BOARDS if one.id == "campaign")
    headings = {section.heading for section in found.sections}
    assert {style.say(panel.title) for panel in board.panels if panel.source == "clickhouse"} <= headings
    text = page(found)
    assert "<script" not in text
    assert "<img" not in text
    assert paper(found).startswith(b"%PDF-")


def test_its_figures_are_those_of_the_view(seeded: Seeded) -> None:
    found = of(seeded, "spring.2026")
    written = {
        label: cell.text
        for section in found.sections
        if isinstance(section.block, Figures)
        for label, cell, _ in section.block.items
    }
    totals = "SELECT cost_minor, reached, return_ratio FROM campaign_totals WHERE run = 'live' AND campaign_id = "
    ((cost, reached, ratio),) = seeded.reader.query(totals + "'spring.2026'").result_rows
    assert written["Cost"] == f"{cost / 100:,.2f} CNY"
    assert written["Reached"] == f"{reached:,}"
    assert written["Return ÷ cost"] == f"{ratio:.2f}"


def test_its_period_begins_with_the_first_touchs_business_day(seeded: Seeded) -> None:
    fact = next(fact for fact in of(seeded, "spring.2026").facts if fact.startswith("Period "))
    first = "SELECT toString(min(touch_day)) FROM campaign_cohorts WHERE run = 'live' AND campaign_id = 'spring.2026'"
    ((day,),) = seeded.reader.query(first).result_rows
    assert fact.startswith(f"Period {day} 00:00 ("), fact


def test_a_file_that_cannot_be_written_is_named_as_it_was_given(tmp_path: Path) -> None:
    target = tmp_path / "none" / "spring.html"
    with pytest.raises(UserError, match=re.escape(f"{target} cannot be written (No such file or directory)")):
        write(target, b"")


def test_numbers_are_defined_at_its_end(seeded: Seeded) -> None:
    last = of(seeded, "spring.2026").sections[-1].block
    assert isinstance(last, Table)
    assert metric("return_ratio").formula in {row[1].text for row in last.rows}


def test_another_run_is_reported_alone(seeded: Seeded) -> None:
    assert any("run other" in fact for fact in of(seeded, "spring.2026", run="other").facts)


@pytest.mark.parametrize(
    ("campaign", "run", "way_on"),
    [("nobody", "live", "roi campaigns list"), ("spring.2026", "nowhere", "there are .*; roi replay")],
)
def test_an_unknown_campaign_or_run_is_refused_with_the_way_on(
    seeded: Seeded, campaign: str, run: str, way_on: str
) -> None:
    with pytest.raises(UserError, match=way_on):
        of(seeded, campaign, run=run)


def test_a_period_that_ends_before_it_begins_is_refused(seeded: Seeded) -> None:
    with pytest.raises(UserError, match="correct --from and --to"):
        gather(seeded.settings, Asked("wide", "live", 2, 1), STYLE)
