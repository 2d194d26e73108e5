from __future__ import annotations

import http.client
import os
import subprocess
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pipeline.embedded.clickhouse import spool
from tests.embedded.clickhouse.client import Client
from tests.support.endpoint import ROOT, running_endpoint
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.process

_ROWS = 5000
_KILLS = 4


def _write_blocks(client: Client, first: int, acknowledged: list[int]) -> None:
    number = first
    while True:
        body = b"".join(b"%d\t%d\n" % (number, row) for row in range(_ROWS))
        sql = "INSERT INTO roi.blocks (block, row) SELECT block, row FROM input('block UInt64, row UInt64') FORMAT TSV"
        try:
            if client.send(sql, body).status != 200:
                return
        except (OSError, http.client.HTTPException):
            return
        acknowledged.append(number)
        number += 1


def _has(acknowledged: list[int], count: int) -> bool:
    return len(acknowledged) >= count


@pytest.mark.e2e
def test_kill_minus_nine_keeps_acknowledged_blocks_whole(tmp_path: Path) -> None:
    passwords = ("reader", "writer")
    acknowledged: list[int] = []
    for life in range(_KILLS + 1):
        with running_endpoint(tmp_path, passwords=passwords) as endpoint:
            client = Client(endpoint.url, endpoint.writer)
            client.query("CREATE DATABASE IF NOT EXISTS roi")
            client.query(
                "CREATE TABLE IF NOT EXISTS roi.blocks (block UInt64, row UInt64) "
                "ENGINE = MergeTree ORDER BY (block, row)"
            )
            counts = dict(
                client.rows(
                    "SELECT block, count() FROM roi.blocks GROUP BY block", output_format_json_quote_64bit_integers="0"
                )
            )
            assert set(counts.values()) <= {_ROWS}, "a block is there in part"
            assert set(acknowledged) <= set(counts), "an acknowledged block is lost"
            if life == _KILLS:
                return
            enough = len(acknowledged) + 5
            writers = [
                threading.Thread(target=_write_blocks, args=(client, life * 10**6 + lane * 10**5, acknowledged))
                for lane in range(3)
            ]
            for thread in writers:
                thread.start()
            wait_until(partial(_has, acknowledged, enough), 10)
            endpoint.process.kill()
            for thread in writers:
                thread.join()
        assert list(tmp_path.rglob("*.body")) == []


def test_leftovers_of_a_killed_process_are_swept(tmp_path: Path) -> None:
    directory = tmp_path / "spool"
    spool.prepare(directory)
    (directory / "x.body").write_text("customer data")
    (directory / "other").write_text("not ours")
    spool.prepare(directory)
    assert [path.name for path in directory.iterdir()] == ["other"]
    assert directory.stat().st_mode & 0o777 == 0o700


def test_spool_without_memfd_is_a_private_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.memfd_create")
    with spool.Spool(tmp_path) as body:
        body.write(b"ab")
        body.write(memoryview(b"c"))
        [file] = tmp_path.iterdir()
        assert (body.path, body.size, body.read(), file.read_bytes()) == (str(file), 3, b"abc", b"abc")
        assert file.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == []


def test_path_or_port_in_use_is_one_line_that_names_the_remedy(tmp_path: Path) -> None:
    with running_endpoint(tmp_path) as endpoint:
        for path, port, cause in (
            (endpoint.path, 0, "another process"),
            (tmp_path / "other", endpoint.port, "cannot listen"),
        ):
            command = [sys.executable, "-m", "pipeline.embedded.clickhouse", "--path", str(path), "--port", str(port)]
            child = dict(os.environ) | {"ROI_CLICKHOUSE_PASSWORD": "a", "ROI_CLICKHOUSE_WRITER_PASSWORD": "b"}
            done = subprocess.run(command, cwd=ROOT, env=child, capture_output=True, text=True, timeout=30, check=False)
            assert done.returncode == 1
            last = done.stderr.splitlines()[-1]  # chDB itself writes a line before
            assert last.startswith("error: ")
            assert cause in last
            assert "Traceback" not in done.stderr


def test_no_password_no_start(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="exit code 1"), running_endpoint(tmp_path, passwords=("", "")):
        pass
