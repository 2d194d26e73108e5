from __future__ import annotations

import http.client
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.embedded.clickhouse.client import Client
    from tests.support.endpoint import EndpointHandle

_ENCODER = msgspec.msgpack.Encoder()
_ONE_BLOCK = {
    "min_insert_block_size_rows": "1000000000",
    "min_insert_block_size_bytes": "100000000000",
    "max_insert_block_size": "1000000000",
}
_FENCED = (
    "INSERT INTO roi.{table} (a, b, at) SELECT a, b, fromUnixTimestamp64Milli(at) "
    "FROM input('a Int64, b String, at Int64') "
    "WHERE NOT throwIf((SELECT count() FROM roi.claims WHERE epoch > {epoch}) > 0, 'FENCED') FORMAT MsgPack"
)


@pytest.fixture(scope="module", autouse=True)
def _claims(endpoint: EndpointHandle) -> None:
    from tests.embedded.clickhouse.client import Client

    Client(endpoint.url, endpoint.writer).query(
        "CREATE TABLE roi.claims (epoch Int64) ENGINE = MergeTree ORDER BY epoch"
    )


@pytest.fixture
def table(writer: Client, request: pytest.FixtureRequest) -> str:
    name = "t" + str(abs(hash(request.node.name)))
    writer.query(
        f"CREATE TABLE roi.{name} (a Int64, b String DEFAULT 'none', at DateTime64(3)) ENGINE = MergeTree ORDER BY a"
    )
    return name


def _rows(count: int) -> bytes:
    return b"".join(
        _ENCODER.encode(value) for number in range(count) for value in (number, f"name-{number}", 1_700_000_000_000)
    )


def _parts(writer: Client, table: str) -> str:
    return writer.query(f"SELECT count() FROM system.parts WHERE table = '{table}' AND active")


def test_fenced_insert_is_one_part(writer: Client, table: str) -> None:
    body = _rows(300_000)
    writer.query(_FENCED.format(table=table, epoch=0), body, **_ONE_BLOCK)
    assert len(body) > 5_000_000
    assert writer.query(f"SELECT count(), sum(a), uniqExact(b), min(at) FROM roi.{table}") == (
        "300000\t44999850000\t300000\t2023-11-14 22:13:20.000\n"
    )
    assert _parts(writer, table) == "1\n"


def test_fence_refuses_the_whole_block(writer: Client, table: str) -> None:
    writer.query("INSERT INTO roi.claims VALUES (7)")
    reply = writer.send(_FENCED.format(table=table, epoch=6), _rows(1000))
    assert reply.code == 395
    assert "FENCED" in reply.text
    assert writer.query(f"SELECT count() FROM roi.{table}") == "0\n"
    writer.query(_FENCED.format(table=table, epoch=7), _rows(1000))
    assert writer.query(f"SELECT count() FROM roi.{table}") == "1000\n"


@pytest.mark.parametrize("cut", [1, 5, 1000])
def test_malformed_body_of_input_inserts_nothing(writer: Client, table: str, cut: int) -> None:
    assert writer.fails(_FENCED.format(table=table, epoch=99), _rows(150_000)[:-cut], **_ONE_BLOCK) == 117
    assert writer.query(f"SELECT count() FROM roi.{table}") == "0\n"


def test_malformed_last_row_of_a_plain_insert_inserts_nothing(writer: Client, table: str) -> None:
    body = b"".join(b"%d\tx\t2024-01-01\n" % number for number in range(1_500_000)) + b"oops\n"
    assert writer.fails(f"INSERT INTO roi.{table} FORMAT TSV", body) == 27
    assert writer.query(f"SELECT count() FROM roi.{table}") == "0\n"
    writer.query(f"INSERT INTO roi.{table} FORMAT TSV", body[:-5])
    assert writer.query(f"SELECT count() FROM roi.{table}") == "1500000\n"
    assert _parts(writer, table) == "1\n"


@pytest.mark.parametrize(
    ("sql", "body"),
    [
        ("INSERT INTO roi.{t} (a, b) VALUES (1, 'one'), (2, 'two')", b""),
        ("INSERT INTO roi.{t} (a, b) VALUES", b"(1, 'one'), (2, concat('t', 'wo'))"),
        ("INSERT INTO roi.{t} (a, b) FORMAT CSV\n1,one\n", b"2,two\n"),
        ("INSERT INTO roi.{t} (a, b) FORMAT JSONEachRow", b'{"a":1,"b":"one"}\n{"a":2,"b":"two"}'),
        (None, b"INSERT INTO roi.{t} (a, b) FORMAT TSV\n1\tone\n2\ttwo\n"),
        ("INSERT INTO roi.{t}", b"(a, b) VALUES (1, 'one'), (2, 'two')"),
        ("INSERT INTO roi.{t} (a, b) SELECT * FROM values('a Int64, b String', (1, 'one'), (2, 'two'))", b""),
        ("INSERT INTO roi.{t} (a, b) SETTINGS async_insert = 1 FORMAT TSV", b"1\tone\n2\ttwo"),
        ("INSERT INTO roi.{t} (a, b) SELECT a, b FROM input('a Int64, b String') FORMAT CSV", b"1,one\n2,two\n"),
    ],
)
def test_inserts_in_every_shape(writer: Client, table: str, sql: str | None, body: bytes) -> None:
    reply = writer.send(sql.format(t=table) if sql else None, body.replace(b"{t}", table.encode()))
    assert reply.status == 200, reply.text
    assert writer.query(f"SELECT a, b FROM roi.{table} ORDER BY a") == "1\tone\n2\ttwo\n"


def test_missing_columns_take_their_defaults(writer: Client, table: str) -> None:
    writer.query(f"INSERT INTO roi.{table} FORMAT JSONEachRow", b'{"a":1}')
    assert writer.query(f"SELECT b FROM roi.{table}") == "none\n"


def test_statement_with_a_large_body_is_not_cut(writer: Client, table: str) -> None:
    values = ", ".join(f"({number}, 'it''s {number}')" for number in range(40_000))
    reply = writer.send(None, f"INSERT INTO roi.{table} (a, b) VALUES {values}".encode())
    assert reply.status == 200, reply.text
    assert writer.query(f"SELECT count(), max(b) FROM roi.{table} WHERE a < 2") == "2\tit\\'s 1\n"
    assert writer.query(f"SELECT count() FROM roi.{table}") == "40000\n"


def test_insert_deduplication_and_durability_settings_pass(writer: Client) -> None:
    writer.query(
        "CREATE TABLE roi.durable (a Int64) ENGINE = MergeTree ORDER BY a "
        "SETTINGS non_replicated_deduplication_window = 100, fsync_after_insert = 1, fsync_part_directory = 1"
    )
    for _ in range(3):
        writer.query("INSERT INTO roi.durable VALUES (1)", insert_deduplication_token="token", async_insert="0")
    assert writer.query("SELECT count() FROM roi.durable") == "1\n"
    assert (
        writer.fails("INSERT INTO roi.durable VALUES (1)", fsync_after_insert="1") == 115
    )  # a table setting, not a query's


def test_body_cut_by_the_client_inserts_nothing(endpoint: EndpointHandle, writer: Client, table: str) -> None:
    connection = http.client.HTTPConnection(endpoint.host, endpoint.port)
    name, password = endpoint.writer
    connection.putrequest("POST", f"/?query=INSERT+INTO+roi.{table}+FORMAT+TSV&user={name}&password={password}")
    connection.putheader("Content-Length", "1000000")
    connection.endheaders(b"1\tx\t2024-01-01\n" * 20_000)
    connection.close()
    wait_until(lambda: _spools(endpoint) == 0, 10)
    assert writer.query(f"SELECT count() FROM roi.{table}") == "0\n"


def test_nothing_is_left_behind(endpoint: EndpointHandle, writer: Client, table: str) -> None:
    for body in (_rows(1000), _rows(1000)[:-1]):
        writer.send(_FENCED.format(table=table, epoch=99), body)
    assert _spools(endpoint) == 0
    assert writer.rows("SELECT count() FROM system.processes") == [[1]]
    assert list(endpoint.path.parent.glob("**/*.body")) == []


def _spools(endpoint: EndpointHandle) -> int:
    return sum("memfd" in _target(link) for link in Path(f"/proc/{endpoint.process.pid}/fd").iterdir())


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:  # closed meanwhile
        return ""
