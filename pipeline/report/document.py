"""What a report consists of, before anybody decides how it is printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Cell:
    """A written value; ``colour`` is one of a column's steps or ''."""

    text: str
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """Headline numbers: label, value, and what it was in the period before ('' = nothing to compare with)."""

    items: tuple[tuple[str, Cell, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Headings, whether each column is of numbers, and the rows; ``left_out`` more are not printed."""

    headings: tuple[str, ...]
    is_number: tuple[bool, ...]
    rows: tuple[tuple[Cell, ...], ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """A plot, as SVG and as PNG, and what it shows in words."""

    svg: str
    png: bytes
    alternative: str


@dataclass(frozen=True, slots=True)
class Words:
    """Paragraphs."""

    paragraphs: tuple[str, ...]


Block: TypeAlias = Figures | Table | Picture | Words


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, what it is about, and what stands there."""

    heading: str
    description: str
    block: Block


@dataclass(frozen=True, slots=True)
class Document:
    """A report; ``language`` is ``en`` or ``zh``, ``facts`` stand below the title, ``foot`` on every page."""

    language: str
    title: str
    facts: tuple[str, ...]
    sections: tuple[Section, ...]
    foot: str
