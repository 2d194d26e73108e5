from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipeline.cli.doctor import check_core
from pipeline.errors import UserError
from pipeline.native import build as building
from pipeline.native import library as loading
from pipeline.settings import Settings
from pipeline.worker.cores import chosen_core

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.process


@pytest.fixture
def without_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine on which nothing has been built, and where there is no compiler and no way to one."""
    target = tmp_path / "build" / "core-0-linux-x86_64.so"
    monkeypatch.setattr(building, "ROOT", tmp_path)
    for module in (building, loading):
        monkeypatch.setattr(module, "library_path", lambda: target)
    monkeypatch.setattr("shutil.which", lambda _name: None)

    def unreachable(_folder: Path) -> list[str]:
        raise building.BuildError("no route to host")

    monkeypatch.setattr(building, "fetched_compiler", unreachable)
    loading.library.cache_clear()
    yield target
    loading.library.cache_clear()


def compiler(folder: Path, script: str) -> str:
    """Return a program that says it is a compiler."""
    program = folder / "compiler"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


def test_without_a_compiler_the_plain_core_is_used_and_setup_says_why(without_library: Path) -> None:
    said = building.build(once=True)
    assert "no route to host" in said
    assert said.endswith("the plain core is used, which counts the same")
    assert not without_library.exists()
    assert chosen_core("auto") == "plain"


def test_what_failed_once_is_tried_again_only_when_asked_to(
    without_library: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    building.build(once=True)
    made = compiler(tmp_path, 'while [ "$1" != -o ]; do shift; done; echo > "$2"')
    monkeypatch.setattr("shutil.which", lambda name: made if name == "cc" else None)
    assert "make native tries again" in building.build(once=True)
    assert building.build().startswith("native core: built with compiler in")
    assert without_library.exists()
    assert building.build(once=True).endswith("is up to date")


def test_a_new_library_takes_away_former_ones_of_this_machine_alone(
    without_library: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = without_library.parent
    folder.mkdir(parents=True)
    machine = without_library.stem.split("-", 2)[2]
    former = [folder / f"core-0123456789abcdef-{machine}{suffix}" for suffix in (".so", ".failed")]
    others = [folder / "core-0123456789abcdef-darwin-riscv.so", folder / f"core-0123456789abcdef-{machine}.4711"]
    for each in (*former, *others):
        each.write_text("")
    made = compiler(tmp_path, 'while [ "$1" != -o ]; do shift; done; echo > "$2"')
    monkeypatch.setattr("shutil.which", lambda name: made if name == "cc" else None)
    building.build()
    assert sorted(folder.iterdir()) == sorted([*others, without_library])


def test_a_compiler_that_fails_is_quoted_and_leaves_nothing(without_library: Path, tmp_path: Path) -> None:
    broken = compiler(tmp_path, "echo In file included from >&2; echo 'error: no stdint.h' >&2; exit 1")
    with pytest.raises(building.BuildError, match=r"^error: no stdint\.h$"):
        building.compile_library([broken], without_library)
    assert list(without_library.parent.iterdir()) == []


def test_whoever_wants_the_native_core_is_told_how_to_get_it(without_library: Path) -> None:
    assert not without_library.exists()
    with pytest.raises(UserError, match=r"has not been built; run: make native"):
        chosen_core("native")


def test_a_library_of_another_machine_is_no_reason_to_stop(without_library: Path) -> None:
    without_library.parent.mkdir(parents=True)
    without_library.write_bytes(b"\x7fELF of something else")
    with pytest.raises(UserError, match="cannot be loaded"):
        chosen_core("native")
    assert chosen_core("auto") == "plain"


@pytest.mark.parametrize(
    ("core", "state", "detail"),
    [
        ("auto", "ok", "plain (the native core has not been built; run: make native)"),
        ("plain", "ok", "plain"),
        ("native", "failed", "the native core has not been built; run: make native, or set ROI_WORKER__CORE=plain"),
    ],
)
def test_doctor_tells_which_core_counts_and_why(
    without_library: Path, monkeypatch: pytest.MonkeyPatch, core: str, state: str, detail: str
) -> None:
    assert not without_library.exists()
    monkeypatch.setenv("ROI_WORKER__CORE", core)
    finding = check_core(Settings())
    assert (finding.state, finding.detail) == (state, detail)


OVERFLOW = """
from pipeline.native.customers import NativeActivity
from pipeline.native.library import library
people = NativeActivity(3).people
library().shard_load_login(people.handle, people.dormant(bytes(16)), 2**31 - 1, True)
from tests.native.test_people import counted
counted(people, [(1, 2**31 - 1, True)])
"""


@pytest.mark.usefixtures("native_core")
def test_an_overflow_stops_the_process_instead_of_a_number() -> None:
    ended = subprocess.run([sys.executable, "-c", OVERFLOW], check=False, capture_output=True)
    assert -ended.returncode in {signal.SIGILL, signal.SIGTRAP, signal.SIGABRT}
