from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.endpoint import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.process


def test_full_disk_is_told_by_clickhouses_own_error_and_survived(tmp_path: Path) -> None:
    mount = f"mount -t tmpfs -o size=40m tmpfs {shlex.quote(str(tmp_path))}"
    namespace = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    if shutil.which("unshare") is None or subprocess.run([*namespace, mount], check=False).returncode != 0:
        pytest.skip("NOT TESTED on a full disk: no small file system can be mounted here")
    program = shlex.join([sys.executable, "-m", "tests.embedded.clickhouse.full_disk", str(tmp_path)])
    done = subprocess.run(
        [*namespace, f"{mount} && exec {program}"], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert [line.split(" DB::", 1)[0] for line in told if line] == ["243 500 Code: 243."] * 2
    assert "not enough space" in done.stdout
