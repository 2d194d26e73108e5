"""``python -m pipeline.embedded.clickhouse``: the ClickHouse endpoint as a process of its own."""

from __future__ import annotations

import sys

from pipeline.interrupts import end_at_once

if __name__ == "__main__":
    end_at_once()

    from pipeline.embedded.clickhouse.main import main

    sys.exit(main())
