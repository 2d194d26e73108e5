from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.embedded.clickhouse import allowlists
from pipeline.embedded.clickhouse.access import Role, User, authenticate, check, check_settings
from pipeline.embedded.clickhouse.errors import QueryError
from pipeline.embedded.clickhouse.request import Credentials
from pipeline.embedded.clickhouse.statement import parse
from tests.embedded.clickhouse.client import Client

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.endpoint import EndpointHandle

_READER = User.of("reader", Role.READER, "r")
_WRITER = User.of("writer", Role.WRITER, "w")


def refusal(sql: str, user: User, current: str = "roi", **parameters: str) -> int:
    statement = parse(sql.encode())
    try:
        check(statement, user, "roi", current, parameters)
    except QueryError as error:
        return error.code
    return 0


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT file('{f}')",
        "SELECT `file`('{f}')",
        "SELECT \"file\" ( '{f}' )",
        "SELECT /* x */ file/**/('{f}')",
        "SELECT fi\u200ble('{f}')",
        "SELECT * APPLY(file) FROM (SELECT '{f}')",
        "SELECT * APPLY file FROM (SELECT '{f}')",
        "SELECT arrayMap(file, ['{f}'])",
        "SELECT * FROM file('{f}')",
        "SELECT * FROM FILE('{f}', 'LineAsString')",
        "SELECT * FROM `File`('{f}', 'LineAsString')",
        "WITH x AS (SELECT * FROM file('{f}')) SELECT * FROM x",
        "SELECT (SELECT count() FROM file('{f}', 'LineAsString'))",
        "SELECT * FROM view(SELECT file('{f}'))",
        "SELECT * FROM '{f}'",
        "SELECT * FROM `{f}`",
        "SELECT * FROM default.`{f}`",
        'SELECT * FROM "default"."{f}"',
        "DESCRIBE file('{f}')",
        "DESCRIBE TABLE default.`{f}`",
        "SHOW CREATE TABLE default.`{f}`",
        "EXISTS TABLE default.`{f}`",
        "EXPLAIN SELECT * FROM file('{f}')",
        "SELECT 1 SETTINGS format_template_row = '{f}' FORMAT Template",
        "SELECT * FROM system.one SETTINGS additional_table_filters = {{'system.one': 'file(''{f}'') != 1'}}",
        "SELECT * FROM executable('cat {f}', 'TSV', 'a String')",
        "SELECT * FROM filesystem('{f}')",
        "SELECT * FROM fileCluster('default', '{f}')",
        "SELECT * FROM cluster('default', file('{f}'))",
        "SELECT * FROM remote('127.0.0.1', file('{f}'))",
        "SELECT * FROM url('file://{f}', 'LineAsString')",
        "SELECT * FROM sqlite('{f}', 't')",
        "SELECT * FROM eval('SELECT file(''{f}'')')",
        "SELECT * FROM merge('', '.*')",
        "FROM file('{f}') SELECT *",
        "SELECT * FROM icebergLocal('{f}')",
        "SELECT * FROM python('{f}')",
        "SELECT * FROM {{table:Identifier}}",
        "SELECT * FROM default.{{table:Identifier}}",
        "INSERT INTO roi.t FROM INFILE '{f}' FORMAT LineAsString",
        "SET format_schema = '{f}'",
        "CREATE TEMPORARY TABLE x AS SELECT * FROM file('{f}')",
        "SELECT 1 INTO OUTFILE '{f}'",
        "SELECT 1 into/**/outfile '{f}' TRUNCATE",
    ],
)
def test_readers_cannot_reach_files(reader: Client, tmp_path: Path, sql: str) -> None:
    secret = tmp_path / "secret.tsv"
    secret.write_text("top-secret-row\n")
    reply = reader.send(sql.format(f=secret), param_table=str(secret))
    assert reply.status >= 400, reply.text
    assert "top-secret-row" not in reply.text
    assert secret.read_text() == "top-secret-row\n"


def test_readers_cannot_tell_whether_a_file_exists(reader: Client, tmp_path: Path) -> None:
    (tmp_path / "there.csv").write_text("1\n")
    for database in ("roi", "default"):
        answers = {
            reader.query(f"EXISTS `{tmp_path / name}`", database=database) for name in ("there.csv", "missing.csv")
        }
        assert answers == {"0\n"}


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO roi.t VALUES (1)",
        "CREATE TABLE roi.t (a Int8) ENGINE = Memory",
        "DROP DATABASE roi",
        "ALTER TABLE roi.t DELETE WHERE 1",
        "KILL MUTATION WHERE 1",
        "SYSTEM SHUTDOWN",
        "OPTIMIZE TABLE roi.t",
        "TRUNCATE TABLE roi.t",
        "RENAME TABLE a TO b",
        "DELETE FROM roi.t WHERE 1",
        "WITH 1 AS x INSERT INTO roi.t SELECT x",
        "CREATE TEMPORARY TABLE t (a Int8)",
    ],
)
def test_readers_cannot_write(sql: str) -> None:
    assert refusal(sql, _READER) == 164


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM system.named_collections",
        "SELECT * FROM `system`.`users`",
        "SELECT * FROM SYSTEM.Grants",
        "GRANT ALL ON *.* TO reader",
        "SELECT 1 SETTINGS readonly = 0",
        "SET readonly = 0",
        "SET dialect = 'prql'",
        "SELECT * FROM {t:Identifier}",
        "BACKUP TABLE t TO File('x')",
        "INSERT INTO a SELECT 1 PARALLEL WITH INSERT INTO b SELECT 1",
        "1 + 1",
        "ATTACH TABLE t",
        "EXECUTE AS other SELECT 1",
    ],
)
def test_readers_are_refused_everything_else_that_is_dangerous(sql: str) -> None:
    assert refusal(sql, _READER, t="system.users") in {62, 164, 497}


def test_sensitive_tables_are_closed_when_system_is_the_current_database() -> None:
    assert refusal("SELECT * FROM users", _READER, current="system") == 497
    assert refusal("SELECT * FROM tables", _READER, current="system") == 0


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT file FROM (SELECT 1 AS x) AS t",
        "SELECT 'file(1)', url, merge, input FROM t",
        "SHOW TABLES",
        "DESCRIBE roi.t",
        "EXPLAIN SELECT 1",
        "SELECT * FROM system.columns",
        "SELECT * FROM t SETTINGS additional_table_filters = {'roi.t': 'name = ''its'''}",
        "SELECT loop FROM numbers(3)",
        "USE roi",
        "SET max_threads = 2",
        "WITH 1 AS system SELECT system.1",
    ],
)
def test_readers_may_read(sql: str) -> None:
    expected = 497 if sql.startswith("SELECT file") else 0  # a bare `file` could be a function: better refused
    assert refusal(sql, _READER) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (a Int8) ENGINE = File(TSV)",
        "CREATE TABLE t (a Int8) ENGINE URL('http://x', TSV)",
        "CREATE TABLE t ENGINE=`File`(TSV)",
        "INSERT INTO FUNCTION file('x', 'TSV', 'a Int8') VALUES (1)",
        "INSERT INTO t SELECT * FROM url('http://x')",
        "CREATE DATABASE other",
        "DROP DATABASE IF EXISTS default",
        "CREATE DATABASE roi ENGINE = MySQL('h', 'd', 'u', 'p')",
        "CREATE USER x",
        "SYSTEM SHUTDOWN",
        "CREATE DICTIONARY d (a Int8) PRIMARY KEY a SOURCE(HTTP(url 'http://x')) LAYOUT(FLAT())",
        "CREATE FUNCTION f AS x -> x",
        "SYSTEM KILL",
        "CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = 'local', path = '/')",
        "DROP USER x",
        "INSERT INTO t SELECT * FROM default.`x.csv`",
        "ATTACH TABLE t FROM '/x' (a Int8) ENGINE = Log",
        "SELECT * FROM input('a Int8')",
        "INSERT INTO t FROM INFILE 'x' FORMAT CSV",
        "RESTORE TABLE t FROM File('x')",
        "CREATE NAMED COLLECTION c AS a = 1",
        "CREATE MATERIALIZED VIEW v ENGINE = File(TSV) AS SELECT 1",
        "CREATE TABLE t (a Int8) ENGINE = Merge('default', '.*')",
        "CREATE TABLE t (a Int8) ENGINE = Merge(REGEXP('roi|default'), '.*')",
        "CREATE TABLE t (a Int8) ENGINE = Merge(default, '.*')",
        "CREATE TABLE t (a Int8) ENGINE = Merge(concat('def', 'ault'), '.*')",
        "CREATE TABLE t (a Int8) ENGINE = Merge('roi', '.*') AS SELECT * FROM merge('', '.*')",
    ],
)
def test_writers_stay_in_their_database(sql: str) -> None:
    assert refusal(sql, _WRITER) in {62, 497}


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE DATABASE IF NOT EXISTS roi",
        "CREATE TABLE roi.t (a Int8) ENGINE = ReplacingMergeTree(a) ORDER BY a SETTINGS fsync_after_insert = 1",
        "CREATE OR REPLACE VIEW roi.v AS SELECT engine, url FROM t",
        "CREATE MATERIALIZED VIEW roi.m TO roi.t AS SELECT 1",
        "DROP VIEW IF EXISTS v",
        "INSERT INTO t SELECT a FROM input('a Int8') FORMAT MsgPack",
        "ALTER TABLE t ADD COLUMN b String",
        "SYSTEM STOP MERGES roi.t",
        "DROP DATABASE roi",
        "KILL QUERY WHERE query_id = 'x' SYNC",
        "OPTIMIZE TABLE t FINAL",
        "CREATE TEMPORARY TABLE x (a Int8)",
        "RENAME TABLE a TO b",
        "TRUNCATE TABLE IF EXISTS t",
        "CREATE TABLE t (a Int8) ENGINE = Merge('roi', '^(a|b)$')",
    ],
)
def test_writers_may_do_their_work(sql: str) -> None:
    assert refusal(sql, _WRITER) == 0


@pytest.mark.parametrize(
    "credentials",
    [
        None,
        Credentials("reader", ""),
        Credentials("reader", "w"),
        Credentials("nobody", "r"),
        Credentials("default", ""),
    ],
)
def test_everybody_needs_the_right_password(credentials: Credentials | None) -> None:
    with pytest.raises(QueryError) as caught:
        authenticate(credentials, {"reader": _READER})
    assert (caught.value.code, caught.value.status) == (516, 401)
    assert authenticate(Credentials("reader", "r"), {"reader": _READER}) is _READER


def test_passwords_stay_out_of_representations() -> None:
    assert "secret" not in repr(Credentials("a", "secret")) + repr(User.of("a", Role.READER, "secret"))


@pytest.mark.parametrize(
    "name", ["format_schema", "Format_Template_Row", "allow_ddl", "s3_truncate_on_insert", "dialect"]
)
def test_settings_that_lift_a_wall_are_refused(name: str) -> None:
    with pytest.raises(QueryError, match="Not enough privileges"):
        check_settings([(name, "1")], _READER)


@pytest.mark.parametrize(
    ("table", "known"),
    [
        ("system.table_functions", allowlists.SAFE_TABLE_FUNCTIONS | allowlists.FORBIDDEN_TABLE_FUNCTIONS),
        ("system.table_engines", allowlists.SAFE_ENGINES | allowlists.FORBIDDEN_ENGINES),
        ("system.tables WHERE database = 'system'", allowlists.SAFE_SYSTEM_TABLES | allowlists.SENSITIVE_SYSTEM_TABLES),
    ],
)
def test_every_name_of_this_engine_is_sorted_in(writer: Client, table: str, known: frozenset[str]) -> None:
    names = {name for (name,) in writer.rows(f"SELECT DISTINCT lower(name) FROM {table}")}
    assert names - known == set(), "decide in allowlists.py what clients may do with these"


def test_safe_and_forbidden_names_are_disjoint() -> None:
    assert not allowlists.SAFE_TABLE_FUNCTIONS & allowlists.FORBIDDEN_TABLE_FUNCTIONS
    assert not allowlists.SAFE_ENGINES & allowlists.FORBIDDEN_ENGINES
    assert not allowlists.SAFE_SYSTEM_TABLES & allowlists.SENSITIVE_SYSTEM_TABLES


def test_engine_itself_refuses_what_slips_through(endpoint: EndpointHandle) -> None:
    reader = Client(endpoint.url, endpoint.reader)
    assert reader.query("SELECT getSetting('readonly')") == "1\n"
    assert reader.query("SELECT getSetting('max_execution_time')", max_execution_time="100000") == "60\n"
