"""What may reach a terminal: no control characters of data, no column cut through a figure."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

# controls of C0 and C1, what turns the direction of text, line ends of Unicode, and halves of surrogate pairs
_UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_GAP: Final = 3  # what rich puts between two columns
_EDGES: Final = 2
SHORTEST_TEXT: Final = 12


def printable(text: str, keep: str = "") -> str:
    r"""Return text as it may be shown: characters that steer a terminal or hide others become ``\u001b``.

    Args:
        text: anything that may hold data.
        keep: control characters to leave as they are.
    """

    def escaped(found: re.Match[str]) -> str:
        return found[0] if found[0] in keep else f"\\u{ord(found[0]):04x}"

    return _UNPRINTABLE.sub(escaped, text)


def can_encode(characters: str) -> bool:
    """Tell whether stdout's encoding has these characters."""
    try:
        characters.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def width_left(widths: Sequence[int], available: int) -> int:
    """Return how wide one more column may be beside columns of these widths; at least 1."""
    return max(1, available - _EDGES - sum(widths) - _GAP * len(widths))


def fitting(widths: Sequence[int], is_text: Sequence[bool], available: int) -> list[int]:
    """Return which columns (by place) fit side by side: the first stays, later ones go, and no figure is cut.

    Args:
        widths: natural width of each column, heading included.
        is_text: whether a column may be shortened to `SHORTEST_TEXT`.
        available: characters in a line, the blanks at its ends included.
    """
    least = [min(width, SHORTEST_TEXT) if text else width for width, text in zip(widths, is_text, strict=True)]
    kept: list[int] = []
    used = 0
    for place, width in enumerate(least):
        if place == 0 or used + _GAP + width <= available - _EDGES:
            kept.append(place)
            used += width + (_GAP if place else 0)
    return kept
