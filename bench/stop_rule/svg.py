"""A small writer of plots as SVG: axes, lines, dots with whiskers. The same data give the same file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLOURS: Final = ("#1f5fa8", "#c2410c", "#2f7d32", "#7b2d8b", "#6b6b00", "#444444")
_INK: Final = "#222222"
_GRID: Final = "#dddddd"
_FONT: Final = "font-family='Helvetica,Arial,sans-serif'"


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps numbers ``low`` to ``high`` onto pixels ``start`` to ``end``; ``ticks`` are labelled."""

    low: float
    high: float
    start: float
    end: float
    ticks: Sequence[float] = ()

    def at(self, value: float) -> float:
        """Return the pixel of a number, held inside the axis."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


@dataclass(slots=True)
class Drawing:
    """An SVG document under construction; sizes in pixels."""

    width: float
    height: float
    title: str
    parts: list[str] = field(default_factory=list)

    def line(self, start: tuple[float, float], end: tuple[float, float], colour: str = _GRID, width: float = 1) -> None:
        """Draw a straight line."""
        (x1, y1), (x2, y2) = start, end
        where = f"x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}'"
        self.parts.append(f"<line {where} stroke='{colour}' stroke-width='{width:g}'/>")

    def path(self, points: Sequence[tuple[float, float]], colour: str) -> None:
        """Join points by lines."""
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f"<polyline points='{places}' fill='none' stroke='{colour}' stroke-width='2'/>")

    def dot(self, x: float, y: float, colour: str) -> None:
        """Draw a dot."""
        self.parts.append(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3.5' fill='{colour}'/>")

    def text(self, where: tuple[float, float], words: str, anchor: str = "start", colour: str = _INK) -> None:
        """Write words; ``anchor`` is start, middle or end."""
        style = f"text-anchor='{anchor}' font-size='12' fill='{colour}' {_FONT}"
        self.parts.append(f"<text x='{where[0]:.1f}' y='{where[1]:.1f}' {style}>{escape(words)}</text>")

    def __str__(self) -> str:
        size = f"viewBox='0 0 {self.width:g} {self.height:g}' width='{self.width:g}' height='{self.height:g}'"
        head = f"<svg xmlns='http://www.w3.org/2000/svg' {size} role='img'><title>{escape(self.title)}</title>"
        paper = f"<rect width='{self.width:g}' height='{self.height:g}' fill='#ffffff'/>"
        return "\n".join([head, paper, *self.parts, "</svg>", ""])


@dataclass(frozen=True, slots=True)
class Dot:
    """A value with the half length of its whisker."""

    value: float
    error: float = 0.0


def curves(
    title: str, names: tuple[str, str], x: Sequence[float], lines: Mapping[str, Sequence[float]], limit: float
) -> str:
    """Return lines over ``x``, values 0 to 100, with a horizontal line at ``limit``; ``names`` of both axes."""
    drawing = Drawing(720, 400, title)
    across = Axis(min(x), max(x), 60, 700, x)
    upward = Axis(0, 100, 350, 40, range(0, 101, 20))
    drawing.text((60, 22), title)
    for tick in upward.ticks:
        drawing.line((60, upward.at(tick)), (700, upward.at(tick)))
        drawing.text((52, upward.at(tick) + 4), f"{tick:g}", "end")
    for tick in across.ticks:
        drawing.text((across.at(tick), 368), f"{tick:g}", "middle")
    drawing.line((60, upward.at(limit)), (700, upward.at(limit)), "#b00020", 1.5)
    drawing.text((696, upward.at(limit) - 5), f"{limit:g} %", "end", "#b00020")
    drawing.text((380, 390), names[0], "middle")
    drawing.text((700, 56), names[1], "end")
    for number, (name, values) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = [(across.at(at), upward.at(value)) for at, value in zip(x, values, strict=True)]
        drawing.path(points, colour)
        for point in points:
            drawing.dot(*point, colour)
        drawing.line((430, 76 + 20 * number), (455, 76 + 20 * number), colour, 2)
        drawing.text((462, 80 + 20 * number), name)
    return str(drawing)


def rows(
    title: str,
    ticks: Sequence[float],
    series: Sequence[str],
    values: dict[str, Sequence[Dot | None]],
    limit: float | None = None,
) -> str:
    """Return a row of dots per name, one of each series; a vertical line stands at ``limit``."""
    height = 90 + 18 * len(values)
    drawing = Drawing(860, height, title)
    across = Axis(ticks[0], ticks[-1], 350, 840, ticks)
    drawing.text((10, 22), title)
    for number, name in enumerate(series):
        drawing.dot(340 + 170 * number, 40, COLOURS[number])
        drawing.text((350 + 170 * number, 44), name)
    for tick in ticks:
        drawing.line((across.at(tick), 58), (across.at(tick), height - 28))
        drawing.text((across.at(tick), height - 10), f"{tick:g}", "middle")
    if limit is not None:
        drawing.line((across.at(limit), 58), (across.at(limit), height - 28), "#b00020", 1.5)
    for place, (name, dots) in enumerate(values.items()):
        y = 72 + 18 * place
        drawing.text((342, y + 4), name, "end")
        for number, dot in enumerate(dots):
            if dot is not None:
                low, high = across.at(dot.value - dot.error), across.at(dot.value + dot.error)
                drawing.line((low, y), (high, y), COLOURS[number], 1.5)
                drawing.dot(across.at(dot.value), y, COLOURS[number])
    return str(drawing)
