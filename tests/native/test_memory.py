from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipeline.native.build import compile_library

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("native_core")]
MANY = """
import sys
from pathlib import Path
from pipeline.native import library

library.library_path = lambda: Path(sys.argv[1])
from pipeline.native.people import People

people = People(125)
for number in range(200_000):
    people.meet(b"c%d" % number, number.to_bytes(16, "big"))
print(len(people), people.find(b"c199999"), people.find(b"stranger"))
"""


def test_a_table_that_has_grown_is_empty_also_where_pages_cannot_be_moved(tmp_path: Path) -> None:
    """As on macOS, with what the system's malloc hands out full of other bytes: the search found no end."""
    target = tmp_path / "core.so"
    compile_library(["cc"], target, ["-DWITHOUT_MREMAP"])
    told = subprocess.run(
        [sys.executable, "-c", MANY, str(target)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | {"MALLOC_PERTURB_": "165"},
    )
    assert told.stdout.split() == ["200000", "199999", "None"], told.stderr
