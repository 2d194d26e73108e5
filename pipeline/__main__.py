"""`python -m pipeline` is the `roi` command."""

from __future__ import annotations

from pipeline.interrupts import end_at_once

if __name__ == "__main__":
    end_at_once()

    from pipeline.cli import main

    main()
