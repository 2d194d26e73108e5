"""Lines out of pieces of text, many at a time: one split in C for each piece."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def stripped(line: bytes) -> bytes:
    """Return a line without white space around it, and without the mark that a file put behind another begins with."""
    text = line.strip()
    return text[len(_BYTE_ORDER_MARK) :].lstrip() if text.startswith(_BYTE_ORDER_MARK) else text


def batches_of_lines(chunks: Iterable[bytes], longest: int) -> Iterator[list[bytes]]:
    r"""Yield the lines of a text in order, without their ``\n``; the last one may lack it.

    Memory is bounded by ``longest`` whatever the text: of a longer line, ``longest + 1`` bytes or more are kept, enough
    to tell that it is too long.
    """
    rest = b""
    for chunk in chunks:
        head, *others = chunk.split(b"\n")
        if len(rest) <= longest:
            rest += head
        if others:
            last = others.pop()
            yield [rest, *others]
            rest = last
    if rest:
        yield [rest]
