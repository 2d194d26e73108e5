"""A report as PDF, with the font that it carries itself."""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING, Final

from fpdf import FPDF, FontFace, XPos, YPos
from fpdf.enums import WrapMode

from pipeline.report.document import Figures, Picture, Table
from pipeline.report.plots import FONT

if TYPE_CHECKING:
    from pipeline.report.document import Document, Section

_FAMILY: Final = "noto"
_MARGIN_MM: Final = 15
_LINE_MM: Final = 5
_COLOURS: Final = {
    "red": (180, 35, 24),
    "amber": (138, 90, 0),
    "green": (11, 107, 58),
    "blue": (10, 88, 168),
    "grey": (87, 96, 106),
}
_BLACK: Final = (27, 31, 36)
_FIGURES_A_ROW: Final = 4
_MOST_COLUMNS: Final = 8
_NORMAL: Final = 8.0
_SMALL: Final = 6.5
_LEAST_SHARE: Final = 0.08
_BREAKABLE: Final = 24


class Pages(FPDF):
    """Pages with a foot."""

    def __init__(self, foot: str, *, is_chinese: bool) -> None:
        super().__init__(format="A4")
        self._foot = foot
        self.folding = WrapMode.CHAR if is_chinese else WrapMode.WORD
        self.set_margin(_MARGIN_MM)
        self.set_auto_page_break(auto=True, margin=_MARGIN_MM + _LINE_MM)
        self.add_font(_FAMILY, fname=FONT)

    def footer(self) -> None:
        """Write the foot and the page's number."""
        self.set_y(-_MARGIN_MM)
        self.write_text(f"{self._foot} · {self.page_no()}/{{nb}}", 7, "grey")

    def write_text(self, text: str, size: float, colour: str = "") -> None:
        """Write a paragraph over the whole width."""
        self.set_font(_FAMILY, size=size)
        self.set_text_color(*_COLOURS.get(colour, _BLACK))
        self.multi_cell(0, size * 0.5, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT, wrapmode=self.folding)


def paper(document: Document) -> bytes:
    """Return the file's bytes."""
    logging.getLogger("fpdf").setLevel(logging.ERROR)  # a sign that the font lacks is an empty box, and no news
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    pages = Pages(document.foot, is_chinese=document.language == "zh")
    pages.set_title(document.title)
    pages.set_lang("zh-CN" if document.language == "zh" else "en")
    pages.add_page()
    pages.write_text(document.title, 17)
    for fact in document.facts:
        pages.write_text(fact, 9, "grey")
    for section in document.sections:
        _section(pages, section)
    return bytes(pages.output())


def _section(pages: Pages, section: Section) -> None:
    needed = 75 if isinstance(section.block, Picture) else 35
    if pages.will_page_break(needed):
        pages.add_page()
    pages.ln(_LINE_MM)
    pages.write_text(section.heading, 12)
    if section.description:
        pages.write_text(section.description, 7.5, "grey")
    pages.ln(1)
    block = section.block
    if isinstance(block, Picture):
        pages.image(io.BytesIO(block.png), w=pages.epw, alt_text=block.alternative)
    elif isinstance(block, Figures):
        _figures(pages, block)
    elif isinstance(block, Table):
        _table(pages, block)
    else:
        for text in block.paragraphs:
            pages.write_text(text, 9)


def _figures(pages: Pages, block: Figures) -> None:
    for at in range(0, len(block.items), _FIGURES_A_ROW):
        items = block.items[at : at + _FIGURES_A_ROW]
        for line in range(2):
            for label, cell, before in items:
                text = label if line == 0 else f"{cell.text} ({before})" if before else cell.text
                pages.set_font(_FAMILY, size=8 if line == 0 else 11)
                pages.set_text_color(*_COLOURS.get("grey" if line == 0 else cell.colour, _BLACK))
                pages.cell(pages.epw / _FIGURES_A_ROW, 5 if line == 0 else 6, text)
            pages.ln(5 if line == 0 else 7)


def _table(pages: Pages, block: Table) -> None:
    """Print a table; one of many columns goes on below itself, each part with the first column."""
    count = len(block.headings)
    for at in range(1, max(count, 2), _MOST_COLUMNS - 1):
        kept = [0, *range(at, min(at + _MOST_COLUMNS - 1, count))]
        _part(
            pages,
            Table(
                tuple(block.headings[place] for place in kept),
                tuple(block.is_number[place] for place in kept),
                tuple(tuple(row[place] for place in kept) for row in block.rows),
            ),
        )
    if block.left_out:
        pages.write_text(f"… +{block.left_out:,}", _SMALL, "grey")


def _part(pages: Pages, block: Table) -> None:
    size = _SMALL if len(block.headings) > _MOST_COLUMNS // 2 else _NORMAL
    pages.set_font(_FAMILY, size=size)
    pages.set_text_color(*_BLACK)
    pages.set_draw_color(216, 222, 228)
    with pages.table(
        borders_layout="HORIZONTAL_LINES",
        text_align=tuple("RIGHT" if number else "LEFT" for number in block.is_number),
        line_height=size * 0.55,
        col_widths=_widths(block),
        headings_style=FontFace(color=_COLOURS["grey"]),
        wrapmode=pages.folding,
    ) as table:
        table.row(block.headings)
        for row in block.rows:
            line = table.row()
            for cell in row:
                line.cell(cell.text, style=FontFace(color=_COLOURS.get(cell.colour, _BLACK)))
    pages.ln(2)


def _widths(block: Table) -> tuple[float, ...]:
    """Return shares of the width: as much as a column's longest text asks for, long ones are folded.

    No column is so narrow that a character does not fit: fpdf2 would look for a place to break it for ever.
    """
    longest = [
        max([len(heading), *(len(row[place].text) for row in block.rows)])
        for place, heading in enumerate(block.headings)
    ]
    wanted = [
        float(min(length, _BREAKABLE if number else 2 * _BREAKABLE))
        for length, number in zip(longest, block.is_number, strict=True)
    ]
    least = sum(wanted) * _LEAST_SHARE
    return tuple(max(width, least, 1.0) for width in wanted)
