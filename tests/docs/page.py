"""Markdown as the tests here need it: fenced blocks, the commands in them, and links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK: Final = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_HERE_DOCUMENT: Final = re.compile(r"<<'(\w+)'\n.*?^\1$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        output: the text block that follows with nothing but a blank line between; None without one.
    """

    language: str
    text: str
    output: str | None

    @property
    def commands(self) -> list[str]:
        """Each command on one line, without the lines that it reads."""
        return [line for line in _HERE_DOCUMENT.sub("", self.text).splitlines() if line.strip()]


def blocks(page: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page in order."""
    found = list(_FENCE.finditer(page))
    for number, fence in enumerate(found):
        following = found[number + 1] if number + 1 < len(found) else None
        adjoining = (
            following is not None and following[1] == "text" and not page[fence.end() : following.start()].strip()
        )
        yield Block(fence[1], fence[2], following[2] if following is not None and adjoining else None)


def links(page: str) -> list[str]:
    """Return what the page links to, code left out."""
    return _LINK.findall(_FENCE.sub("", page))


def anchors(page: str) -> set[str]:
    """Return the fragments that the page's headings answer to."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
