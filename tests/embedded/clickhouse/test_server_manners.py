"""Smaller things that clients know from a ClickHouse server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.embedded.clickhouse.client import Client

if TYPE_CHECKING:
    from tests.embedded.clickhouse.client import Reply
    from tests.support.endpoint import EndpointHandle


def _figures(reply: Reply) -> dict[str, int]:
    return {name: int(value) for name, value in json.loads(reply.headers["X-ClickHouse-Summary"]).items()}


@pytest.mark.parametrize("output", ["TSV", "JSON"])
def test_summary_tells_what_a_select_cost(writer: Client, reader: Client, output: str) -> None:
    writer.query("CREATE TABLE IF NOT EXISTS roi.read (a UInt64) ENGINE = MergeTree ORDER BY a")
    writer.query("TRUNCATE TABLE roi.read")
    writer.query("INSERT INTO roi.read SELECT number FROM numbers(50000)")
    reply = reader.send("SELECT a FROM roi.read WHERE a % 2", default_format=output)
    figures = _figures(reply)
    assert (figures["result_rows"], figures["read_rows"]) == (25_000, 50_000)
    assert figures["read_bytes"] == 400_000
    assert figures["result_bytes"] == len(reply.body)
    assert 0 < figures["elapsed_ns"] < 60e9


def test_summary_of_a_large_answer_is_exact_when_the_client_waits_for_its_end(reader: Client) -> None:
    sql = "SELECT number FROM numbers(1000000)"
    first = _figures(reader.send(sql))
    assert 0 < first["result_rows"] < 1_000_000  # what is known at the first bytes, as a server tells it
    assert _figures(reader.send(sql, wait_end_of_query="1"))["result_rows"] == 1_000_000


@pytest.mark.parametrize("path", ["/metrics", "/play", "/query/x"])
def test_unknown_paths_are_not_found(endpoint: EndpointHandle, path: str) -> None:
    reply = Client(endpoint.url, ("nobody", "")).send(method="GET", path=path)
    assert reply.status == 404
    assert reply.text.startswith(f"There is no handle {path}\n")


def test_statement_without_its_end_is_a_syntax_error(writer: Client) -> None:
    for sql in ("DROP TABLE", "TRUNCATE", "CREATE TABLE", "1", "nonsense"):
        assert writer.fails(sql) == 62, sql


def test_writer_truncates_with_and_without_the_word_table(writer: Client) -> None:
    writer.query("CREATE TABLE roi.emptied (a Int8) ENGINE = MergeTree ORDER BY a")
    for sql in ("TRUNCATE roi.emptied", "TRUNCATE emptied", "TRUNCATE TABLE roi.emptied", "TRUNCATE IF EXISTS emptied"):
        writer.query("INSERT INTO roi.emptied VALUES (1)")
        writer.query(sql)
        assert writer.query("SELECT count() FROM roi.emptied") == "0\n", sql
    assert writer.fails("TRUNCATE DATABASE system") == 497
    assert writer.fails("TRUNCATE ALL TABLES FROM system") == 497
