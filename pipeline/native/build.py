"""Builds the compiled core from native/*.c, in seconds: with the system's compiler, else with the one in a wheel.

The library's name holds a digest of what it was made from, so one of older sources is never loaded.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCES: Final = ROOT / "native"
LOCK_OF_COMPILER: Final = ROOT / "requirements" / "compiler.lock"
# a signed number that overflows, a shift too far or an index beyond an array stops the process, in every build
TRAPS: Final = ("-fsanitize=signed-integer-overflow,bounds,shift", "-fsanitize-undefined-trap-on-error")
# shares are doubles that have to be the same everywhere: no product and sum in one rounding
EXACT: Final = ("-ffp-contract=off",)
FLAGS: Final = ("-std=gnu11", "-Wall", "-Wextra", "-O2", "-shared", "-fPIC", "-fvisibility=hidden", *EXACT, *TRAPS)
_SECONDS: Final = 300


class BuildError(Exception):
    """A compiler could not build the library; the message is what it said first."""


def library_path() -> Path:
    """Return where the library of these sources is, once it is built."""
    digest = hashlib.sha256(" ".join(FLAGS).encode())
    for source in sorted(SOURCES.glob("*.[ch]")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return ROOT / "build" / "native" / f"core-{digest.hexdigest()[:16]}-{sys.platform}-{platform.machine()}.so"


def compile_library(compiler: Sequence[str], target: Path, extra: Sequence[str] = ()) -> None:
    """Build the library in one call of a compiler.

    Raises:
        BuildError: the compiler is missing, failed or did not end.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(f".{os.getpid()}")
    sources = sorted(map(str, SOURCES.glob("*.c")))
    command = [*compiler, *FLAGS, *extra, "-o", str(unfinished), *sources, "-lm"]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS)
        unfinished.replace(target)
    except subprocess.CalledProcessError as error:
        raise BuildError(_first_line(error.stderr) or f"{compiler[0]} ended with {error.returncode}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(str(error)) from error
    finally:
        unfinished.unlink(missing_ok=True)


def build(*, once: bool = False) -> str:
    """Build the library unless it is there; return in one line what came of it.

    Args:
        once: not again where it has failed before, as on a machine without a compiler and without a way to one.
    """
    target = library_path()
    if target.exists():
        return f"native core: {target.relative_to(ROOT)} is up to date"
    failure = target.with_suffix(".failed")
    if once and failure.exists():
        return f"{failure.read_text()} (make native tries again)"
    began = time.monotonic()
    reasons: list[str] = []
    with tempfile.TemporaryDirectory(prefix="roi-compiler-") as folder:
        for compiler in _compilers(Path(folder), reasons):
            try:
                compile_library(compiler, target)
            except BuildError as error:
                reasons.append(f"{compiler[0]}: {error}")
                continue
            for old in _former(target):
                old.unlink(missing_ok=True)  # another one may build here, too
            return f"native core: built with {Path(compiler[0]).name} in {time.monotonic() - began:.1f} s"
    outcome = f"native core: not built ({'; '.join(reasons)}); the plain core is used, which counts the same"
    target.parent.mkdir(parents=True, exist_ok=True)
    failure.write_text(outcome)
    return outcome


def _former(target: Path) -> Iterator[Path]:
    """Yield what was built, or could not be, of other sources for this machine; others may share the folder."""
    machine = target.stem.split("-", 2)[2]
    for found in target.parent.glob(f"core-*-{machine}.*"):
        if found.suffix in {".so", ".failed"} and found.stem != target.stem:
            yield found


def _compilers(folder: Path, reasons: list[str]) -> Iterator[list[str]]:
    """Yield commands that compile C: those of this machine first, then the one of a wheel, fetched into a folder."""
    for name in (os.environ.get("CC", ""), "cc", "gcc", "clang"):
        found = shutil.which(name) if name else None
        if found:
            yield [found]
    try:
        yield fetched_compiler(folder)
    except BuildError as error:
        reasons.append(f"no C compiler of this machine built it, and ziglang cannot be fetched: {error}")


def fetched_compiler(folder: Path) -> list[str]:
    """Fetch a compiler (the wheel ziglang, 101 MB, its hash checked) into a folder; return its command.

    Raises:
        BuildError: there is none for this machine, or no way to it.
    """
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    install += ["--require-hashes", "--only-binary", ":all:", "--target", str(folder), "-r", str(LOCK_OF_COMPILER)]
    try:
        subprocess.run(install, check=True, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.CalledProcessError as error:
        raise BuildError(_first_line(error.stderr)) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(str(error)) from error
    return [str(folder / "ziglang" / "zig"), "cc"]


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if "error" in line.lower()] or text.splitlines()
    return lines[0] if lines else ""


if __name__ == "__main__":
    print(build(once="--once" in sys.argv[1:]))  # noqa: T201 - the answer of a command
