"""`python -m pipeline.api --port N`: board and API alone, on the loopback address unless told otherwise."""

from __future__ import annotations

import sys

from pipeline.interrupts import end_at_once

if __name__ == "__main__":
    end_at_once()

    from pipeline.api.main import main

    sys.exit(main())
