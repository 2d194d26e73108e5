from __future__ import annotations

from string import Formatter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.alerts.delivery.phrases import PHRASES
from pipeline.alerts.delivery.texts import MOST_CHARACTERS, Wording, clipped, text_of
from pipeline.alerts.lifecycle import OVER
from tests.support.depth import depth

ENGLISH, CHINESE = Wording(), Wording("zh")
WECOM_BYTES = 2048


def message(state: str = "firing", **values: Any) -> dict[str, Any]:
    data: dict[str, Any] = {
        "alert_id": "alr_1",
        "campaign_id": "spring",
        "campaign_name": "Spring savings",
        "owner": "retail",
        "state": state,
        "previous_state": "pending",
        "rule": {"min_return_ratio": 2.0, "confidence": 0.95},
        "return_ratio": 1.25,
        "forecast_ratio": {"low": 1.1, "value": 1.4, "high": 1.7},
        "upper_bound": 1.7,
        "matured_share": 0.62,
        "converters": 41,
        "cost_minor": 1_000_000,
        "return_minor": 1_250_000,
        "money_at_risk_minor": 480_000,
        "reasons": ["stays below 1:2: at most 1:1.7 at 95 % confidence"],
        "advice": None,
        "decisions_by_model": {"last_touch": True, "linear": True},
        "links": {"board": "http://board/?campaign=spring", "explain": "roi explain spring"},
        "decision": None,
        "decided_by": None,
    }
    return {"type": f"alert.{state}", "timestamp": "2026-11-26T00:00:00Z", "data": data | values}


def lines(*messages: dict[str, Any], wording: Wording = ENGLISH, again: bool = False) -> list[str]:
    text = text_of([(one, again) for one in messages], wording)
    return [text.title, *text.body.split("\n")]


def test_a_firing_alert_says_what_how_sure_how_much_money_what_to_do_and_where() -> None:
    assert lines(message()) == [
        "Below 1:2: Spring savings",
        "Returns 1:1.25 so far; 1:2 is required.",
        "Sure: at most 1:1.7 (95 %); 62 % of the return is in, 41 converters.",
        "Money: 4,800 CNY at risk, 10,000 CNY spent.",
        "Do: stop it, or say why it goes on.",
        "http://board/?campaign=spring",
    ]


def test_what_is_hardly_below_is_not_written_as_what_is_required() -> None:
    found = lines(message(return_ratio=1.9999, upper_bound=1.997))
    assert found[1] == "Returns 1:1.9999 so far; 1:2 is required."
    assert found[2].startswith("Sure: at most 1:1.997 (95 %);")


def test_it_says_the_same_in_chinese() -> None:
    assert lines(message(campaign_name="春季储蓄"), wording=CHINESE) == [
        "低于 1:2：春季储蓄",
        "目前回报 1:1.25，要求 1:2。",
        "把握：95 % 置信上限 1:1.7，预计回报已到 62 %，转化客户 41 名。",
        "金额：风险 4,800 CNY，已花 10,000 CNY。",
        "建议：停止，或说明继续的理由。",
        "http://board/?campaign=spring",
    ]


def test_it_advises_to_optimise_where_one_segment_is_to_blame() -> None:
    advice = {"segment": "channel", "label": "sms", "ratio_without": 2.3}
    assert "Do: optimise: without channel sms the ratio is 1:2.3." in lines(message(advice=advice))
    assert "建议：优化：去掉渠道 sms 后比率为 1:2.3。" in lines(message(advice=advice), wording=CHINESE)


def test_it_advises_to_look_where_attribution_models_disagree() -> None:
    found = lines(message(decisions_by_model={"last_touch": True, "linear": False}))
    assert "Do: look first: the attribution models disagree." in found


def test_caveats_are_told_behind_the_verdict() -> None:
    found = lines(message(reasons=["stays below 1:2", "one customer is 40 % of the return"]))
    assert "Know: one customer is 40 % of the return" in found


def test_who_converts_nobody_and_has_no_budget_left_is_told_so() -> None:
    found = lines(message(upper_bound=None, matured_share=None, money_at_risk_minor=None, return_ratio=None))
    assert found[1:3] == ["Sure: converts nobody, 41 converters.", "Money: 10,000 CNY spent."]


@pytest.mark.parametrize(
    ("one", "title", "first"),
    [
        (
            message("resolved", return_ratio=2.3),
            "Recovered, above 1:2: Spring savings",
            "Returns 1:2.3 so far; 1:2 is required.",
        ),
        (
            message("resolved", reasons=[OVER]),
            "Over: Spring savings",
            "The campaign has ended: nothing is left to stop.",
        ),
        (
            message("blocked", reasons=["the cost feed is silent for 50 h"]),
            "Not judged for now: Spring savings",
            "Its data are at fault: the cost feed is silent for 50 h",
        ),
        (message(previous_state="blocked"), "Judged again, below 1:2: Spring savings", "Its data are in order again."),
        (message("decided", decision="stop", decided_by="lin"), "Decided: Spring savings", "lin decided: stop."),
        (
            {"type": "test", "timestamp": "", "data": {"text": "a test", "by": "lin"}},
            "Test of campaign alerts",
            "Alerts of this installation reach you here. Asked for by lin; there is nothing to do.",
        ),
    ],
    ids=["resolved", "over", "blocked", "unblocked", "decided", "test"],
)
def test_each_change_has_its_words(one: dict[str, Any], title: str, first: str) -> None:
    assert lines(one)[:2] == [title, first]
    assert lines(one, wording=CHINESE)[0] != title


def test_a_request_to_stop_that_people_get_is_told_as_one() -> None:
    request = {
        "type": "campaign.stop",
        "data": {"campaign_id": "spring", "decided_by": "lin", "reason": "money is lost"},
    }
    assert lines(request) == ["Stop requested: spring", "lin decided to stop: money is lost"]
    assert lines(message(), request) == lines(message())


def test_a_reminder_says_that_nobody_has_answered() -> None:
    assert lines(message(), again=True)[:2] == ["Still below 1:2: Spring savings", "Nobody has acknowledged it yet."]


def test_a_group_names_the_worst_first_and_counts_the_rest() -> None:
    many = [
        message(
            campaign_id=f"c{number}", campaign_name=f"Campaign number {number}", money_at_risk_minor=number * 100_000
        )
        for number in range(40)
    ]
    found = lines(*many)
    assert found[0] == "40 campaigns below 1:2"
    assert found[1] == "1:1.25 Campaign number 39, 39,000 CNY at risk"
    shown = sum("Campaign number" in line for line in found)
    rest = sum(range(40 - shown)) * 1000
    assert found[-2:] == [f"and {40 - shown} more, {rest:,} CNY at risk", "http://board/"]
    assert shown > 5


def test_a_group_of_different_changes_says_of_each_what_it_is() -> None:
    found = lines(
        message("resolved", campaign_id="b", return_ratio=2.3), message(), message("blocked", campaign_id="c")
    )
    assert found == [
        "3 campaigns changed, 1 below the limit",
        "1:1.25 Spring savings, 4,800 CNY at risk",
        "not judged: Spring savings",
        "recovered, 1:2.3: Spring savings",
        "http://board/",
    ]


def test_campaigns_that_are_judged_again_are_below_the_limit_in_the_title_too() -> None:
    found = lines(message(previous_state="blocked"), message(previous_state="blocked", campaign_id="b"))
    assert found[0] == "2 campaigns below 1:2"


def test_the_phrases_of_both_languages_name_the_same_things() -> None:
    for key, (english, chinese) in PHRASES.items():
        fields = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in (english, chinese)]
        assert fields[0] == fields[1], key


def test_names_are_one_line_that_can_be_printed_and_calls_nobody() -> None:
    assert clipped("a\r\nb\x00\u202ec", 60) == "a b c"
    assert clipped('<at user_id="all">', 60) == '(at user_id="all")'
    assert clipped("x" * 61, 60) == "x" * 59 + "…"


@settings(max_examples=depth(150), deadline=None)
@given(
    st.lists(
        st.builds(
            lambda state, name, risk, reasons, previous: message(
                state, campaign_name=name, money_at_risk_minor=risk, reasons=reasons, previous_state=previous
            ),
            st.sampled_from(("firing", "resolved", "blocked", "decided")),
            st.text(min_size=1, max_size=200) | st.just("\U0001f3e6" * 200),
            st.none() | st.integers(0, 10**15),
            st.lists(st.text(max_size=300), max_size=4),
            st.sampled_from(("pending", "blocked")),
        ),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from((ENGLISH, CHINESE)),
    st.booleans(),
)
def test_every_text_fits_a_phone_and_wecom(messages: list[dict[str, Any]], wording: Wording, again: bool) -> None:  # noqa: FBT001 - drawn
    text = text_of([(one, again) for one in messages], wording)
    whole = f"{text.title}\r\n{text.body}"
    assert len(whole) <= MOST_CHARACTERS
    assert len(whole.encode()) <= WECOM_BYTES
    assert "\n" not in text.title
    assert text.body.endswith(("campaign=spring", "http://board/"))
