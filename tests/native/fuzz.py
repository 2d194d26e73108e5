"""Compares the scanner with the plain decoder on records that nobody would write: `python -m tests.native.fuzz`.

Every run has another seed, which is printed. The library is built with AddressSanitizer for it (gcc), so that a byte
read behind a record ends the run too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Final

from pipeline.native import library as native_library
from pipeline.native.build import compile_library
from pipeline.state.policy import Policy
from tests.native.comparing import Record, judged, scanned
from tests.schemas.strategies import ODD_LITERALS

BATCH: Final = 400
SANITIZERS: Final = ("-fsanitize=address,undefined", "-fno-sanitize-undefined-trap-on-error", "-g")
NAMES: Final = ("event_id", "occurred_at", "customer_id", "channel", "session_seconds", "automated", "extra", "even_id")
IDS: Final = ("C1", "c" * 64, "c" * 65, "客", "a b", "ab/", "x" * 63 + "客")
INSTANTS: Final = (
    "2026-03-01T08:00:00Z", "2026-03-01T08:00:00.1+08:00", "2024-02-29T23:59:59.999999999-12:00",
    "2023-02-29T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59.999-00:01", "1990-01-01T00:00:00Z",
    "1989-12-31T23:59:59.999Z", "2026-03-01T24:00:00Z", "2026-03-01T08:00:60Z", "2026-03-01t08:00:00z",
    "2026-03-01 08:00:00Z", "2026-3-1T8:0:0Z",
)  # fmt: skip
PIECES: Final = tuple(
    piece.encode("utf-8", "surrogatepass")
    for piece in (
        '"',
        "\\",
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        " ",
        "\n",
        "\ufeff",
        "\x00",
        "null",
        "true",
        "-",
        ".",
        "e9",
        "0",
        "客",
    )
)


def main() -> None:
    """Run; the exit code is 1 where the two disagree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--library", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    seed = int.from_bytes(os.urandom(4)) if arguments.seed is None else arguments.seed
    if arguments.library is None:
        sys.exit(_again_with_sanitizers(arguments.inputs, seed))
    setattr(native_library, "library_path", lambda: Path(arguments.library))  # noqa: B010 - not one of its exports
    began = time.monotonic()
    outcome = fuzz(arguments.inputs, seed)
    print(f"seed {seed}: {outcome} in {time.monotonic() - began:.0f} s")  # noqa: T201 - the answer of a command


def _again_with_sanitizers(inputs: int, seed: int) -> int:
    """Build the library with the sanitizer and start over below its runtime, which has to be the first library."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "core.so"
        compile_library(["gcc"], target, SANITIZERS)
        runtime = subprocess.run(
            ["gcc", "-print-file-name=libasan.so"], check=True, capture_output=True, text=True
        ).stdout.strip()
        # Python's own allocator would hide where a text ends
        names = {"LD_PRELOAD": runtime, "ASAN_OPTIONS": "detect_leaks=0", "PYTHONMALLOC": "malloc"}
        command = [sys.executable, "-m", "tests.native.fuzz", "--inputs", str(inputs), "--seed", str(seed)]
        return subprocess.run([*command, "--library", str(target)], check=False, env=os.environ | names).returncode


def fuzz(inputs: int, seed: int) -> str:
    """Compare; return how many records there were, and how many of them the scanner left to the judge.

    Raises:
        SystemExit: the two disagree; the message has the first record on which they do.
    """
    random, policy, accepted = Random(seed), Policy(), 0
    for done in range(0, inputs, BATCH):
        batch = [record(random) for _ in range(min(BATCH, inputs - done))]
        found = scanned(batch, policy)
        if found != judged(batch, policy):
            for one in batch:
                if scanned([one], policy) != judged([one], policy):
                    raise SystemExit(f"seed {seed}: scanner and judge disagree on {one!r}")
            raise SystemExit(f"seed {seed}: scanner and judge disagree on a batch: {batch!r}")
        accepted += len(found[0])
    return f"{inputs} records, {accepted} of them sound"


def record(random: Random) -> Record:
    """Return a record that is nearly right."""
    name = random.choice(IDS) if random.random() < 0.2 else f"C{random.randrange(1_000)}"
    fields: list[tuple[str, str]] = [
        ("event_id", json.dumps(f"e{random.randrange(1 << 30)}")),
        ("occurred_at", json.dumps(random.choice(INSTANTS[:3] if random.random() < 0.8 else INSTANTS))),
        ("customer_id", json.dumps(name, ensure_ascii=random.random() < 0.5)),
        ("channel", random.choice(('"app"', '"web"', '"a.b-c_9"'))),
    ]
    if random.random() < 0.6:
        fields.append(
            (
                "session_seconds",
                random.choice(
                    ("null", "0", f"{random.uniform(0, 10):.3f}", f"{random.random() * 10 ** random.randint(-3, 14)}")
                ),
            )
        )
    if random.random() < 0.6:
        fields.append(("automated", random.choice(("true", "false"))))
    if random.random() < 0.2:
        fields[random.randrange(len(fields))] = (random.choice(NAMES), random.choice(ODD_LITERALS))
    if random.random() < 0.2:
        fields.append((random.choice(NAMES), random.choice(ODD_LITERALS)))
    if random.random() < 0.2:
        random.shuffle(fields)
    comma, colon = random.choice(((",", ":"), (", ", ": "), (" ,\n", "\t:")))
    text = "{" + comma.join(f'"{field}"{colon}{value}' for field, value in fields) + "}"
    value = bytearray(text.encode("utf-8", "surrogatepass"))
    if random.random() < 0.4:
        _mutate(random, value)
    key = name.encode() if random.random() < 0.97 else random.choice((None, b"", b"C1", b"\xff", name.encode() + b" "))
    return key, None if random.random() < 0.005 else bytes(value)


def _mutate(random: Random, value: bytearray) -> None:
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        at = random.randrange(len(value) + 1)
        match random.randrange(5):
            case 0:
                value[at : at + 1] = bytes([random.randrange(256)])
            case 1:
                value[at:at] = random.choice(PIECES)
            case 2:
                del value[at : at + random.randint(1, 4)]
            case 3:
                del value[at:]
            case _:
                start = random.randrange(len(value) + 1)
                value[at:at] = value[start : start + random.randint(1, 30)]


if __name__ == "__main__":
    main()
