"""What commands read from stdin and from lists may be any bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

import pipeline
from pipeline.cli import build_app
from tests.cli.conftest import Answer, FakeClickHouse

if TYPE_CHECKING:
    from typer.testing import Result

ROOT = Path(pipeline.__file__).parent.parent
ASSIGN = ("ab", "spring", "--shares", "control=1,A=1", "--assign")


def roi(*arguments: str, typed: bytes = b"") -> Result:
    return CliRunner().invoke(build_app(), list(arguments), input=typed)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("sql", "-"), "the query in stdin is not UTF-8 text; convert it"),
        (("erase", "-"), "this is no customer's id; an id has 1 to 64 characters"),
        ((*ASSIGN, "-"), "- cannot be read as UTF-8 text; name a file"),
    ],
)
@pytest.mark.process
@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_bytes_that_are_no_text_are_one_line(
    clickhouse: FakeClickHouse, arguments: tuple[str, ...], words: str, errors: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        input="客户".encode("gbk"),
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": f"utf-8:{errors}"},
    )
    assert (ended.returncode, ended.stderr.count(b"\n")) == (1, 1), ended.stderr.decode()
    assert words in ended.stderr.decode()
    assert not clickhouse.asked


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("sql", "-"), 1, "error: ClickHouse: Code: 62. DB::Exception: no answer for; correct the query\n"),
        (("erase", "-"), 1, "error: this is no customer's id; an id has 1 to 64 characters\n"),
        ((*ASSIGN, "-"), 0, ""),
        (("ingest", "--check", "--topic", "auto", "-"), 0, ""),
    ],
)
@pytest.mark.process
def test_a_closed_stdin_is_an_empty_one(
    clickhouse: FakeClickHouse, arguments: tuple[str, ...], code: int, words: str
) -> None:
    del clickhouse
    ended = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&-', "sh", sys.executable, "-m", "pipeline", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (ended.returncode, ended.stderr) == (code, words)


def test_marks_of_byte_order_belong_to_no_query_and_no_customer(clickhouse: FakeClickHouse, tmp_path: Path) -> None:
    clickhouse.answers["SELECT"] = Answer(b"1\n")
    assert roi("sql", "-", "--format", "TSV", typed="\ufeffSELECT 1".encode()).stdout == "1\n"
    assert clickhouse.asked[0][0] == "SELECT 1"
    (tmp_path / "ids").write_bytes("\ufeffann\r\n\n\ufeffbob\n\ufeff\n".encode())
    touches = roi(*ASSIGN, str(tmp_path / "ids")).stdout.splitlines()
    assert [json.loads(touch)["customer_id"] for touch in touches] == ["ann", "bob"]
