from __future__ import annotations

import datetime as dt
import decimal
import uuid
from typing import TYPE_CHECKING, Any

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from clickhouse_connect.driver.external import ExternalData

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.endpoint import EndpointHandle


def _open(endpoint: EndpointHandle, user: tuple[str, str], **options: Any) -> Any:
    return clickhouse_connect.get_client(
        host=endpoint.host, port=endpoint.port, username=user[0], password=user[1], **options
    )


@pytest.fixture(params=[False, "lz4", "zstd", "gzip"], ids=str)
def client(endpoint: EndpointHandle, request: pytest.FixtureRequest) -> Iterator[Any]:
    opened = _open(endpoint, endpoint.writer, database="roi", compress=request.param)
    opened.command("DROP TABLE IF EXISTS roi.connected")
    yield opened
    opened.close()


_COLUMNS = ["id", "name", "tag", "at", "maybe", "list", "pairs", "price", "day", "key", "pick"]
_DDL = (
    "CREATE TABLE roi.connected (id UInt64, name String, tag LowCardinality(String), at DateTime64(3, 'UTC'), "
    "maybe Nullable(Int32), list Array(String), pairs Map(String, Int64), price Decimal(18, 3), day Date, key UUID, "
    "pick Enum8('a' = 1, 'b' = 2)) "
    "ENGINE = MergeTree ORDER BY id"
)


def _row(number: int) -> list[Any]:
    return [
        number,
        f"näme {number}",
        "tag",
        dt.datetime(2024, 5, 6, 7, 8, 9, 123000, tzinfo=dt.UTC),
        None if number % 2 else number,
        ["x", "y"],
        {"k": number},
        decimal.Decimal("1.250"),
        dt.date(2024, 5, 6),
        uuid.UUID(int=number),
        "b",
    ]


def test_rows_come_back_as_they_went(client: Any) -> None:
    client.command(_DDL)
    rows = [_row(number) for number in range(20_000)]
    summary = client.insert("connected", rows, column_names=_COLUMNS)
    assert summary.written_rows == 20_000
    answer = client.query("SELECT * FROM connected ORDER BY id")
    assert answer.column_names == tuple(_COLUMNS)
    assert [list(row) for row in answer.result_rows[:10]] == [
        [
            *row[:3],
            row[3].astimezone(dt.UTC) if answer.result_rows[0][3].tzinfo else row[3].replace(tzinfo=None),
            *row[4:],
        ]
        for row in rows[:10]
    ]
    assert len(answer.result_rows) == 20_000


def test_streams_parameters_and_empty_results(client: Any) -> None:
    with client.query_row_block_stream("SELECT number FROM numbers(300000)") as stream:
        assert sum(len(block) for block in stream) == 300_000
    assert client.query(
        "SELECT {a:String}, {b:Array(Int32)}", parameters={"a": "it's\ta\\", "b": [1, 2]}
    ).result_rows == [("it's\ta\\", [1, 2])]
    assert client.query("SELECT number FROM numbers(5) WHERE 0").result_rows == []
    assert client.query("SELECT 1 AS x LIMIT 0").column_names == ("x",)
    assert client.command("SELECT count() FROM numbers(7)") == 7
    assert client.query_df("SELECT number FROM numbers(3)")["number"].tolist() == [0, 1, 2]
    assert client.query_arrow("SELECT number FROM numbers(3)").num_rows == 3
    assert client.raw_query("SELECT 1 FORMAT CSV") == b"1\n"
    assert client.query("SELECT 1", settings={"max_block_size": 11}).result_rows == [(1,)]


def test_errors_carry_the_code(client: Any) -> None:
    with pytest.raises(DatabaseError, match="code: 47"):
        client.query("SELECT nope")
    with pytest.raises(DatabaseError, match="FENCED"):
        client.query("SELECT throwIf(1, 'FENCED')")
    assert client.ping()


def test_raw_insert_and_external_data(client: Any) -> None:
    client.command("CREATE TABLE roi.connected (a Int64, b String) ENGINE = MergeTree ORDER BY a")
    client.raw_insert(
        "connected",
        ["a", "b"],
        b"1,x\n2,y\n",
        fmt="CSV",
        settings={"async_insert": 0, "insert_deduplication_token": "t"},
    )
    external = ExternalData(file_name="ids", data=b"2\n3\n", fmt="TSV", structure=["id Int64"])
    assert client.query(
        "SELECT b FROM connected WHERE a IN (SELECT id FROM ids)", external_data=external
    ).result_rows == [("y",)]


def test_wrong_password_is_refused(endpoint: EndpointHandle) -> None:
    with pytest.raises(DatabaseError, match="516"):
        _open(endpoint, (endpoint.reader[0], "wrong"))


def test_reader_reads_and_cannot_write(endpoint: EndpointHandle) -> None:
    reader = _open(endpoint, endpoint.reader, database="roi")
    assert reader.query("SELECT 1", settings={"max_threads": 1}).result_rows == [(1,)]
    with pytest.raises(DatabaseError, match="164"):
        reader.command("CREATE TABLE roi.x (a Int8) ENGINE = Memory")
    reader.close()


def test_sessions_keep_settings_and_temporary_tables(endpoint: EndpointHandle) -> None:
    first, second = (_open(endpoint, endpoint.writer, session_id=name) for name in ("one", "two"))
    first.command("CREATE TEMPORARY TABLE mine (a Int8)")
    first.command("SET max_threads = 3")
    first.insert("mine", [[1], [2]], column_names=["a"])
    assert first.query("SELECT sum(a), getSetting('max_threads') FROM mine").result_rows == [(3, 3)]
    with pytest.raises(DatabaseError, match="60"):
        second.query("SELECT * FROM mine")


async def test_asynchronous_client(endpoint: EndpointHandle) -> None:
    client = await clickhouse_connect.get_async_client(
        host=endpoint.host, port=endpoint.port, username=endpoint.reader[0], password=endpoint.reader[1]
    )
    assert (await client.query("SELECT number FROM numbers(3)")).result_rows == [(0,), (1,), (2,)]
    await client.close()
