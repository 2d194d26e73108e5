from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.simulation.mixes import MixOptions, mix_events

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
ALLOWED_KIB = 8 * 1024


def peak_kib(path: Path, topic: str = "auto") -> tuple[int, int]:
    probe = [sys.executable, "-m", "tests.ingest.memory_probe", str(path), topic]
    read, peak = subprocess.run(probe, check=True, capture_output=True, text=True, cwd=ROOT).stdout.split()
    return int(read), int(peak)


def content(megabytes: int) -> bytes:
    events = mix_events(MixOptions("A", events=5_000, customers=1_000))
    piece = b"".join(b'{"topic":"%s","value":%s}\n' % (topic.encode(), value) for topic, _, value in events)
    return piece * (megabytes * 1_000_000 // len(piece))


@pytest.mark.slow
@pytest.mark.parametrize("pack", [bytes, lambda text: gzip.compress(text, 1)], ids=["plain", "gzip"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(pack(content(2)))
    large.write_bytes(pack(content(200)))
    few, low = peak_kib(small)
    many, high = peak_kib(large)
    assert many > 80 * few
    assert high - low < ALLOWED_KIB


@pytest.mark.slow
def test_memory_does_not_grow_with_the_longest_line(tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(content(2))
    large.write_bytes(b"x" * 200_000_000)
    assert peak_kib(large)[1] - peak_kib(small)[1] < ALLOWED_KIB
