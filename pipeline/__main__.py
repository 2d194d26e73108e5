"""`python -m pipeline` is the `roi` command."""

from __future__ import annotations

import os
import signal

_INTERRUPTED = 130  # no import more than needed before the handler stands: each is time for a Ctrl-C


def _end_at_once(*_: object) -> None:
    os.write(2, b"interrupted\n")
    os._exit(_INTERRUPTED)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, _end_at_once)  # before the imports, which Ctrl-C would tear in two

    from pipeline.cli import main

    main()
