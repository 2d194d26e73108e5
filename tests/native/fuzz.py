"""Compares the scanner with the plain decoder on records that nobody would write: `python -m tests.native.fuzz`.

And the reader of record batches with aiokafka's, on bytes that no producer sends (`fuzz_batches`).

Every run has another seed, which is printed. The library is built with AddressSanitizer for it (gcc), so that a byte
read behind a record ends the run too.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from pipeline.native import library as native_library
from pipeline.native.build import compile_library
from pipeline.native.decoding import Batch, scan
from pipeline.state.policy import Policy
from schemas.common import DEFAULT_EARLIEST_MS
from tests.native.comparing import TOPICS, judged, scanned
from tests.native.fuzz_batches import fuzz_batches
from tests.native.inputs import record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.native.comparing import Record

BATCH: Final = 400
SANITIZERS: Final = ("-fsanitize=address,undefined", "-fno-sanitize-undefined-trap-on-error", "-g")


def main() -> None:
    """Run; the exit code is 1 where the two disagree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, help="of each topic")
    parser.add_argument("--topic", action="append", choices=TOPICS, help="all of them unless given")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--library", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    seed = int.from_bytes(os.urandom(4)) if arguments.seed is None else arguments.seed
    topics = arguments.topic or TOPICS
    if arguments.library is None:
        sys.exit(_again_with_sanitizers(arguments.inputs, seed, topics))
    setattr(native_library, "library_path", lambda: Path(arguments.library))  # noqa: B010 - not one of its exports
    for topic in topics:
        began = time.monotonic()
        outcome = fuzz(topic, arguments.inputs, seed)
        print(f"seed {seed}: {topic}: {outcome} in {time.monotonic() - began:.0f} s")  # noqa: T201 - the answer of a command
    print(f"seed {seed}: {fuzz_batches(arguments.inputs, Random(seed))}")  # noqa: T201 - likewise


def _again_with_sanitizers(inputs: int, seed: int, topics: Sequence[str]) -> int:
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
        command += [part for topic in topics for part in ("--topic", topic)]
        return subprocess.run([*command, "--library", str(target)], check=False, env=os.environ | names).returncode


def fuzz(topic: str, inputs: int, seed: int) -> str:
    """Compare; return how many records of a topic there were, and how many of them are sound.

    Raises:
        SystemExit: the two disagree; the message has the first record on which they do.
    """
    random, policy, accepted = Random(seed), Policy(), 0
    for done in range(0, inputs, BATCH):
        batch = [record(topic, random) for _ in range(min(BATCH, inputs - done))]
        found = scanned(topic, batch, policy)
        if found != judged(topic, batch, policy):
            for one in batch:
                if scanned(topic, [one], policy) != judged(topic, [one], policy):
                    raise SystemExit(f"seed {seed}: scanner and judge disagree on {one!r}")
            raise SystemExit(f"seed {seed}: scanner and judge disagree on a batch: {batch!r}")
        if [sound_alone(topic, one, policy) for one in batch] != sound_together(topic, batch, policy):
            raise SystemExit(f"seed {seed}: what stands around a record matters in: {batch!r}")
        accepted += len(found[0])
    return f"{inputs} records, {accepted} of them sound"


def sound_together(topic: str, batch: Sequence[Record], policy: Policy) -> list[int]:
    """Say of each record whether the scanner takes it."""
    joined = Batch.joined([key for key, _ in batch], [value for _, value in batch])
    return cast("list[int]", scan(topic, joined, policy, DEFAULT_EARLIEST_MS)[0]["is_sound"].tolist())


def sound_alone(topic: str, one: Record, policy: Policy) -> int:
    """Say it of one record, behind which the memory ends: a byte more and the sanitizer sees it."""
    key, value = (text or b"" for text in one)
    memory = ctypes.create_string_buffer(key + value, len(key + value))
    places = (np.array([place], np.uint32) for place in (0, len(key), len(key), len(value)))
    batch = Batch(cast("bytes", memory), *places)
    return int(scan(topic, batch, policy, DEFAULT_EARLIEST_MS)[0]["is_sound"][0])


if __name__ == "__main__":
    main()
