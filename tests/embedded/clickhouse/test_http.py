from __future__ import annotations

import gzip
import http.client
import json
import socket
import zlib
from typing import TYPE_CHECKING

import cramjam
import lz4.frame
import pytest
import zstandard

from tests.embedded.clickhouse.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.endpoint import EndpointHandle


@pytest.mark.parametrize("path", ["/", "/ping"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_ping_needs_no_password(endpoint: EndpointHandle, path: str, method: str) -> None:
    reply = Client(endpoint.url, ("nobody", "")).send(method=method, path=path)
    assert (reply.status, reply.body) == (200, b"Ok.\n" if method == "GET" else b"")


@pytest.mark.parametrize("path", ["/", "/any/path", "/query"])
def test_any_path_answers_queries(reader: Client, path: str) -> None:
    assert reader.send("SELECT 1", path=path).text == "1\n"


def test_sql_may_stand_in_url_body_or_both(reader: Client) -> None:
    assert reader.send(None, b"SELECT 2").text == "2\n"
    assert reader.send("SELECT", b"3").text == "3\n"
    assert reader.send("SELECT 4", method="GET").text == "4\n"


def test_get_is_read_only(writer: Client) -> None:
    reply = writer.send("CREATE TABLE roi.by_get (a Int8) ENGINE = Memory", method="GET")
    assert (reply.code, reply.text.startswith("Code: 164. DB::Exception: ")) == (164, True)
    assert writer.query("EXISTS roi.by_get") == "0\n"


@pytest.mark.parametrize(
    ("sql", "code", "status"),
    [
        ("SELECT nope", 47, 404),
        ("SELECT * FROM roi.nope", 60, 404),
        ("SELEC 1", 62, 400),
        ("SELECT (", 62, 400),
        ("SELECT throwIf(1)", 395, 500),
        ("SELECT 1 FORMAT Nope", 73, 404),
        ("SELECT nope()", 46, 404),
        ("", 62, 400),
    ],
)
def test_errors_have_code_status_and_text(reader: Client, sql: str, code: int, status: int) -> None:
    reply = reader.send(sql)
    assert (reply.code, reply.status) == (code, status)
    assert reply.text.startswith(f"Code: {code}. DB::Exception: ")
    assert reply.text.endswith("(official build))\n")
    assert reply.text.count("DB::Exception") == 1


@pytest.mark.parametrize("how", ["basic", "headers", "url", "none"])
def test_wrong_password_is_401(endpoint: EndpointHandle, how: str) -> None:
    connection = http.client.HTTPConnection(endpoint.host, endpoint.port)
    headers = {
        "basic": {"Authorization": "Basic cm9pX3JlYWRlcjp3cm9uZw=="},
        "headers": {"X-ClickHouse-User": "roi_reader", "X-ClickHouse-Key": "x"},
    }
    url = "/?query=SELECT+1" + ("&user=roi_reader&password=x" if how == "url" else "")
    connection.request("GET", url, headers=headers.get(how, {}))
    response = connection.getresponse()
    assert (response.status, response.headers["X-ClickHouse-Exception-Code"]) == (401, "516")


def test_password_may_come_by_header_or_url(endpoint: EndpointHandle) -> None:
    name, password = endpoint.reader
    by_url = http.client.HTTPConnection(endpoint.host, endpoint.port)
    by_url.request("GET", f"/?query=SELECT+1&user={name}&password={password}")
    assert by_url.getresponse().read() == b"1\n"
    by_header = http.client.HTTPConnection(endpoint.host, endpoint.port)
    by_header.request("POST", "/", b"SELECT 1", {"X-ClickHouse-User": name, "X-ClickHouse-Key": password})
    assert by_header.getresponse().read() == b"1\n"


def test_settings_parameters_and_database(reader: Client) -> None:
    assert reader.query("SELECT getSetting('max_threads')", max_threads="1") == "1\n"
    assert reader.fails("SELECT 1", no_such_setting="1") == 115
    assert reader.fails("SELECT 1", max_threads="many") > 0
    assert reader.query("SELECT {a:UInt8} + 1, {b:String}", param_a="4", param_b="it's\\tin") == "5\tit\\'s\\tin\n"
    assert reader.query("SELECT {a:Array(String)}", param_a="['x','y']") == "['x','y']\n"
    assert reader.fails("SELECT {a:UInt8}") == 456
    assert reader.query("SELECT currentDatabase()", database="system") == "system\n"
    assert reader.fails("SELECT 1", database="nope") == 81
    assert reader.query("SELECT count() > 0 FROM one", database="system") == "1\n"


def test_trailing_settings_reach_the_engine(reader: Client) -> None:
    assert reader.query("SELECT getSetting('max_block_size') SETTINGS max_block_size = 77 FORMAT CSV") == "77\n"
    assert reader.fails("SELECT 1 SETTINGS no_such_setting = 1") == 115


@pytest.mark.parametrize(
    ("sql", "default", "expected"),
    [
        ("SELECT 1 AS a", "JSONEachRow", '{"a":1}\n'),
        ("SELECT 1 AS a FORMAT CSVWithNames", "JSONEachRow", '"a"\n1\n'),
        ("SELECT 1 AS a", "", "1\n"),
        ("SELECT 1 AS a, 'x' AS b", "TSVWithNamesAndTypes", "a\tb\nUInt8\tString\n1\tx\n"),
        ("SELECT 1 WHERE 0", "CSV", ""),
        ("SHOW TABLES FROM roi LIKE 'x'", "", ""),
    ],
)
def test_format_in_the_sql_wins(reader: Client, sql: str, default: str, expected: str) -> None:
    assert reader.query(sql, default_format=default) == expected


def test_headers_are_a_servers(reader: Client, writer: Client) -> None:
    reply = reader.send("SELECT 1", query_id="my-id", default_format="JSON")
    assert reply.headers["X-ClickHouse-Query-Id"] == "my-id"
    assert reply.headers["X-ClickHouse-Format"] == "JSON"
    assert reply.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert reply.headers["X-ClickHouse-Timezone"]
    assert reply.headers["X-ClickHouse-Server-Display-Name"]
    assert json.loads(reply.headers["X-ClickHouse-Summary"])["written_rows"] == "0"
    assert json.loads(reply.text)["rows"] == 1
    writer.query("CREATE TABLE roi.summary (a Int8) ENGINE = MergeTree ORDER BY a")
    reply = writer.send("INSERT INTO roi.summary VALUES (1), (2)")
    assert json.loads(reply.headers["X-ClickHouse-Summary"])["written_rows"] == "2"
    assert "X-ClickHouse-Format" not in reply.headers


def test_gzip_only_where_asked(reader: Client) -> None:
    sql = "SELECT number FROM numbers(300000)"
    plain = reader.send(sql)
    packed = reader.send(sql, headers={"Accept-Encoding": "zstd;q=0, gzip;q=0.5"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 3
    error = reader.send("SELECT nope", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(error.body).startswith(b"Code: 47. ")
    assert "Content-Encoding" not in reader.send(sql, headers={"Accept-Encoding": "gzip;q=0"}).headers


@pytest.mark.parametrize(
    ("accepted", "encoding", "unpack"),
    [
        ("gzip, deflate", "gzip", gzip.decompress),
        ("deflate", "deflate", zlib.decompress),
        ("br", "br", cramjam.brotli.decompress),
        ("lz4", "lz4", lz4.frame.decompress),
        ("gzip, deflate, br, zstd", "zstd", lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body)),
        ("zstd;q=0.2, br;q=0.9", "br", cramjam.brotli.decompress),
    ],
)
@pytest.mark.parametrize("rows", [0, 1, 600_000])
def test_replies_come_in_the_encoding_that_is_asked_for(
    reader: Client, accepted: str, encoding: str, unpack: Callable[[bytes], bytes], rows: int
) -> None:
    sql = f"SELECT number FROM numbers({rows})"
    packed = reader.send(sql, headers={"Accept-Encoding": accepted})
    assert packed.headers["Content-Encoding"] == encoding
    assert bytes(unpack(packed.body)) == reader.send(sql).body


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("lz4", lz4.frame.compress),
        ("zstd", zstandard.ZstdCompressor().compress),
    ],
)
def test_bodies_are_decompressed(writer: Client, encoding: str, compress: object) -> None:
    assert callable(compress)
    writer.query(f"CREATE TABLE roi.packed_{encoding} (a UInt64) ENGINE = MergeTree ORDER BY a")
    rows = b"".join(b"%d\n" % number for number in range(400_000))
    reply = writer.send(
        f"INSERT INTO roi.packed_{encoding} FORMAT TSV",
        compress(rows) + compress(b"400000\n"),
        headers={"Content-Encoding": encoding},
    )
    assert reply.status == 200, reply.text
    assert writer.query(f"SELECT count(), sum(a) FROM roi.packed_{encoding}") == "400001\t80000200000\n"
    cut = writer.send(
        f"INSERT INTO roi.packed_{encoding} FORMAT TSV", compress(rows)[:-9], headers={"Content-Encoding": encoding}
    )
    assert cut.code == 271
    assert writer.query(f"SELECT count() FROM roi.packed_{encoding}") == "400001\n"


def test_unknown_encodings_are_refused(writer: Client) -> None:
    assert writer.send("INSERT INTO roi.x FORMAT TSV", b"1", headers={"Content-Encoding": "snappy"}).code == 48


def test_error_after_the_first_bytes_ends_with_the_exception_tag(reader: Client) -> None:
    reply = reader.send(
        "SELECT throwIf(number = 3000000) FROM numbers(4000000)", default_format="RowBinary", max_block_size="65536"
    )
    assert reply.status == 200
    tag = reply.headers["X-ClickHouse-Exception-Tag"]
    assert len(tag) == 16
    _, marker, tail = reply.body.partition(f"\r\n__exception__\r\n{tag}\r\n".encode())
    assert marker
    message, _, end = tail.rpartition(b"\n" if tail.count(b"\n") else b"")
    assert b"Code: 395. DB::Exception" in tail
    length = int(tail.split(b"\n")[1].split(b" ")[0])
    assert tail.split(b"\n")[1] == f"{length} {tag}\r".encode()
    assert len(tail.split(b"\n")[0]) + 1 == length
    assert tail.endswith(b"\r\n__exception__\r\n")
    del message, end


@pytest.mark.parametrize(
    "streamed", ["Native", "JSONEachRow", "JSONCompactEachRow", "TabSeparated", "CSV", "RowBinary", "MsgPack"]
)
def test_streamed_formats_are_whole(reader: Client, streamed: str) -> None:
    sql = "SELECT number, toString(number) AS s FROM numbers(200000)"
    whole = reader.send(sql, default_format=streamed)
    assert whole.status == 200
    assert whole.headers["Transfer-Encoding"] == "chunked"
    rows = reader.rows(f"SELECT count(), sum(number) FROM ({sql})")
    if streamed in {"JSONEachRow", "TabSeparated", "CSV", "JSONCompactEachRow"}:
        assert len(whole.body.splitlines()) == rows[0][0]


def test_drained_error_leaves_the_connection_usable(endpoint: EndpointHandle, writer: Client) -> None:
    writer.query("CREATE TABLE IF NOT EXISTS roi.drained (a Int64) ENGINE = MergeTree ORDER BY a")
    connection = http.client.HTTPConnection(endpoint.host, endpoint.port)
    headers = {"X-ClickHouse-User": endpoint.reader[0], "X-ClickHouse-Key": endpoint.reader[1]}
    connection.request("POST", "/?query=INSERT+INTO+roi.drained+FORMAT+TSV", b"1\n" * 4_000_000, headers)
    response = connection.getresponse()
    assert response.headers["X-ClickHouse-Exception-Code"] == "164"
    response.read()
    connection.request("POST", "/", b"SELECT 5", headers)
    assert connection.getresponse().read() == b"5\n"


def test_sessions_are_isolated_and_expire(endpoint: EndpointHandle, writer: Client, reader: Client) -> None:
    writer.query("SET max_threads = 3", session_id="a")
    writer.query("CREATE TEMPORARY TABLE private (a Int8)", session_id="a")
    writer.query("INSERT INTO private VALUES (7)", session_id="a")
    assert writer.query("SELECT a, getSetting('max_threads') FROM private", session_id="a") == "7\t3\n"
    assert writer.query("SELECT getSetting('max_block_size')", session_id="a", max_block_size="11") == "11\n"
    assert writer.query("SELECT getSetting('max_block_size')", session_id="a") != "11\n"
    assert writer.fails("SELECT throwIf(number = 100000) FROM numbers(200000)", session_id="a") == 395
    assert writer.query("SELECT a FROM private", session_id="a") == "7\n"
    for client, session in ((writer, "b"), (reader, "a")):
        assert client.fails("SELECT a FROM private", session_id=session) == 60
        assert client.query("SELECT getSetting('max_threads')", session_id=session) != "3\n"
    assert writer.fails("SELECT 1", session_id="never", session_check="1") == 372
    writer.query("SELECT 1", session_id="a", close_session="1")
    assert writer.fails("SELECT a FROM private", session_id="a") == 60
    writer.query("USE system", session_id="c", session_timeout="0")
    assert writer.query("SELECT currentDatabase()", session_id="c") == "roi\n"


def test_session_in_use_is_locked(endpoint: EndpointHandle, reader: Client) -> None:
    with socket.create_connection((endpoint.host, endpoint.port)) as slow:
        name, password = endpoint.reader
        path = f"/?query=SELECT+sleep(2)&session_id=s&user={name}&password={password}"
        slow.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        codes = {0}
        while 373 not in codes:
            codes.add(reader.send("SELECT 1", session_id="s").code)
        assert slow.recv(12) == b"HTTP/1.1 200"
    assert codes <= {0, 373}


def test_external_tables_come_as_multipart(reader: Client) -> None:
    boundary = "----x"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="ids"; filename="ids"\r\n\r\n1\tone\n2\ttwo\n\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="param_least"\r\n\r\n2\r\n--{boundary}--\r\n'
    ).encode()
    reply = reader.send(
        "SELECT name FROM ids WHERE id >= {least:UInt8}",
        body,
        ids_structure="id UInt8, name String",
        ids_format="TSV",
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    assert reply.text == "two\n"


def test_small_answers_do_not_wait_for_acknowledgements(endpoint: EndpointHandle) -> None:
    connection = http.client.HTTPConnection(endpoint.host, endpoint.port)
    headers = {"X-ClickHouse-User": endpoint.reader[0], "X-ClickHouse-Key": endpoint.reader[1]}
    import time

    quick = 0
    for _ in range(300):  # on a machine that is busy with other tests few are quick
        start = time.perf_counter()
        connection.request("POST", "/", b"SELECT 1", headers)
        connection.getresponse().read()
        quick += time.perf_counter() - start < 0.03
        if quick > 3:
            return
    pytest.fail("Nagle with delayed acknowledgements costs 40 ms each")


def test_hello_of_the_go_client_is_framed(reader: Client) -> None:
    sql = "SELECT displayName(), version(), revision(), timezone()"
    framed = reader.send(None, sql.encode(), client_protocol_version="54460", default_format="Native").body
    assert framed.startswith(bytes.fromhex("0100 02ffffffff 00 04 01"))
    assert b"revision()\x06UInt32\x00\x00\x00\x00\x00" in framed
    plain = reader.send(None, sql.encode(), client_protocol_version="54405", default_format="Native").body
    assert plain.startswith(bytes.fromhex("04 01"))
