from __future__ import annotations

from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.alerts.peers import PeerShelf
from pipeline.alerts.plans import plan_of
from pipeline.alerts.record import Evidence
from pipeline.alerts.verdict import Band
from pipeline.evaluator import evidences
from pipeline.evaluator.evidences import LedgerEvidences
from pipeline.ledger.ledger import LedgerUnavailableError
from schemas.alerts import Advice
from tests.alerts.building import RULE, T0, verdict
from tests.alerts.facts_support import POLICY, SHAPE, plans_of, played
from tests.oracle.config import MODELS
from tests.oracle.generators import random_log

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.verdict import Verdict

BEFORE = Evidence(("stays below",), 7)
WHOLE = verdict("below", cost_minor=2_000, return_minor=2_000, forecast=Band(1.1, 1.25, 1.4))


class NoPeers:
    def fetch(self, name: str, **parameters: Any) -> list[list[Any]]:
        del name, parameters
        return []

    def execute(self, name: str, **parameters: Any) -> None:
        del name, parameters


class Port:
    """Never asked: what would be read is given."""

    def fetch(self, name: str, **parameters: Any) -> list[list[Any]]:
        raise AssertionError((name, parameters))

    def records(self, name: str, kind: Any, **parameters: Any) -> Any:
        raise AssertionError((name, kind, parameters))


class AtOnce(Executor):
    """Runs what it is given before it returns; ``fault`` is raised instead."""

    def __init__(self) -> None:
        self.fault: Exception | None = None

    def submit(self, call: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        fault = self.fault
        try:
            answer = None if fault is not None else call(*arguments, **named)
        except Exception as error:  # noqa: BLE001 - as every executor
            fault = error
        if fault is None:
            future.set_result(answer)
        else:
            future.set_exception(fault)
        return future


def finding(executor: Executor | None = None) -> LedgerEvidences:
    return LedgerEvidences(Port(), POLICY, PeerShelf(NoPeers()), executor or AtOnce())


def looked(some: LedgerEvidences, at: Verdict) -> Evidence:
    """Ask, and ask again once it is found."""
    some.evidence(_plan("spring"), at, RULE, BEFORE)
    return some.evidence(_plan("spring"), at, RULE, BEFORE)


def part(cost: int, ratio: float, p_value: float) -> Verdict:
    band = Band(ratio * 0.9, ratio, ratio * 1.1)
    return verdict("below", cost_minor=cost, return_minor=round(cost * ratio), forecast=band, p_value=p_value)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Of two channels one drags the campaign down; of the models only the last one would let it run."""
    questions: list[str] = []

    def segment_statistics(_campaign: Any, kind: str) -> tuple[list[str], list[Verdict]]:
        questions.append(kind)
        channels = [part(1_000, 0.05, 1e-9), part(1_000, 2.4, 0.9)]
        return (["sms", "wecom"], channels) if kind == "channel" else (["only"], [WHOLE])

    def model_statistics(_campaign: Any, labels: Sequence[str]) -> list[list[Verdict]]:
        questions.extend(labels)
        return [[verdict("undecided" if model == MODELS[-1] else "below")] for model in labels]

    def judge(rows: Sequence[Verdict], _library: Any, _rule: Any) -> Sequence[Verdict]:
        return rows

    for name, instead in (
        ("segment_statistics", segment_statistics),
        ("model_statistics", model_statistics),
        ("judge", judge),
    ):
        monkeypatch.setattr(evidences, name, instead)
    return questions


def _plan(name: str) -> CampaignPlan:
    return plan_of(name, None, POLICY)


def test_the_segment_that_drags_a_campaign_down_and_what_models_decide_are_said(asked: list[str]) -> None:
    found = looked(finding(), WHOLE)
    assert found.advice is not None
    said = Advice.model_validate(found.advice)
    assert (said.segment, said.label, round(said.ratio_without, 2)) == ("channel", "sms", 2.45)
    assert list(found.decisions_by_model.values()) == [True] * (len(MODELS) - 1) + [False]
    assert (found.reasons, found.money_at_risk_minor) == (BEFORE.reasons, 7)
    assert asked[:3] == ["channel", "variant", "tier"]


def test_a_look_does_not_wait_for_it(asked: list[str]) -> None:
    assert finding().evidence(_plan("spring"), WHOLE, RULE, BEFORE) == BEFORE
    assert asked


def test_what_the_deciding_model_says_is_as_new_as_the_verdict(asked: list[str]) -> None:
    some = finding()
    assert not some.knows("spring")
    looked(some, WHOLE)
    assert some.knows("spring")
    above = replace(BEFORE, decisions_by_model={MODELS[0]: False})
    found = some.evidence(_plan("spring"), verdict("above"), RULE, above)
    assert list(found.decisions_by_model.values()) == [False] + [True] * (len(MODELS) - 2) + [False]
    assert asked


def test_what_was_found_is_asked_again_after_ten_minutes_of_event_time(asked: list[str]) -> None:
    some = finding()
    looked(some, WHOLE)
    count = len(asked)
    looked(some, verdict("below", T0 + 599_999))
    assert len(asked) == count
    looked(some, verdict("below", T0 + 600_000))
    assert len(asked) == 2 * count


def test_what_clickhouse_did_not_answer_is_asked_again(asked: list[str]) -> None:
    executor = AtOnce()
    some = finding(executor)
    executor.fault = LedgerUnavailableError("away")
    assert looked(some, WHOLE) == BEFORE
    executor.fault = None
    some.evidence(_plan("spring"), WHOLE, RULE, BEFORE)
    assert looked(some, WHOLE).advice is not None
    assert asked


def test_evidence_that_cannot_be_found_keeps_no_verdict_from_being_told(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    customer = "c4711"

    def failing(*_: Any) -> Any:
        raise ValueError(customer)

    some = finding()
    with monkeypatch.context() as patched:
        patched.setattr(evidences, "judge", failing)
        assert looked(some, WHOLE) == BEFORE
        assert some.knows("spring"), "it is not waited for"
        assert asked == ["channel"], "it is not asked again at every look"
        assert looked(some, verdict("below", T0 + 600_000)) == BEFORE
    assert looked(some, replace(WHOLE, as_of_ms=T0 + 1_200_000)).advice is not None
    assert [record.getMessage().split(" at ")[0] for record in caplog.records] == [
        "no evidence for campaign spring: ValueError"
    ] * 2
    assert customer not in caplog.text


@pytest.mark.slow
@pytest.mark.process
def test_a_campaign_of_a_real_ledger_gets_a_decision_of_every_model(clickhouse: Any, run_name: str) -> None:
    log = random_log(77, 300, shape=SHAPE)
    port = played(clickhouse, run_name, log, 7)
    some = LedgerEvidences(port, POLICY, PeerShelf(NoPeers()), AtOnce())
    for one in plans_of(log).values():
        at = verdict("below", 1_800_000_000_000, one.campaign_id)
        some.evidence(one, at, RULE, BEFORE)
        assert set(some.evidence(one, at, RULE, BEFORE).decisions_by_model) == set(MODELS)
