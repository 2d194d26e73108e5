from __future__ import annotations

import pytest

from pipeline.embedded.clickhouse.errors import QueryError
from pipeline.embedded.clickhouse.plan import View, insert_sql, make_plan
from pipeline.embedded.clickhouse.statement import parse


@pytest.mark.parametrize(
    ("sql", "verb"),
    [
        ("select 1", "SELECT"),
        ("((SELECT 1))", "SELECT"),
        ("/* insert */ -- x\n SELECT 1", "SELECT"),
        ("WITH 1 AS x SELECT x", "SELECT"),
        ("FROM t SELECT a", "SELECT"),
        ("WITH 1 AS x INSERT INTO t SELECT x", "WITH INSERT"),
        ("INSERT INTO t VALUES (1)", "INSERT"),
        ("KILL QUERY WHERE 1", "KILL"),
        ("'SELECT'", ""),
        ("`select` 1", ""),
    ],
)
def test_verb_is_the_first_word(sql: str, verb: str) -> None:
    assert parse(sql.encode()).verb == verb


@pytest.mark.parametrize("sql", ["", "  -- nothing", ";", "/* */"])
def test_no_statement_is_a_syntax_error(sql: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(sql.encode())
    assert caught.value.code == 62


@pytest.mark.parametrize(
    "sql", ["SELECT 1; SELECT 2", "SELECT 1;;x", "SELECT 1; /* a */ DROP TABLE t", "CREATE TABLE t; SELECT 1"]
)
def test_two_statements_are_refused(sql: str) -> None:
    with pytest.raises(QueryError, match="Multi-statements"):
        parse(sql.encode())


@pytest.mark.parametrize(
    "sql", ["SELECT 1;", "SELECT 1 ;; -- end", "SELECT ';'", "SELECT 1 /* ; */", "SELECT `;`", "SELECT $$;$$"]
)
def test_semicolons_in_strings_and_at_the_end_separate_nothing(sql: str) -> None:
    assert parse(sql.encode()).verb == "SELECT"


@pytest.mark.parametrize(
    ("sql", "body", "format_name", "settings"),
    [
        ("SELECT 1 FORMAT JSON", "SELECT 1", "JSON", ()),
        ("SELECT 1 SETTINGS a = 1, b='x' FORMAT CSV", "SELECT 1", "CSV", (("a", "1"), ("b", "'x'"))),
        ("SELECT 1 FORMAT CSV SETTINGS a = {'k': 'v', 'l': 1}", "SELECT 1", "CSV", (("a", "{'k': 'v', 'l': 1}"),)),
        ("SELECT 3 AS format", "SELECT 3 AS format", None, ()),
        ("SELECT settings FROM (SELECT 3 AS settings)", "SELECT settings FROM (SELECT 3 AS settings)", None, ()),
        ("SELECT * FROM (SELECT 1 SETTINGS a = 1)", "SELECT * FROM (SELECT 1 SETTINGS a = 1)", None, ()),
        ("SELECT 1 SETTINGS a = -1", "SELECT 1", None, (("a", "-1"),)),
        ("SHOW TABLES LIKE 'FORMAT x' FORMAT TSV", "SHOW TABLES LIKE 'FORMAT x'", "TSV", ()),
    ],
)
def test_trailing_clauses_are_cut(
    sql: str, body: str, format_name: str | None, settings: tuple[tuple[str, str], ...]
) -> None:
    statement = parse(sql.encode())
    assert (statement.body, statement.format, statement.settings) == (body, format_name, settings)


@pytest.mark.parametrize(
    ("sql", "data"),
    [
        ("INSERT INTO t VALUES (1),(2)", b" (1),(2)"),
        ("INSERT INTO t (a, b) FORMAT CSV\n1,2\n", b"1,2\n"),
        ("INSERT INTO t FORMAT TSV \r\n\t1\n", b"\t1\n"),
        ('INSERT INTO t SETTINGS async_insert=1 FORMAT JSONEachRow {"a":1}', b'{"a":1}'),
        ("INSERT INTO t FORMAT Native", b""),
        ("INSERT INTO t (values) VALUES ('FORMAT CSV')", b" ('FORMAT CSV')"),
        ("INSERT INTO t FORMAT Values (1)", b"(1)"),
        ("INSERT INTO t FORMAT CSV\n'unclosed; SELECT", b"'unclosed; SELECT"),
        ("INSERT INTO t SELECT a FROM input('a Int8') FORMAT CSV\n1", b"1"),
    ],
)
def test_data_begins_where_clickhouse_begins(sql: str, data: bytes) -> None:
    text = sql.encode()
    assert text[parse(text).data_start :] == data


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t SELECT 1",
        "INSERT INTO t SELECT format FROM u",
        "INSERT INTO t WITH 1 AS x SELECT x",
        "INSERT INTO t (SELECT 1)",
        "INSERT INTO t (a)",
        "INSERT INTO t SELECT 'input(1)' FORMAT CSV",
    ],
)
def test_insert_select_takes_no_data(sql: str) -> None:
    assert not parse(sql.encode()).takes_data


def test_input_becomes_file_and_nothing_else_changes() -> None:
    statement = parse(
        "INSERT INTO t (a) SELECT a, 'é input(''x'')' FROM input('a Int64') "
        "WHERE NOT throwIf(0, 'F') FORMAT MsgPack".encode()
    )
    assert insert_sql(statement, "TSV", "/p'") == (
        "INSERT INTO t (a) SELECT a, 'é input(''x'')' FROM file('/p\\'', 'MsgPack', 'a Int64') "
        "WHERE NOT throwIf(0, 'F')"
    )


def test_plain_insert_reads_its_body_from_the_path() -> None:
    statement = parse(b"INSERT INTO t (a) SETTINGS max_threads = 3 VALUES (1)")
    plan = make_plan(statement, {}, "TSV", "/p", View(None, "roi"))
    assert plan.sql == "INSERT INTO t (a) FROM INFILE '/p' FORMAT Values"
    assert plan.settings["max_threads"] == "3"
