from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.embedded.clickhouse.errors import QueryError
from pipeline.embedded.clickhouse.tokens import Kind, Token, tokenize
from tests.support.depth import depth

if TYPE_CHECKING:
    from tests.embedded.clickhouse.client import Client

_NAMED = {"BareWord": Kind.WORD, "QuotedIdentifier": Kind.QUOTED, "StringLiteral": Kind.STRING, "HereDoc": Kind.STRING}
_FRAGMENTS = st.sampled_from(
    [
        "SELECT",
        "file",
        "`fi``le`",
        '"x"',
        "'a'",
        "'a''b'",
        "'a\\'b'",
        "--",
        "-- c\n",
        "/*",
        "*/",
        "/* a */",
        "#",
        "# c\n",
        "#!c\n",
        "//",
        "$$",
        "$a$",
        "$",
        "$$q'$$",
        "1",
        "1.",
        "1.5e3",
        "0x1F",
        "1_0",
        ".",
        ",",
        "(",
        ")",
        "{",
        "}",
        ";",
        "::",
        "->",
        "@@",
        "x'41'",
        "B'01'",
        "x'\\'",
        "E'a'",
        "a$b",
        "$a",
        "1$",
        " ",
        "\n",
        "\t",
        "\u2018u\u2019",
        "\u201cv\u201d",
        "\u2212",
        "\u00a0",
        "\ufeff",
        "é",
        "\\",
        "'",
        '"',
        "`",
        "|>",
        "<=>",
        "~",
        "?",
        "[",
        "]",
    ]
)
_TEXTS = st.lists(_FRAGMENTS, max_size=12).map("".join)


def _spans(tokens: list[Token]) -> list[tuple[int, int, Kind]]:
    return [(token.start, token.end, token.kind) for token in tokens if token.kind in _NAMED.values()]


@settings(max_examples=depth(400), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_TEXTS)
@example(".1SELECT")  # a number and a key word to the engine: refused
@example("1.E'a'")  # an exponent without digits belongs to the number all the same
def test_names_and_strings_are_where_the_engine_sees_them(reader: Client, text: str) -> None:
    parameter = text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
    [[seen]] = reader.rows(
        "SELECT tokenizeQuery({q:String})", param_q=parameter, output_format_json_named_tuples_as_objects="0"
    )
    if any(kind.startswith(("Error", "DollarSign")) for _, _, kind in seen):
        return  # the engine refuses the whole text
    try:
        mine = list(tokenize(text.encode()))
    except QueryError:
        return  # refused here as well: never a different reading
    # the engine calls 0x1z a word, here it is a number: no key word or function begins with a digit
    expected = [
        (start, end, _NAMED[kind])
        for start, end, kind in seen
        if kind in _NAMED and not text.encode()[start:end][:1].isdigit()
    ]
    assert _spans(mine) == expected


@given(st.binary(max_size=60))
def test_any_bytes_are_tokens_or_a_syntax_error(text: bytes) -> None:
    try:
        tokens = list(tokenize(text))
    except QueryError:
        return
    assert all(text[token.start : token.end].decode(errors="surrogateescape") == token.text for token in tokens)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1 /* a /* b */ + 'x' */, `y`",
        "SELECT $$ it's $$, \u2018quoted\u2019 \u22121",
        "SELECT a.1.b, x::Int8, {p:String}",
        "SELECT 'it''s', 'it\\'s', [1, 2], map('a', 1)['a']",
        "SELECT 1e-5, .5, 1_000, 0x1p-3 -- end",
    ],
)
def test_ordinary_sql_is_accepted(text: str) -> None:
    assert list(tokenize(text.encode()))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'it''s'", "it's"),
        ("'a\\'b\\n'", "a'b\n"),
        ("`a``b`", "a`b"),
        ('"a""b"', 'a"b'),
        ("$$a'b$$", "a'b"),
        ("$t$a$$b$t$", "a$$b"),
        ("\u2018a\u2019", "a"),
        ("word", "word"),
    ],
)
def test_values_have_neither_quotes_nor_escapes(text: str, value: str) -> None:
    [token] = tokenize(text.encode())
    assert token.value == value


def test_data_behind_a_token_is_not_read() -> None:
    tokens = tokenize(b"INSERT \xff\xfe not sql '")
    assert next(tokens).text == "INSERT"
    with pytest.raises(QueryError):
        next(tokens)
