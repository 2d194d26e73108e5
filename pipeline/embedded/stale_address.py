"""Removes an instance's address file when its supervisor has been killed and could not do it itself.

A script of the standard library alone, started as
``python -I -S stale_address.py LOCK FILE`` with a pipe from the supervisor as stdin.
The pipe ends with the supervisor, however that ends.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from pathlib import Path
from typing import Final

_ATTEMPTS: Final = 100
_PAUSE_SECONDS: Final = 0.01


def main(lock: Path, file: Path) -> None:
    """Wait for the end of stdin, then remove the file unless a next supervisor holds the lock: then it is not ours."""
    sys.stdin.buffer.read()
    descriptor = os.open(lock, os.O_RDWR)
    for _ in range(_ATTEMPTS):  # the kernel may end a killed supervisor's pipe a little before its lock
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_SECONDS)
        else:
            file.unlink(missing_ok=True)
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
