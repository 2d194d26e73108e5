from __future__ import annotations

import pytest

from schemas.dating import occurred_at_of
from schemas.judge import MAX_VALUE_BYTES

AT = b'"occurred_at": "2026-03-01T00:00:00.250Z"'


@pytest.mark.parametrize(
    "value",
    [
        b"{" + AT + b"}",
        b'{"event_id": 7, ' + AT + b"}",  # whether it is an event at all is not asked
        b'{"deep": ' + b"[" * 5_000 + b"]" * 5_000 + b", " + AT + b"}",
        b'{"long": ' + b"9" * 5_000 + b", " + AT + b"}",
    ],
)
def test_a_record_that_says_when_it_occurred_is_dated(value: bytes) -> None:
    assert occurred_at_of(value) == 1_772_323_200_250


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"no JSON",
        b"[]",
        b"{}",
        b'{"occurred_at": 5}',
        b'{"occurred_at": "yesterday"}',
        b'{"filling": "' + b"x" * MAX_VALUE_BYTES + b'", ' + AT + b"}",
    ],
)
def test_what_no_event_could_say_has_no_date(value: bytes | None) -> None:
    assert occurred_at_of(value) is None
