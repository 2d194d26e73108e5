"""What one SQL text is: its verb, its trailing clauses, and where an INSERT's data begins. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pipeline.endpoint.errors import QueryError
from pipeline.endpoint.tokens import Kind, Token, tokenize

READ_VERBS: Final = frozenset({"SELECT", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "CHECK"})
if TYPE_CHECKING:
    from collections.abc import Iterable

_OPENING: Final = frozenset("([{")
_CLOSING: Final = frozenset(")]}")
# Words that cannot name a format: `INSERT … SELECT format FROM t` has a column called format.
_NOT_A_FORMAT: Final = ("FROM", "AS", "WHERE", "ORDER", "GROUP", "LIMIT", "UNION", "IN", "LIKE", "AND", "OR", "IS")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, split into the parts the endpoint handles itself and ``body``, the SQL the engine gets.

    ``settings`` are the name and the SQL text of the value of each trailing SETTINGS entry; ``format`` is the FORMAT
    clause; both are cut out of ``body``. ``data_start`` is where an INSERT's data begins in the text (None: no data).
    """

    verb: str
    tokens: tuple[Token, ...]
    body: str
    format: str | None = None
    settings: tuple[tuple[str, str], ...] = ()
    data_start: int | None = None
    input_span: tuple[int, int] | None = None
    input_structure: str = ""
    text: bytes = field(default=b"", repr=False)

    @property
    def is_read(self) -> bool:
        """Whether the statement changes nothing, so that it may run read-only."""
        return self.verb in READ_VERBS

    @property
    def takes_data(self) -> bool:
        """Whether rows follow the statement: in its own text or as the request's body."""
        return self.data_start is not None


def parse(text: bytes) -> Statement:
    """Split ``text`` into its parts.

    Raises:
        QueryError: (62) there is no statement, more than one, or the text is not lexically SQL.
    """
    tokens, data_start = _read(text)
    if not tokens:
        raise QueryError(62, "Syntax error: Empty query")
    verb = _verb(tokens)
    if verb == "INSERT":
        return _insert(text, tokens, data_start)
    end, format_name, settings = _trailing_clauses(text, tokens) if verb in READ_VERBS | {"KILL"} else (len(tokens), None, ())
    return Statement(verb, tuple(tokens[:end]), _slice(text, tokens, 0, end), format_name, settings, text=text)


def splice(statement: Statement, edits: Iterable[tuple[int, int, str]]) -> str:
    """Return the body with spans (start, end in the text's bytes, ascending) replaced."""
    first = statement.tokens[0].start
    body = statement.body.encode(errors="surrogateescape")
    parts: list[bytes] = []
    position = 0
    for start, end, replacement in edits:
        parts += (body[position:start - first], replacement.encode(errors="surrogateescape"))
        position = end - first
    return b"".join((*parts, body[position:])).decode(errors="surrogateescape")


def _read(text: bytes) -> tuple[list[Token], int | None]:
    """Return the tokens of the one statement and, for an INSERT with data, where the data begins."""
    tokens: list[Token] = []
    depth = 0
    inserting = False
    selecting = False
    for token in tokenize(text):
        if tokens and tokens[-1].is_symbol(";"):
            if token.is_symbol(";"):
                continue
            raise QueryError(62, f"Syntax error (Multi-statements are not allowed): failed at position {tokens[-1].start + 1} "
                                 f"(end of query)")
        tokens.append(token)
        if token.kind is Kind.SYMBOL:
            depth += (token.text in _OPENING) - (token.text in _CLOSING)
        if depth or token.kind is not Kind.WORD:
            continue
        if len(tokens) == 1:
            inserting = token.is_word("INSERT")
        if not inserting:
            continue
        selecting = selecting or token.is_word("SELECT", "WITH")
        if token.is_word("VALUES") and not selecting:
            return tokens, token.end
        previous = tokens[-2] if len(tokens) > 1 else token
        if previous.is_word("FORMAT") and not token.is_word(*_NOT_A_FORMAT):
            return tokens, _after_format(text, token.end)
    if tokens and tokens[-1].is_symbol(";"):
        tokens.pop()
    return tokens, None


def _after_format(text: bytes, position: int) -> int:
    """Return where data begins after a format name: behind blanks and at most one line end (as ClickHouse does)."""
    while text[position:position + 1] in {b" ", b"\t", b"\f"}:
        position += 1
    if text[position:position + 1] == b"\r":
        position += 1
    if text[position:position + 1] == b"\n":
        position += 1
    return position


def _verb(tokens: list[Token]) -> str:
    first = next((token for token in tokens if not token.is_symbol("(")), tokens[0])
    verb = first.text.upper() if first.kind is Kind.WORD else ""
    if verb not in {"WITH", "FROM"}:
        return verb
    # WITH … INSERT INTO is a write; everything else that starts so is a SELECT
    writes = any(one.is_word("INSERT") and two.is_word("INTO") for one, two in zip(tokens, tokens[1:], strict=False))
    return "WITH INSERT" if writes else "SELECT"


def _slice(text: bytes, tokens: list[Token], start: int, end: int) -> str:
    if end <= start:
        return ""
    return text[tokens[start].start:tokens[end - 1].end].decode(errors="surrogateescape")


def _insert(text: bytes, tokens: list[Token], data_start: int | None) -> Statement:
    end = len(tokens)
    format_name: str | None = None
    if data_start is not None:
        format_name = "Values" if tokens[-1].is_word("VALUES") else tokens[-1].text
        end -= 1 if format_name == "Values" and tokens[-1].is_word("VALUES") else 2
    settings: tuple[tuple[str, str], ...] = ()
    for index in range(end):
        found = _settings_clause(text, tokens, index, end)
        if found is not None:
            settings, end = found, index
            break
    span, structure = _input_call(tokens[:end])
    selecting = any(token.is_word("SELECT", "WITH") for token in _outer(tokens[:end]))
    if selecting and span is None:
        data_start = None  # INSERT … SELECT … FORMAT X: there is no result to format and no data to read
    elif not selecting and data_start is None and not any(token.is_word("INFILE") for token in tokens):
        data_start = len(text)
    return Statement("INSERT", tuple(tokens[:end]), _slice(text, tokens, 0, end), format_name, settings, data_start, span,
                     structure, text)


def _outer(tokens: list[Token]) -> list[Token]:
    """Return the tokens outside every bracket, except an opening one, which may hide a SELECT in INSERT INTO t (SELECT …)."""
    outer: list[Token] = []
    depth = 0
    for index, token in enumerate(tokens):
        if token.kind is Kind.SYMBOL:
            depth += (token.text in _OPENING) - (token.text in _CLOSING)
        if depth == 0 or (depth == 1 and index and tokens[index - 1].is_symbol("(")):
            outer.append(token)
    return outer


def _input_call(tokens: list[Token]) -> tuple[tuple[int, int] | None, str]:
    """Return the byte span of ``input('structure')`` and the structure's literal."""
    for index in range(1, len(tokens) - 3):
        name, opening, structure, closing = tokens[index:index + 4]
        if (name.is_name and name.value == "input" and tokens[index - 1].is_word("FROM") and opening.is_symbol("(")
                and structure.kind is Kind.STRING and closing.is_symbol(")")):
            return (name.start, closing.end), structure.text
    return None, ""


def _trailing_clauses(text: bytes, tokens: list[Token]) -> tuple[int, str | None, tuple[tuple[str, str], ...]]:
    """Return where the statement proper ends, its FORMAT and its SETTINGS (which may stand in either order)."""
    end = len(tokens)
    format_name: str | None = None
    settings: tuple[tuple[str, str], ...] = ()
    while True:
        if format_name is None and end > 2 and tokens[end - 2].is_word("FORMAT") and tokens[end - 1].kind is Kind.WORD:
            format_name = tokens[end - 1].text
            end -= 2
            continue
        found = next(
            ((index, clause) for index in range(end - 3, 0, -1)
             if (clause := _settings_clause(text, tokens, index, end)) is not None), None)
        if found is None or settings:
            return end, format_name, settings
        end, settings = found


def _settings_clause(
    text: bytes, tokens: list[Token], index: int, end: int,
) -> tuple[tuple[str, str], ...] | None:
    """Return the entries of the SETTINGS clause that starts at ``index`` and fills the rest, None if there is none."""
    if not tokens[index].is_word("SETTINGS"):
        return None
    entries: list[tuple[str, str]] = []
    index += 1
    while index < end:
        if index + 2 >= end + 0 and index + 2 > end - 1:
            return None
        name, equals = tokens[index], tokens[index + 1]
        if not (name.is_name and equals.is_symbol("=")):
            return None
        stop = _end_of_value(tokens, index + 2, end)
        if stop is None:
            return None
        entries.append((name.value, _slice(text, tokens, index + 2, stop)))
        index = stop + 1
        if stop < end and index >= end:
            return None  # a comma with nothing behind it
    return tuple(entries) or None


def _end_of_value(tokens: list[Token], start: int, end: int) -> int | None:
    """Return where a setting's value ends: at a comma outside brackets or at the end; None if it is no literal."""
    depth = 0
    for index in range(start, end):
        token = tokens[index]
        if token.is_symbol(",") and depth == 0:
            return index if index > start else None
        if token.kind is Kind.SYMBOL:
            depth += (token.text in _OPENING) - (token.text in _CLOSING)
            if depth < 0:
                return None
        elif depth == 0 and index > start and not tokens[index - 1].kind is Kind.SYMBOL:
            return None  # two words side by side: the clause ended before
    return end if depth == 0 and end > start else None
