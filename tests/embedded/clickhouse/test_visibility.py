"""What a reader sees of the server and of others: nothing but its own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.embedded.clickhouse.client import Client
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.endpoint import EndpointHandle

_ENDLESS = (
    "SELECT count() /* SECRET */ FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number)) "
    "SETTINGS max_execution_time = 50"
)


def _start(client: Client, query_id: str) -> threading.Thread:
    thread = threading.Thread(target=client.send, args=(_ENDLESS,), kwargs={"query_id": query_id})
    thread.start()
    return thread


def _runs(writer: Client, query_id: str) -> bool:
    return writer.query(f"SELECT count() FROM system.processes WHERE query_id = '{query_id}'") == "1\n"


@pytest.fixture(scope="module")
def writers_query(endpoint: EndpointHandle) -> Iterator[str]:
    writer = Client(endpoint.url, endpoint.writer)
    thread = _start(writer, "writers")
    wait_until(lambda: _runs(writer, "writers"), 10)
    yield "writers"
    writer.query("KILL QUERY WHERE query_id = 'writers' SYNC")
    thread.join()


@pytest.mark.parametrize(
    "sql",
    [
        "SHOW PROCESSLIST",
        "SHOW PROCESSLIST FORMAT JSON",
        "SELECT * FROM system.processes",
        'SELECT * FROM `system`."processes" AS p',
        "SELECT * FROM system . processes WHERE 1 FORMAT Vertical",
        "SELECT * FROM system.one, system.processes",
        "SELECT * FROM system.one JOIN system.processes ON 1 = 1",
        "SELECT system.processes.query FROM system.processes",
        "WITH x AS (SELECT * FROM system.processes) SELECT * FROM x",
        "SELECT (SELECT groupArray(query) FROM system.processes)",
        "SELECT * FROM view(SELECT * FROM system.processes)",
        "SHOW TABLES FROM system WHERE (SELECT count() FROM system.processes WHERE query LIKE '%SECRET%') > 1",
        "SELECT * FROM (system.processes)",
        "SELECT 1 WHERE '' IN system.processes",
        "SELECT * FROM {t:Identifier}",
        "SELECT * FROM system.{p:Identifier}",
        "SELECT * FROM {s:Identifier}.processes",
        "SELECT * FROM loop(system, processes)",
        "SELECT * FROM merge('system', 'proc.*')",
        "FROM system.processes SELECT *",
        "KILL QUERY WHERE query_id = 'writers'",
        "KILL QUERY WHERE 1) OR (1",
        "KILL QUERY WHERE 0) UNION ALL SELECT Settings['log_comment'], 'a', 'b', query FROM system.processes WHERE (1",
    ],
)
@pytest.mark.parametrize("database", ["roi", "system"])
def test_readers_see_no_query_of_others(reader: Client, writers_query: str, sql: str, database: str) -> None:
    reply = reader.send(
        sql, database=database, param_t="system.processes", param_p="processes", param_s="system", query_id="mine"
    )
    assert b"sipHash64" not in reply.body
    assert _runs(Client(reader.url, reader.user), writers_query) is False


@pytest.mark.parametrize("sql", ["SELECT * FROM processes", "SELECT * FROM processes AS p JOIN one ON 1 = 1"])
def test_readers_see_themselves_only_within_system(reader: Client, writers_query: str, sql: str) -> None:
    text = reader.query(sql, database="system", query_id="mine")
    assert ("mine" in text, writers_query in text) == (True, False)


def test_readers_see_their_own_queries_and_writers_all(reader: Client, writer: Client, writers_query: str) -> None:
    sql = "SELECT DISTINCT query_id FROM system.processes ORDER BY query_id"
    assert reader.rows(sql, query_id="mine") == [["mine"]]
    assert writer.rows(sql, query_id="my") == [["my"], [writers_query]]
    assert reader.query("SHOW PROCESSLIST", query_id="mine").count("\n") == 1
    assert "my" in writer.query("SHOW PROCESSLIST", query_id="my")


def test_readers_end_their_own_queries(reader: Client, writer: Client, writers_query: str) -> None:
    threads = [_start(reader, name) for name in ("own-1", "own-2")]
    wait_until(lambda: _runs(writer, "own-1") and _runs(writer, "own-2"), 10)
    assert [row[:3] for row in reader.rows("KILL QUERY WHERE query_id = 'own-1' SYNC")] == [
        ["finished", "own-1", "roi_reader"]
    ]
    assert not _runs(writer, "own-1")
    assert [row[1] for row in reader.rows("KILL QUERY WHERE 1 SYNC")] == ["own-2"]
    for thread in threads:
        thread.join()
    assert _runs(writer, writers_query)


@pytest.mark.parametrize(
    "condition",
    ["(SELECT file('/etc/passwd')) != ''", "query_id IN (SELECT a FROM file('/etc/passwd', 'CSV', 'a String'))"],
)
def test_conditions_of_a_readers_kill_may_only_read(reader: Client, condition: str) -> None:
    assert reader.fails(f"KILL QUERY WHERE {condition}") == 497
    assert reader.send("KILL QUERY WHERE 1", method="GET").code == 164


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT getServerSetting('path')",
        "SELECT * FROM system.server_settings",
        "SELECT * FROM system.disks",
        "SELECT * FROM system.tables",
        "SELECT * FROM system.databases",
        "SELECT * FROM system.parts",
        "SELECT data_paths FROM system.tables WHERE database = 'roi'",
        "SELECT * FROM system.detached_tables",
        "SELECT * FROM system.parts_columns",
        "SELECT * FROM {t:Identifier}",
    ],
)
def test_readers_see_no_path(endpoint: EndpointHandle, reader: Client, writer: Client, sql: str) -> None:
    writer.query("CREATE TABLE IF NOT EXISTS roi.t (a UInt64) ENGINE = MergeTree ORDER BY a")
    writer.query("INSERT INTO roi.t VALUES (1)")
    for database in ("roi", "system"):
        reply = reader.send(
            sql.replace("system.", "" if database == "system" else "system."),
            database=database,
            param_t="system.tables",
        )
        assert str(endpoint.path).encode() not in reply.body
        assert b"store/" not in reply.body


def test_readers_still_list_tables_as_clients_do(reader: Client, writer: Client) -> None:
    writer.query("CREATE TABLE IF NOT EXISTS roi.t (a UInt64) ENGINE = MergeTree ORDER BY a")
    assert ["t"] in reader.rows("SELECT name FROM system.tables WHERE database = 'roi'")
    assert ["t"] in reader.rows("SELECT tables.name FROM system.tables WHERE system.tables.database = 'roi'")
    by_jdbc = (
        "SELECT t.name, empty(t.data_paths) FROM system.tables t JOIN system.databases AS d "
        "ON system.tables.database = system.databases.name WHERE t.database = 'roi' AND t.name = 't'"
    )
    assert reader.rows(by_jdbc) == [["t", 0]]
    assert reader.query("DESCRIBE TABLE system.processes") != ""
    assert reader.query("EXISTS system.tables") == "1\n"
