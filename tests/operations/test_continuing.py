from __future__ import annotations

import pytest

from pipeline.errors import UserError
from pipeline.operations.continuing import check_new_topics
from schemas.topics import COSTS, CUSTOMER_KEYED_TOPICS, LOGINS

COUNTED = dict.fromkeys((*CUSTOMER_KEYED_TOPICS, COSTS), 8)


@pytest.mark.parametrize(
    ("existing", "counted", "partitions"),
    [
        ((), {}, 4),  # a new database
        ((), COUNTED, 8),
        ((*CUSTOMER_KEYED_TOPICS, COSTS), COUNTED, 4),  # nothing is to be made
        ((COSTS, *CUSTOMER_KEYED_TOPICS[1:]), COUNTED, 4),  # it gets as many as its kin
    ],
)
def test_topics_that_the_ledger_can_count_with_are_made(
    existing: tuple[str, ...], counted: dict[str, int], partitions: int
) -> None:
    check_new_topics(existing, counted, partitions)


@pytest.mark.parametrize(
    ("existing", "counted", "named"),
    [
        ((), COUNTED, CUSTOMER_KEYED_TOPICS[0]),
        ((), {LOGINS: 3, COSTS: 4}, LOGINS),
        (CUSTOMER_KEYED_TOPICS, COUNTED, COSTS),
    ],
)
def test_topics_with_another_number_than_the_ledger_s_are_not_made(
    existing: tuple[str, ...], counted: dict[str, int], named: str
) -> None:
    with pytest.raises(UserError) as refused:
        check_new_topics(existing, counted, 4)
    known = counted[named]
    assert refused.value.cause == f"{named} would be made with 4 partitions, and the ledger counts with {known}"
    assert f"ROI_KAFKA_PARTITIONS={known}" in refused.value.remedy
