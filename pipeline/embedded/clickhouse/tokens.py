"""The lexer of ClickHouse's SQL, over bytes and lazy: data behind an INSERT's FORMAT clause is never read.

It decides access, so it fails closed: whatever ClickHouse's own lexer might read differently is a syntax error here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from pipeline.embedded.clickhouse.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kind(Enum):
    """What a token is; comments and white space are no tokens."""

    WORD = auto()
    QUOTED = auto()  # an identifier in backticks or double quotes
    STRING = auto()
    NUMBER = auto()
    SYMBOL = auto()


# Unicode spaces ClickHouse skips: U+0085, 00A0, 180E, 2000-200D, 2028, 2029, 202F, 205F, 2060, 3000, FEFF
_SPACE: Final = (
    rb"(?:[ \t\n\r\f\v]++|\xc2[\x85\xa0]|\xe1\xa0\x8e|\xe2\x80[\x80-\x8d\xa8\xa9\xaf]|\xe2\x81[\x9f\xa0]"
    rb"|\xe3\x80\x80|\xef\xbb\xbf)++"
)
_LEXEME: Final = re.compile(
    rb"(?P<space>" + _SPACE + rb")"
    rb"|(?P<comment>(?:--|//|\#[ !])[^\n]*)"
    rb"|(?P<block>/\*)"
    rb"|(?P<bits>[xXbB]'[^']*')"
    rb"|(?P<word>[A-Za-z_][A-Za-z0-9_$]*)"
    rb"|(?P<number>[0-9][0-9A-Za-z_]*(?:\.[0-9_]*(?:[eE][+-]?[0-9_]*)?)?)"
    rb"|(?P<string>'(?:[^'\\]+|\\.|'')*+'|\xe2\x80\x98.*?\xe2\x80\x99)"
    rb"|(?P<heredoc>\$(?P<tag>[A-Za-z0-9_]*)\$.*?\$(?P=tag)\$)"
    rb"|(?P<quoted>`(?:[^`\\]+|\\.|``)*+`|\"(?:[^\"\\]+|\\.|\"\")*+\"|\xe2\x80\x9c.*?\xe2\x80\x9d)"
    rb"|(?P<symbol>[()\[\]{},;.+\-*/%=<>!|&:?@^]|\xe2\x88\x92)",
    re.DOTALL,
)
_BLOCK_EDGE: Final = re.compile(rb"/\*|\*/")
_KINDS: Final = {
    "word": Kind.WORD,
    "number": Kind.NUMBER,
    "string": Kind.STRING,
    "heredoc": Kind.STRING,
    "bits": Kind.STRING,
    "quoted": Kind.QUOTED,
    "symbol": Kind.SYMBOL,
}
_ESCAPE: Final = re.compile(r"\\(.)|(''|``|\"\")", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "f": "\f", "a": "\a", "v": "\v"}


@dataclass(frozen=True, slots=True)
class Token:
    """One token and where it stands in the statement's bytes."""

    kind: Kind
    text: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        """Tell whether this is one of the (upper-case) key words, unquoted."""
        return self.kind is Kind.WORD and self.text.upper() in words

    def is_symbol(self, symbol: str) -> bool:
        """Tell whether this is that one-character symbol."""
        return self.kind is Kind.SYMBOL and self.text == symbol

    @property
    def is_name(self) -> bool:
        """Whether this can be an identifier."""
        return self.kind in {Kind.WORD, Kind.QUOTED}

    @property
    def nesting(self) -> int:
        """How many brackets this opens (1), closes (-1) or leaves as they are (0)."""
        if self.kind is not Kind.SYMBOL:
            return 0
        return (self.text in "([{") - (self.text in ")]}")

    @property
    def value(self) -> str:
        """The text without quotes and escapes."""
        if self.kind not in {Kind.QUOTED, Kind.STRING}:
            return self.text
        if self.text[0] in "xXbB":
            return self.text[2:-1]
        if self.text.startswith("$"):
            tag = self.text.index("$", 1) + 1
            return self.text[tag:-tag]
        return _ESCAPE.sub(_unescape, self.text[1:-1])


def _unescape(match: re.Match[str]) -> str:
    letter, doubled = match.groups()
    return doubled[0] if doubled else _ESCAPED.get(letter, letter)


def tokenize(sql: bytes) -> Iterator[Token]:
    """Yield the tokens of ``sql`` one by one.

    Raises:
        QueryError: (62) at the first byte that ClickHouse would not read as SQL.
    """
    position = 0
    while position < len(sql):
        match = _LEXEME.match(sql, position)
        if match is None:
            raise QueryError(62, f"Syntax error: failed at position {position + 1}: unrecognized token")
        group = match.lastgroup or ""
        if group == "block":
            position = _end_of_block(sql, match.end())
            continue
        kind = _KINDS.get(group)
        if kind is not None:
            text = match.group().decode(errors="surrogateescape")
            if _is_ambiguous(sql, kind, text, match.start(), match.end()):
                raise QueryError(62, f"Syntax error: failed at position {position + 1}: ambiguous number")
            yield Token(kind, text, match.start(), match.end())
        position = match.end()


def _is_ambiguous(sql: bytes, kind: Kind, text: str, start: int, end: int) -> bool:
    """Tell whether what is number and what is a word or comment depends on more than the bytes at hand.

    Such are .1SELECT and t.1e5, 1e--x (to ClickHouse no comment), 1e5.executable, and a text that begins with a dot.
    """
    if kind is Kind.SYMBOL:
        return text == "." and start == 0
    if kind is not Kind.NUMBER:
        return False
    if sql[start - 1 : start] == b"." and not text.removesuffix(".").isdigit():
        return True
    whole, dot, _ = text.partition(".")
    if dot and not whole.replace("_", "").isdigit():
        return True
    return text[-1] in "eE" and sql[end : end + 2] == b"--"


def _end_of_block(sql: bytes, position: int) -> int:
    """Return where a block comment ends; ClickHouse nests them."""
    depth = 1
    while depth:
        edge = _BLOCK_EDGE.search(sql, position)
        if edge is None:
            raise QueryError(62, "Syntax error: Multiline comment is not closed")
        depth += 1 if edge.group() == b"/*" else -1
        position = edge.end()
    return position
