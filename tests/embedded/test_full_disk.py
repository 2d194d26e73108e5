"""`roi up --embedded` on a disk without room says so, and names it."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.embedded.test_up import FREE_PORTS, command, environment

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("kept", ["", "lock private.env"], ids=["new", "kept"])
def test_a_start_on_a_full_disk_names_the_disk_and_not_the_terminal(tmp_path: Path, kept: str) -> None:
    data = tmp_path / "disk" / "data"
    data.parent.mkdir()
    disk = shlex.quote(str(data.parent))
    mount = f"mount -t tmpfs -o size=1m tmpfs {disk}"
    namespace = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    if shutil.which("unshare") is None or subprocess.run([*namespace, mount], check=False).returncode != 0:
        pytest.skip("NOT TESTED on a full disk: no small file system can be mounted here")
    made = f"mkdir -m 700 {disk}/data && cd {disk}/data && touch {kept} && cd -" if kept else "true"
    fill = f"(cat /dev/zero > {disk}/stuffing; true) 2> /dev/null"
    up = shlex.join(command("up", "--embedded", "--data", str(data), *FREE_PORTS))
    done = subprocess.run(
        [*namespace, f"{mount} && {made} && {fill} && {up}; code=$?; ls -R {disk}; exit $code"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 1
    (told,) = done.stderr.splitlines()
    assert told.startswith(f"error: {data}")
    assert "No space left on device" in told
    assert f"make room on the disk of {data}" in told
    there = {line for line in done.stdout.splitlines() if line and not line.endswith(":")}
    assert there - {str(tmp_path)} == {"stuffing", *(["data", *kept.split()] if kept else [])}
