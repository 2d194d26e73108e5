from __future__ import annotations

import socket
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pipeline.embedded.clickhouse.errors import QueryError
from pipeline.embedded.clickhouse.query_pools import QueryPools
from tests.embedded.clickhouse.client import Client, Reply
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.support.endpoint import EndpointHandle

_ENDLESS = (
    "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number)) SETTINGS max_execution_time = 50"
)
_ENDLESS_STREAM = "SELECT number, sipHash64(number) FROM numbers(1000000000000) FORMAT RowBinary"
_SLOW_INSERT = "INSERT INTO roi.sink SELECT a FROM input('a UInt64') WHERE sleepEachRow(0.01) = 0 FORMAT TSV"


def _in_background(
    client: Client, sql: str, body: bytes = b"", **parameters: str
) -> tuple[threading.Thread, list[Reply]]:
    replies: list[Reply] = []
    thread = threading.Thread(target=lambda: replies.append(client.send(sql, body, parameters=parameters)))
    thread.start()
    return thread, replies


def _running(writer: Client, query_id: str) -> bool:
    return writer.query(f"SELECT count() FROM system.processes WHERE query_id = '{query_id}'") == "1\n"


def _gone(writer: Client, query_id: str) -> bool:
    return not _running(writer, query_id)


def _open(endpoint: EndpointHandle, sql: str, query_id: str) -> socket.socket:
    name, password = endpoint.reader
    connection = socket.create_connection((endpoint.host, endpoint.port))
    path = f"/?query_id={query_id}&user={name}&password={password}"
    connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(sql)}\r\n\r\n{sql}".encode())
    return connection


def test_processes_show_the_names_clients_gave(reader: Client, writer: Client) -> None:
    rows = reader.rows("SELECT query_id, user, initial_query_id FROM system.processes AS p", query_id="it's:mine")
    assert rows == [["it's:mine", "roi_reader", "it's:mine"]]
    assert writer.rows("SELECT processes.user FROM system.processes", query_id="x") == [["roi_writer"]]


def test_kill_by_query_id_waits_for_the_end(reader: Client, writer: Client) -> None:
    thread, replies = _in_background(reader, _ENDLESS, query_id="long")
    wait_until(lambda: _running(writer, "long"), 10)
    start = time.monotonic()
    answer = writer.rows("KILL QUERY WHERE query_id = 'long' SYNC")
    assert time.monotonic() - start < 2
    assert [row[:3] for row in answer] == [["finished", "long", "roi_reader"]]
    assert not _running(writer, "long")
    thread.join()
    assert replies[0].code == 394
    assert writer.query("KILL QUERY WHERE query_id = 'long' SYNC") == ""


def test_killed_insert_leaves_no_rows(writer: Client) -> None:
    writer.query("CREATE TABLE roi.sink (a UInt64) ENGINE = MergeTree ORDER BY a")
    thread, replies = _in_background(
        writer, _SLOW_INSERT, b"1\n" * 2000, query_id="insert", function_sleep_max_microseconds_per_block="60000000"
    )
    wait_until(lambda: _running(writer, "insert"), 10)
    writer.query("KILL QUERY WHERE query_id = 'insert' AND user = 'roi_writer' SYNC")
    thread.join()
    assert replies[0].code == 394
    assert writer.query("SELECT count() FROM roi.sink") == "0\n"


def test_kill_reaches_no_query_that_does_not_match(reader: Client, writer: Client) -> None:
    thread, replies = _in_background(reader, _ENDLESS, query_id="stays")
    wait_until(lambda: _running(writer, "stays"), 10)
    assert writer.query("KILL QUERY WHERE query_id = 'other' OR user = 'nobody' SYNC") == ""
    assert _running(writer, "stays")
    writer.query("KILL QUERY WHERE query LIKE '%sipHash64%' AND query_id = 'stays' ASYNC")
    thread.join()
    assert replies[0].code == 394


def test_query_of_a_client_that_left_is_dead_within_a_second(endpoint: EndpointHandle, writer: Client) -> None:
    for query_id, sql in (("gone", _ENDLESS), ("gone-stream", _ENDLESS_STREAM)):
        connection = _open(endpoint, sql, query_id)
        wait_until(partial(_running, writer, query_id), 10)
        connection.close()
        left = time.monotonic()
        wait_until(partial(_gone, writer, query_id), 10)
        assert time.monotonic() - left < 1


def test_same_query_id_cannot_run_twice(reader: Client, writer: Client) -> None:
    thread, _ = _in_background(reader, _ENDLESS, query_id="twice")
    wait_until(lambda: _running(writer, "twice"), 10)
    assert reader.fails("SELECT 1", query_id="twice") == 216
    writer.query("KILL QUERY WHERE query_id = 'twice' SYNC")
    thread.join()


def test_long_reads_hold_up_neither_inserts_nor_kills(endpoint: EndpointHandle, reader: Client, writer: Client) -> None:
    writer.query("CREATE TABLE roi.busy (a UInt64) ENGINE = MergeTree ORDER BY a")
    sleeping = "SELECT sleepEachRow(1) FROM numbers(30) SETTINGS max_block_size = 1, max_threads = 1"
    threads = [_in_background(reader, sleeping, query_id=f"busy-{number}")[0] for number in range(40)]
    wait_until(lambda: len(writer.rows("KILL QUERY WHERE query_id = 'none' SYNC")) == 0, 10)
    start = time.monotonic()
    for number in range(5):
        writer.query(f"INSERT INTO roi.busy VALUES ({number})")
    assert time.monotonic() - start < 5
    while any(thread.is_alive() for thread in threads):
        writer.query("KILL QUERY WHERE query_id LIKE 'busy-%' SYNC")


def test_slow_reader_of_a_stream_blocks_nobody(endpoint: EndpointHandle, reader: Client, writer: Client) -> None:
    connections = [_open(endpoint, _ENDLESS_STREAM, f"slow-{number}") for number in range(20)]
    assert reader.query("SELECT 1") == "1\n"
    writer.query("CREATE TABLE IF NOT EXISTS roi.unblocked (a UInt64) ENGINE = MergeTree ORDER BY a")
    for connection in connections:
        connection.close()
    wait_until(lambda: writer.query("SELECT count() FROM system.processes") == "1\n", 10)


def test_max_execution_time_is_kept(reader: Client) -> None:
    assert (
        reader.fails(
            "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))", max_execution_time="1"
        )
        == 159
    )


def test_sigterm_stops_within_three_seconds(endpoint: EndpointHandle, reader: Client) -> None:
    thread, _ = _in_background(reader, _ENDLESS, query_id="last")
    wait_until(lambda: _running(Client(endpoint.url, endpoint.writer), "last"), 10)
    start = time.monotonic()
    endpoint.process.terminate()
    endpoint.process.wait(5)
    assert time.monotonic() - start < 3
    thread.join()


async def test_what_comes_while_the_endpoint_is_being_stopped_is_refused() -> None:
    pools = QueryPools(reads=1, writes=1)
    await pools.stop(0)
    with pytest.raises(QueryError, match="Server is shutting down"):
        await pools.analyse(lambda: None, 1)
