from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipeline.experiments.asking import Asked, analysis_of
from pipeline.experiments.verdict import Decision
from pipeline.experiments.words import sentence
from pipeline.ledger.ledger import ClickHouseLedger
from tests.experiments.bank import experiment, play

if TYPE_CHECKING:
    from pipeline.settings import Settings


def test_an_effect_that_many_comparisons_hold_back_is_not_said_to_be_none(
    clickhouse: Any, migrated: Settings, run_name: str
) -> None:
    play(clickhouse, run_name, experiment({"control": 0.05, "A": 0.3}))
    port = ClickHouseLedger(clickhouse, migrated.clickhouse_database, run_name, "test")
    analysis = analysis_of(port, migrated, Asked("spring", run_name))
    (found,) = (one for one in analysis.results if one.compared.metric == "converted")
    assert found.compared.always.low > 0
    held_back = replace(found, decision=Decision.NO_DIFFERENCE, always_q=0.2)
    said = sentence(analysis, held_back)
    assert "no difference beyond what 4 comparisons show by chance" in str(said)
    assert "and 0.2000 with all of them in mind" in str(said)
