"""A report on paper and as HTML: values as the board writes them, hostile names harmless, plots of every chart."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final, Literal

import pytest

from dashboards.definitions.columns import by_language, column
from dashboards.definitions.panel import Panel, Text
from pipeline.report.building import definitions, read_in, section, without
from pipeline.report.document import Cell, Document, Figures, Picture, Section, Table, Words
from pipeline.report.formats import NOTHING, Style
from pipeline.report.html import page
from pipeline.report.pdf import Pages, paper
from pipeline.report.plots import DRAWN

if TYPE_CHECKING:
    from dashboards.definitions.panel import Column

ENGLISH: Final = Style("en", "CNY", "Asia/Shanghai")
CHINESE: Final = Style("zh", "CNY", "Asia/Shanghai")
HOSTILE: Final = "<img src=x onerror=alert(1)>$x_1$ 🎉 \u202eevil" + "n" * 200
NAMED: Final = Text("Things", "东西")


def panel(chart: Any, *columns: Any) -> Panel:
    return Panel("test-panel", NAMED, Text("What it is.", "说明。"), chart, columns)


def report(*sections: Section, language: Literal["en", "zh"] = "en") -> Document:
    return Document(language, HOSTILE, ("a fact <b>",), sections, "foot & all")


@pytest.mark.parametrize(
    ("value", "unit", "english", "chinese"),
    [
        (None, "minor", NOTHING, NOTHING),
        (0, "minor", "0.00 CNY", "0.00 CNY"),
        (123456789, "minor", "1,234,567.89 CNY", "1,234,567.89 CNY"),
        (0.0321, "share", "3.2 %", "3.2 %"),
        (1.995, "ratio", "2.00", "2.00"),
        (12, "count", "12", "12"),
        (0.5, "count", "0.50", "0.50"),
        (3, "days", "3 days", "3 天"),
        ("firing", "state", "Firing", "告警中"),
        ("unheard", "state", "unheard", "unheard"),
        ("2026-11-25 20:00:00", "time", "2026-11-26 04:00", "2026-11-26 04:00"),
    ],
)
def test_a_value_is_written_by_its_unit_and_nothing_is_no_zero(
    value: Any, unit: Any, english: str, chinese: str
) -> None:
    assert ENGLISH.written(value, unit) == english
    assert CHINESE.written(value, unit) == chinese


def test_a_figure_stands_beside_what_it_was_before() -> None:
    found = section(panel("figures", column("cost_minor"), column("return_minor", "previous")), [(100, 50)], ENGLISH)
    assert found.block == Figures((("Cost", Cell("1.00 CNY"), "0.50 CNY"),))


def test_a_ratio_below_its_limit_never_reads_as_if_it_were_at_it() -> None:
    columns = (column("return_ratio"), column("min_return_ratio", "limit"))
    figures, table = (section(panel(chart, *columns), [(1.9999, 2.0)], ENGLISH).block for chart in ("figures", "table"))
    assert isinstance(figures, Figures)
    assert [cell.text for _, cell, _ in figures.items] == ["1.9999", "2.00"]
    assert isinstance(table, Table)
    assert [cell.text for cell in table.rows[0]] == ["1.9999", "2.00"]


def test_hidden_columns_and_sparklines_stay_off_the_paper_and_steps_give_colours() -> None:
    found = section(
        panel(
            "table",
            column("campaign_id", "hidden"),
            column("name", "label"),
            column("return_ratio", steps=((None, "red"), (2.0, "green"))),
        ),
        [("c", "spring", 1.9), ("d", "autumn", 2.0), ("e", "none", None)],
        CHINESE,
    )
    assert isinstance(found.block, Table)
    assert found.block.headings == ("活动", "收益成本比")
    assert [row[1].colour for row in found.block.rows] == ["red", "green", ""]


def test_what_the_title_says_stands_in_no_row() -> None:
    whole_panel = panel("table", column("campaign_id", "hidden"), column("name", "label"), column("cost_minor"))
    kept, rows = without(whole_panel, [("c", "spring", 5)], {"campaign_id", "name"})
    assert ([one.name for one in kept.columns], rows) == (["cost_minor"], [(5,)])


def test_a_text_in_two_languages_is_read_in_one() -> None:
    both = panel("table", column("name", "label"), *by_language("reason", Text("Why", "原因")))
    for language, reason in (("en", "too little"), ("zh", "太少")):
        kept, rows = read_in(both, [("spring", "too little", "太少")], language)
        assert ([one.label.en for one in kept.columns], rows) == (["Campaign", "Why"], [("spring", reason)])


def test_english_is_folded_between_words_and_chinese_where_a_line_ends() -> None:
    def folded(*, is_chinese: bool) -> list[str]:
        pages = Pages("foot", is_chinese=is_chinese)
        pages.add_page()
        pages.set_font("noto", size=9)
        lines: Any = pages.multi_cell(
            60, 5, "conversions and their customers " * 9, dry_run=True, output="LINES", wrapmode=pages.folding
        )
        return [word for line in lines for word in line.split()]

    words = {"conversions", "and", "their", "customers"}
    assert set(folded(is_chinese=False)) == words
    assert set(folded(is_chinese=True)) > words


def test_a_panel_without_rows_says_so() -> None:
    assert section(panel("table", column("name")), [], ENGLISH).block == Words(
        ("There is nothing to show for this period.",)
    )


ROWS: Final[dict[str, tuple[tuple[Column, ...], list[tuple[Any, ...]]]]] = {
    "time": (
        (column("time", "time"), column("return_ratio"), column("min_return_ratio", "limit")),
        [("2026-11-25 20:00:00", None, 2.0), ("2026-11-26 20:00:00", 1.5, 2.0)],
    ),
    "line": ((column("day", "x", unit="days"), column("conversion_rate")), [(0, 0.1), (1, 0.4)]),
    "bars": ((column("tier", "label"), column("cost_minor")), [(HOSTILE, 10), ("增长", None)]),
    "funnel": ((column("category", "label"), column("touches")), [("send", 10), ("click", 3)]),
    "heatmap": (
        (column("day", "y"), column("name", "x"), column("return_minor")),
        [("2026-11-25", 0, 5), ("2026-11-26", 0, None), ("2026-11-25", 3, 7)],
    ),
}


@pytest.mark.parametrize("chart", sorted(DRAWN))
def test_every_chart_is_drawn_alike_each_time_with_its_words(chart: Any) -> None:
    columns, rows = ROWS[chart]
    found = [section(panel(chart, *columns), rows, CHINESE).block for _ in range(2)]
    assert isinstance(found[0], Picture)
    assert found[0] == found[1]
    assert found[0].png.startswith(b"\x89PNG")
    assert ET.fromstring(found[0].svg).tag.endswith("svg")
    assert "东西" in found[0].alternative


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def whole() -> Document:
    table = section(panel("table", column("name", "label"), column("cost_minor")), [(HOSTILE, 1)] * 60, ENGLISH)
    picture = section(panel("bars", *ROWS["bars"][0]), ROWS["bars"][1], CHINESE)
    return report(table, picture, definitions([(panel("table", column("return_ratio")), [])], ENGLISH))


def test_the_page_holds_no_script_and_loads_nothing() -> None:
    text = page(whole())
    tags = _Tags()
    tags.feed(text)
    assert not tags.tags & {"script", "img", "iframe", "link", "object"}
    assert not {name for name in tags.attributes if name.startswith("on") or name == "src"}
    assert not re.search(r'(href|url\()\s*=?\s*["\']?https?:', text)
    assert "default-src 'none'" in text
    assert "+20" in text  # rows that are left out are told


def test_the_paper_is_a_pdf_of_a_few_pages_with_everything_on_it() -> None:
    content = paper(whole())
    assert content.startswith(b"%PDF-")
    assert content.count(b"/Type /Page\n") >= 2
    assert len(content) < 400_000


@pytest.mark.timeout(60)  # a column too narrow for a character would take for ever
@pytest.mark.parametrize("count", [1, 2, 8, 9, 15, 30])
def test_a_table_of_any_width_fits_on_paper(count: int) -> None:
    cells = tuple(Cell("x" * (200 if place == 1 else 1)) for place in range(count))
    table = Table(tuple(f"h{place}" * 9 for place in range(count)), (False,) * count, (cells, cells))
    content = paper(report(Section("wide", "", table)))
    assert content.startswith(b"%PDF-")
