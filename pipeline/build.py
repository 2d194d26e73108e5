"""Which build runs: version, commit and interpreter."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

VERSION: Final = "0.2.0"
UNKNOWN: Final = "unknown"
_ROOT: Final = Path(__file__).resolve().parents[1]
_SECONDS: Final = 2.0


def build_info(commit: str = "") -> dict[str, str]:
    """Return what tells one build from another.

    Args:
        commit: what the image was built from; where it is not given, the checkout is asked.
    """
    return {"version": VERSION, "commit": commit or _checkout(), "python": platform.python_version()}


@cache
def _checkout() -> str:
    if not (_ROOT / ".git").exists():
        return UNKNOWN
    command = ["git", "-C", str(_ROOT), "rev-parse", "--short=12", "HEAD"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN
    return told.stdout.strip()
