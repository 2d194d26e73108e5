from __future__ import annotations

import pytest

from pipeline.native.events import Events
from pipeline.native.people import People
from pipeline.state.policy import Policy
from schemas.common import MAX_IDENTIFIER_LENGTH

pytestmark = pytest.mark.usefixtures("native_core")


@pytest.mark.parametrize(
    "event_id",
    [
        "r",
        "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
        "0A1B2C3D-4e5f-6071-8293-a4b5c6d7e8f9",
        "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8-9",
        "𠀋" * MAX_IDENTIFIER_LENGTH,
    ],
)
def test_an_orphan_is_told_by_its_id(event_id: str) -> None:
    people = People(125)
    events = Events(people, Policy(pseudonym_key=b"key"))
    ann = people.meet(b"ann", b"a" * 16)
    for place, name in enumerate((event_id, f"{event_id[:-1]}0")):
        events.load_reversal(ann, place, name, "nothing", 1, place)
    assert [(refusal.offset, refusal.event_id) for refusal in events.drain_orphans(2)] == [
        (0, event_id),
        (1, f"{event_id[:-1]}0"),
    ]
