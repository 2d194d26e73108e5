"""What one SQL text is: its verb, its trailing clauses, and where an INSERT's data begins. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pipeline.embedded.clickhouse.errors import QueryError
from pipeline.embedded.clickhouse.tokens import Kind, Token, tokenize

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

READ_VERBS: Final = frozenset({"SELECT", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS"})
_WITH_CLAUSES: Final = READ_VERBS | {"KILL", "CHECK"}
MAX_STATEMENT_BYTES: Final = 2**18  # ClickHouse's max_query_size; an INSERT's data does not count
# Words that cannot name a format: `INSERT … SELECT format FROM t` has a column called format.
_NOT_A_FORMAT: Final = ("FROM", "AS", "WHERE", "ORDER", "GROUP", "LIMIT", "UNION", "IN", "LIKE", "AND", "OR", "IS")

_DATA_GAP: Final = re.compile(rb"[ \t\f]*+\r?\n?")

Settings = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, split into the parts the endpoint handles itself and ``body``, the SQL the engine gets.

    ``settings`` are name and SQL text of the value of each trailing SETTINGS entry (of SET: all entries); ``format`` is
    the FORMAT clause. Both are cut out of ``body`` and ``tokens``. ``data_start`` is where an INSERT's data begins in
    the text, which may be its end (None: it takes none); ``input_span`` is where ``input('structure')`` stands.
    """

    verb: str
    tokens: tuple[Token, ...]
    body: str
    format: str | None = None
    settings: Settings = ()
    data_start: int | None = None
    input_span: tuple[int, int] | None = None
    input_structure: str = ""

    @property
    def is_read(self) -> bool:
        """Whether the statement changes nothing, so that it may run read-only."""
        return self.verb in READ_VERBS

    @property
    def takes_data(self) -> bool:
        """Whether rows follow the statement: in its own text or as the request's body."""
        return self.data_start is not None


def parse(text: bytes, limit: int = MAX_STATEMENT_BYTES) -> Statement:
    """Split ``text`` into its parts, in time and memory that ``limit`` bounds.

    Args:
        text: the statement, and the data of an INSERT; of more than ``limit`` bytes the first ``limit + 1`` are enough.
        limit: the longest statement, in bytes.

    Raises:
        QueryError: (62) there is no statement, more than one, it is too long, or the text is not lexically SQL.
    """
    text = text[: limit + 1]
    try:
        tokens, data_start = _read(text)
    except QueryError as error:
        if len(text) <= limit:
            raise
        raise _too_long(limit) from error  # what is cut off cannot be told from what is wrong
    if len(text if data_start is None else text[:data_start]) > limit:
        raise _too_long(limit)
    if not tokens:
        raise QueryError(62, "Syntax error: Empty query")
    verb = _verb(tokens)
    if verb == "INSERT":
        return _insert(text, tokens, data_start)
    if verb == "SET":
        entries = _entries(text, tokens, 1, len(tokens))
        if entries is None:
            raise QueryError(62, "Syntax error: expected SET name = value, …")
        return Statement(verb, tuple(tokens), _text(text, tokens), settings=entries)
    format_name: str | None = None
    settings: Settings = ()
    if verb in _WITH_CLAUSES:
        tokens, format_name, settings = _without_clauses(text, tokens)
    return Statement(verb, tuple(tokens), _text(text, tokens), format_name, settings)


def splice(statement: Statement, edits: Iterable[tuple[int, int, str]]) -> str:
    """Return the body with spans (start, end in the text's bytes, ascending) replaced."""
    first = statement.tokens[0].start
    body = statement.body.encode(errors="surrogateescape")
    parts: list[bytes] = []
    position = 0
    for start, end, replacement in edits:
        parts += (body[position : start - first], replacement.encode(errors="surrogateescape"))
        position = end - first
    return b"".join((*parts, body[position:])).decode(errors="surrogateescape")


def _text(text: bytes, tokens: Sequence[Token]) -> str:
    return text[tokens[0].start : tokens[-1].end].decode(errors="surrogateescape") if tokens else ""


def _read(text: bytes) -> tuple[list[Token], int | None]:
    """Return the tokens of the one statement and, for an INSERT with data, where the data begins."""
    tokens: list[Token] = []
    depth = 0
    selecting = False
    for token in tokenize(text):
        if token.is_symbol(";"):
            _only_semicolons(text, token.end)
            break
        tokens.append(token)
        depth += token.nesting
        if depth or token.kind is not Kind.WORD or not tokens[0].is_word("INSERT"):
            continue
        selecting = selecting or token.is_word("SELECT", "WITH")
        if tokens[-2:-1] and tokens[-2].is_word("FORMAT") and not token.is_word(*_NOT_A_FORMAT):
            return tokens, _after_format(text, token.end)
        if token.is_word("VALUES") and not selecting:
            return tokens, token.end
    return tokens, None


def _too_long(limit: int) -> QueryError:
    return QueryError(62, f"Syntax error: Max query size exceeded: a statement has at most {limit} bytes here")


def _only_semicolons(text: bytes, position: int) -> None:
    if any(not token.is_symbol(";") for token in tokenize(text[position:])):
        raise QueryError(
            62, f"Syntax error (Multi-statements are not allowed): failed at position {position} (end of query)"
        )


def _after_format(text: bytes, position: int) -> int:
    """Return where data begins after a format name: behind blanks and at most one line end (as ClickHouse does)."""
    match = _DATA_GAP.match(text, position)
    return match.end() if match else position


def _verb(tokens: Sequence[Token]) -> str:
    first = next((token for token in tokens if not token.is_symbol("(")), tokens[0])
    verb = first.text.upper() if first.kind is Kind.WORD else ""
    if verb not in {"WITH", "FROM"}:
        return verb
    # WITH … INSERT INTO is a write; everything else that starts so is a SELECT
    writes = any(one.is_word("INSERT") and two.is_word("INTO") for one, two in pairwise(tokens))
    return "WITH INSERT" if writes else "SELECT"


def _insert(text: bytes, tokens: list[Token], data_start: int | None) -> Statement:
    format_name: str | None = None
    if data_start is not None:
        by_values = tokens[-1].is_word("VALUES") and not tokens[-2].is_word("FORMAT")
        format_name = "Values" if by_values else tokens[-1].text
        tokens = tokens[: -1 if by_values else -2]
    settings: Settings = ()
    for index, token in enumerate(tokens):
        entries = _entries(text, tokens, index + 1, len(tokens)) if token.is_word("SETTINGS") else None
        if entries is not None:
            tokens, settings = tokens[:index], entries
            break
    span, structure = _input_call(tokens)
    if span is None and any(token.is_word("SELECT", "WITH") for token in tokens):
        data_start = None  # INSERT … SELECT … FORMAT X: there is no answer to format and no data to read
    return Statement("INSERT", tuple(tokens), _text(text, tokens), format_name, settings, data_start, span, structure)


def _input_call(tokens: Sequence[Token]) -> tuple[tuple[int, int] | None, str]:
    """Return the byte span of ``FROM input('structure')`` behind FROM, and the structure's literal."""
    for index in range(1, len(tokens) - 3):
        name, opening, structure, closing = tokens[index : index + 4]
        if (
            name.is_name
            and name.value == "input"
            and tokens[index - 1].is_word("FROM")
            and opening.is_symbol("(")
            and structure.kind is Kind.STRING
            and closing.is_symbol(")")
        ):
            return (name.start, closing.end), structure.text
    return None, ""


def _without_clauses(text: bytes, tokens: list[Token]) -> tuple[list[Token], str | None, Settings]:
    """Return the statement proper, its FORMAT and its SETTINGS, which may stand in either order at the end."""
    format_name: str | None = None
    settings: Settings = ()
    for _ in range(2):
        end = len(tokens)
        if end > 2 and tokens[-2].is_word("FORMAT") and tokens[-1].kind is Kind.WORD and format_name is None:
            format_name, tokens = tokens[-1].text, tokens[:-2]
        elif not settings:
            starts = (index for index in range(end - 4, 0, -1) if tokens[index].is_word("SETTINGS"))
            found = next(((i, entries) for i in starts if (entries := _entries(text, tokens, i + 1, end))), None)
            if found is not None:
                tokens, settings = tokens[: found[0]], found[1]
    return tokens, format_name, settings


def _entries(text: bytes, tokens: Sequence[Token], start: int, end: int) -> Settings | None:
    """Return ``name = value, …`` if that, and nothing else, fills the tokens from ``start`` to ``end``."""
    entries: list[tuple[str, str]] = []
    while True:
        if end - start < 3 or not tokens[start].is_name or not tokens[start + 1].is_symbol("="):
            return None
        stop = _end_of_value(tokens, start + 2, end)
        if stop is None:
            return None
        entries.append((tokens[start].value, _text(text, tokens[start + 2 : stop])))
        if stop == end:
            return tuple(entries)
        start = stop + 1


def _end_of_value(tokens: Sequence[Token], start: int, end: int) -> int | None:
    """Return where the literal at ``start`` ends: at a comma outside brackets or at ``end``; None: it is no literal."""
    depth = 0
    for index in range(start, end):
        if tokens[index].is_word("SETTINGS"):
            return None  # so that trying every SETTINGS of a statement takes linear time
        if depth == 0 and tokens[index].is_symbol(","):
            return index if index > start else None
        if depth == 0 and index > start and Kind.SYMBOL not in {tokens[index].kind, tokens[index - 1].kind}:
            return None  # two words side by side: the clause is over
        depth += tokens[index].nesting
        if depth < 0:
            return None
    return end if depth == 0 else None
