from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.native.library import library
from pipeline.state.policy import Policy
from schemas import AppLogin
from schemas.decode import decode
from schemas.topics import LOGINS
from tests.native.comparing import judged, scanned
from tests.schemas.strategies import records
from tests.support.depth import depth

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.usefixtures("native_core")
SOUND = '{"event_id":"e","occurred_at":"2026-03-01T08:00:00.250+08:00","customer_id":"c","channel":"app"%s}'


def doubtful(value: str, key: bytes = b"c") -> bool:
    """Say whether the scanner leaves a record to the judge."""
    seen: list[int] = []

    def counted(topic: str, offsets: Sequence[int], *rest: Any, **named: Any) -> Any:
        seen.extend(offsets)
        return decode(topic, offsets, *rest, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.native.logins.decode", counted)
        scanned([(key, value.encode())], Policy())
    return bool(seen)


# 40 times over, as where the plain decoder is compared with the models: its batches are parsed by column then
@pytest.mark.parametrize("times", [1, 40])
@settings(
    max_examples=depth(300), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data(), shortest=st.sampled_from((5.0, 0.0, 0.1, 1e15)))
def test_scanner_and_plain_decoder_agree_on_verdict_and_values(
    times: int, data: st.DataObject, shortest: float
) -> None:
    batch = data.draw(st.lists(records(LOGINS), min_size=1, max_size=4 if times > 1 else 8)) * times
    policy = Policy(engaged_seconds=shortest)
    assert scanned(batch, policy) == judged(batch, policy)


@pytest.mark.parametrize(
    "more",
    [
        "",
        ',"session_seconds":12.5',
        ',"session_seconds":0',
        ',"session_seconds":null,"automated":true',
        ', "automated" : false ',
        ',"app_version":"7.1","screen":2,"beta":true,"referrer":null,"ratio":0.25',
    ],
)
def test_what_producers_write_needs_no_judge(more: str) -> None:
    assert not doubtful(SOUND % more)


@pytest.mark.parametrize(
    "more",
    [
        ',"session_seconds":-1',
        ',"session_seconds":-0.0',
        ',"session_seconds":1e3',
        ',"session_seconds":01',
        ',"session_seconds":1.',
        ',"session_seconds":1234567890123456',
        ',"session_seconds":"5"',
        ',"automated":null',
        ',"automated":1',
        ',"channel":"web"',
        ',"note":"\\u0041"',
        ',"note":"客户"',
        ',"note":{"a":1}',
        ',"note":-1',
        ",",
        "}",
    ],
)
def test_whatever_is_out_of_the_ordinary_goes_to_the_judge(more: str) -> None:
    assert doubtful(SOUND % more)


@pytest.mark.parametrize("key", [b"", b"d", b"cc"])
def test_another_key_goes_to_the_judge(key: bytes) -> None:
    assert doubtful(SOUND % "", key)


def test_fields_are_those_of_the_model() -> None:
    """A field that the model has and the scanner does not would be skipped unread."""
    known = [library().scan_field(number) for number in range(20)]
    assert {name.decode() for name in known if name is not None} == set(AppLogin.model_fields)


@pytest.mark.parametrize("seconds", ["4.999999999999999", "5.00000000000000", "0.3", "4.35", "999999999999999"])
def test_seconds_are_the_double_next_to_the_decimal(seconds: str) -> None:
    value = (SOUND % f',"session_seconds":{seconds}').encode()
    for shortest in (float(seconds), float(seconds) * (1 + 2**-52)):
        policy = Policy(engaged_seconds=shortest)
        assert scanned([(b"c", value)], policy) == judged([(b"c", value)], policy)


def test_an_empty_batch_is_no_event() -> None:
    assert scanned([], Policy()) == ([], [])
