from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline.clickhouse.reader import Reader
from pipeline.comparison.grounds import grounds
from pipeline.ledger.ledger import ClickHouseLedger
from pipeline.policies import describe_policy
from pipeline.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDER, NEWER, OTHER = "settings-older", "settings-newer", "settings-other"


@pytest.fixture
def begun(clickhouse: Any) -> Iterator[None]:
    """A run of a release that did not record the default goal, the same of this one, and one with another goal."""
    now = describe_policy(Settings())
    older = now.partition(" default_goal_kinds=")[0]
    other = describe_policy(Settings(default_goal_kinds=("payment",)))
    for run, settings, rules in ((OLDER, older, "any"), (NEWER, now, "any"), (OTHER, other, "payments")):
        ledger = ClickHouseLedger(clickhouse, "roi", run, "someone")
        ledger.execute("begin_run", fingerprint=rules, settings=settings, models=["m"], zone="UTC", rules=rules)
    yield
    clickhouse.command("DELETE FROM roi.runs WHERE startsWith(run, 'settings-')")


def test_the_default_goal_is_a_ground_where_both_runs_record_it(migrated: Settings, begun: None) -> None:
    reader = Reader(migrated)
    assert grounds(reader, "roi", OLDER, NEWER) == []
    (found,) = grounds(reader, "roi", NEWER, OTHER)
    assert (found.kind, found.name, found.left, found.right) == ("setting", "default_goal_kinds", "any", "payment")
    assert grounds(reader, "roi", OLDER, OTHER) == []  # what the older one counted with is not known
