from __future__ import annotations

from tests.dashboards.conftest import seeded

__all__ = ["seeded"]
