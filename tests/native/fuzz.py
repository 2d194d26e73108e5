"""Compares the scanner with the plain decoder on records that nobody would write: `python -m tests.native.fuzz`.

And the reader of record batches with aiokafka's, on bytes that no producer sends (`fuzz_batches`).

Inputs come in chunks, each with a seed of its own, one more than that of the chunk before: a fault names its chunk's,
which repeats it alone, and a run that has been broken off goes on from the seed that it has printed last. The library
is built with AddressSanitizer for it (gcc), so that a byte read behind a record ends the run too.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from pipeline.native import library as native_library
from pipeline.native.build import compile_library
from pipeline.state.policy import Policy
from tests.native.comparing import TOPICS, judged, scanned
from tests.native.fuzz_batches import fuzz_batches
from tests.native.inputs import mutated, record
from tests.native.scanning import Scanned, sound_apart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.native.comparing import Record

BATCH: Final = 500
CHUNK: Final = 10_000
_WHOLE_EVERY: Final = 10  # batches: the doubtful records of the others are not judged twice
_TOLD_EVERY: Final = 60.0  # seconds
SANITIZERS: Final = ("-fsanitize=address,undefined", "-fno-sanitize-undefined-trap-on-error", "-g")


def main() -> None:
    """Run; the exit code is 1 where the two disagree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, help="of each topic")
    parser.add_argument(
        "--batches", type=int, default=None, help="record batches of Kafka, as many as inputs unless given"
    )
    parser.add_argument("--topic", action="append", choices=TOPICS, help="all of them unless given")
    parser.add_argument("--seed", type=int, default=None, help="of the first chunk")
    parser.add_argument("--library", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.library is None:
        sys.exit(_again_with_sanitizers(sys.argv[1:]))
    setattr(native_library, "library_path", lambda: Path(arguments.library))  # noqa: B010 - not one of its exports
    seed = int.from_bytes(os.urandom(4)) if arguments.seed is None else arguments.seed
    _run(arguments.topic or TOPICS, arguments.inputs, seed)
    batches = arguments.inputs if arguments.batches is None else arguments.batches
    print(f"seed {seed}: {fuzz_batches(batches, Random(seed))}", flush=True)  # noqa: T201 - likewise


def _run(topics: Sequence[str], inputs: int, seed: int) -> None:
    """Compare chunk by chunk, the topics in turn, and tell now and then how far it has come."""
    began = told = time.monotonic()
    sound = dict.fromkeys(topics, 0)
    for done in range(0, inputs, CHUNK):
        count = min(CHUNK, inputs - done)
        for topic in topics:
            sound[topic] += fuzz(topic, count, seed + done // CHUNK)
        now = time.monotonic()
        if now - told >= _TOLD_EVERY or done + count == inputs:
            told = now
            found = ", ".join(f"{topic} {number}" for topic, number in sound.items())
            print(  # noqa: T201 - the answer of a command
                f"{done + count} records of each topic in {now - began:.0f} s, sound ones: {found}; "
                f"first seed {seed}, next {seed + (done + count) // CHUNK}",
                flush=True,
            )


def _again_with_sanitizers(given: Sequence[str]) -> int:
    """Build the library with the sanitizer and start over below its runtime, which has to be the first library."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "core.so"
        compile_library(["gcc"], target, SANITIZERS)
        runtime = subprocess.run(
            ["gcc", "-print-file-name=libasan.so"], check=True, capture_output=True, text=True
        ).stdout.strip()
        names = {
            "LD_PRELOAD": runtime,
            "ASAN_OPTIONS": "detect_leaks=0:quarantine_size_mb=16:malloc_context_size=2",
            "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
        }
        command = [sys.executable, "-m", "tests.native.fuzz", *given, "--library", str(target)]
        return subprocess.run(command, check=False, env=os.environ | names).returncode


def fuzz(topic: str, inputs: int, seed: int) -> int:
    """Compare; return how many of the records are sound.

    Raises:
        SystemExit: the two disagree; the message has the first record on which they do.
    """
    random, policy, accepted = Random(seed), Policy(), 0
    for number, done in enumerate(range(0, inputs, BATCH)):
        batch = records(topic, random, min(BATCH, inputs - done))
        found = Scanned(topic, batch, policy)
        wrong = found.faults()
        if wrong:
            raise SystemExit(f"seed {seed}: scanner and judge disagree on {wrong[0]!r}")
        if number % _WHOLE_EVERY == 0 and scanned(topic, batch, policy) != judged(topic, batch, policy):
            raise SystemExit(f"seed {seed}: scanner and judge disagree on a batch: {batch!r}")
        if sound_apart(topic, batch, policy, random) != found.sound:
            raise SystemExit(f"seed {seed}: what stands around a record matters in: {batch!r}")
        accepted += found.accepted
    return accepted


def records(topic: str, random: Random, count: int) -> list[Record]:
    """Return records that are nearly right, each second one the one before it with odd bytes."""
    found: list[Record] = []
    while len(found) < count:
        key, value = one = record(topic, random)
        found.append(one)
        if value:
            found.append((key, mutated(random, value)))
    return found[:count]


if __name__ == "__main__":
    main()
