from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from pipeline.clickhouse.reader import Reader, query_error, until_exception
from pipeline.errors import UserError
from tests.cli.conftest import Answer, FakeClickHouse

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result

    from pipeline.settings import Settings

TAG = "abcdefghijklmnop"


def exception_tail(message: str) -> bytes:
    return f"\r\n__exception__\r\n{TAG}\r\n{message}\n{len(message) + 1} {TAG}\r\n__exception__\r\n".encode()


def test_bytes_of_a_format_pass_through_untouched(roi: Callable[..., Result], clickhouse: FakeClickHouse) -> None:
    clickhouse.answers["SELECT"] = Answer(b"\x00\xff\r\nraw")
    result = roi("sql", "SELECT 1", "--format", "Native")
    assert result.stdout_bytes == b"\x00\xff\r\nraw"
    assert clickhouse.asked[0][1]["default_format"] == "Native"


def test_reader_logs_in_as_the_read_only_user(
    roi: Callable[..., Result], clickhouse: FakeClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROI_CLICKHOUSE_PASSWORD", "pass:wörd")
    clickhouse.answers["SELECT"] = Answer(b"1\n")
    roi("sql", "SELECT 1", "--format", "TSV")
    assert base64.b64decode(clickhouse.asked[0][2].removeprefix("Basic ")).decode() == "roi_reader:pass:wörd"


def test_json_is_one_array(roi: Callable[..., Result], clickhouse: FakeClickHouse) -> None:
    clickhouse.answers["SELECT"] = Answer(b'[\n{"a":1}\n]\n')
    result = roi("sql", "SELECT 1 AS a", "--json")
    assert json.loads(result.stdout) == [{"a": 1}]
    assert clickhouse.asked[0][1]["output_format_json_array_of_rows"] == "1"


def test_query_can_come_from_stdin(clickhouse: FakeClickHouse) -> None:
    from typer.testing import CliRunner

    from pipeline.cli import build_app

    clickhouse.answers["SELECT"] = Answer(b"1\n")
    result = CliRunner().invoke(build_app(), ["sql", "-", "--format", "TSV"], input="SELECT 1")
    assert result.stdout == "1\n"


def test_bad_query_is_clickhouses_own_words_on_one_line(roi: Callable[..., Result], clickhouse: FakeClickHouse) -> None:
    message = "Code: 47. DB::Exception: Unknown\nname `nope`. (UNKNOWN_IDENTIFIER) (version 26.9.1.1 (official build))"
    clickhouse.answers["SELECT"] = Answer(message.encode(), 400)
    result = roi("sql", "SELECT nope")
    assert result.exit_code == 1
    assert result.stderr == (
        "error: ClickHouse: Code: 47. DB::Exception: Unknown name `nope`. (UNKNOWN_IDENTIFIER); correct the query\n"
    )


def test_absent_table_points_to_migrate() -> None:
    assert "roi migrate" in query_error("Code: 60. DB::Exception: Unknown table. (UNKNOWN_TABLE)").remedy


def test_wrong_password_names_user_and_setting(roi: Callable[..., Result], clickhouse: FakeClickHouse) -> None:
    clickhouse.answers["SELECT"] = Answer(b"Code: 516. DB::Exception: secret internals", 401)
    result = roi("sql", "SELECT 1")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: ClickHouse at {clickhouse.url} refused the user roi_reader; correct ROI_")


def test_a_right_that_is_missing_is_not_called_a_wrong_password(
    roi: Callable[..., Result], clickhouse: FakeClickHouse
) -> None:
    clickhouse.answers["url"] = Answer(b"Code: 497. DB::Exception: no grant for url. (ACCESS_DENIED)", 403)
    result = roi("sql", "SELECT * FROM url('http://a')")
    assert result.exit_code == 1
    assert result.stderr == (
        "error: ClickHouse: Code: 497. DB::Exception: no grant for url. (ACCESS_DENIED); "
        "roi_reader may read the tables and views of the application alone\n"
    )


def test_broken_off_answer_is_an_error(settings: Settings, clickhouse: FakeClickHouse) -> None:
    clickhouse.answers["SELECT"] = Answer(b'{"a":1}\n', cut=True)
    with pytest.raises(UserError, match="broke off"):
        Reader(settings).rows("SELECT 1 AS a")


def test_failure_behind_the_first_rows_is_an_error_after_them(
    roi: Callable[..., Result], clickhouse: FakeClickHouse
) -> None:
    clickhouse.answers["SELECT"] = Answer(
        b"1\n2\n" + exception_tail("Code: 395. DB::Exception: too far"), headers={"X-ClickHouse-Exception-Tag": TAG}
    )
    result = roi("sql", "SELECT throwIf(number = 2) FROM numbers(9)", "--format", "TSV")
    assert result.exit_code == 1
    assert result.stdout == "1\n2\n"
    assert result.stderr == "error: ClickHouse: Code: 395. DB::Exception: too far; correct the query\n"


@pytest.mark.parametrize("size", [1, 7, 65_536, 1_000_000])
def test_exception_is_found_wherever_chunks_are_cut(size: int) -> None:
    rows = b"row\n" * 40_000
    stream = rows + exception_tail("Code: 1. DB::Exception: late")
    chunks = (
        [stream[start : start + size] for start in range(0, len(stream), size)]
        if size > 1
        else [rows, *(bytes([byte]) for byte in stream[len(rows) :])]
    )
    passed = bytearray()

    def consume() -> None:
        for chunk in until_exception(chunks, TAG):
            passed.extend(chunk)

    with pytest.raises(UserError, match="DB::Exception: late"):
        consume()
    assert bytes(passed) == rows


def test_rows_that_only_look_like_an_exception_pass() -> None:
    rows = b"\r\n__exception__\r\nanother-tag-here\r\nnot one\n"
    assert b"".join(until_exception([rows], TAG)) == rows


def test_parameters_travel_beside_the_query(settings: Settings, clickhouse: FakeClickHouse) -> None:
    clickhouse.answer_rows("SELECT", [{"a": 1}])
    assert Reader(settings).rows("SELECT {name:String}", {"name": "' OR 1"}) == [{"a": 1}]
    assert clickhouse.asked[0][1]["param_name"] == "' OR 1"
    assert clickhouse.asked[0][0] == "SELECT {name:String}"


def test_a_run_is_the_querys_parameter_and_live_where_none_is_named(
    roi: Callable[..., Result], clickhouse: FakeClickHouse
) -> None:
    clickhouse.answer_rows("run_states", [{"run": "live"}, {"run": "what-if"}])
    clickhouse.answers["SELECT 1"] = Answer(b"1\n")
    query = "SELECT 1 WHERE run = {run:String}"
    for arguments, expected in (((), "live"), (("--run", "what-if"), "what-if")):
        clickhouse.asked.clear()
        assert roi("sql", query, *arguments, "--format", "TSV").exit_code == 0
        assert clickhouse.asked[-1][1]["param_run"] == expected


def test_a_run_that_is_not_there_or_not_asked_for_is_told(
    roi: Callable[..., Result], clickhouse: FakeClickHouse
) -> None:
    clickhouse.answer_rows("run_states", [{"run": "live"}])
    unknown = roi("sql", "SELECT 1 WHERE run = {run:String}", "--run", "nowhere")
    assert (unknown.exit_code, "there is no run 'nowhere'" in unknown.stderr) == (1, True)
    unasked = roi("sql", "SELECT 1", "--run", "nowhere")
    assert (unasked.exit_code, "write: WHERE run = {run:String}" in unasked.stderr) == (1, True)
