"""Partitions that stand while others go on: the ledger holds a part of the customers, and nothing may be concluded."""

from __future__ import annotations

from pipeline.alerts.faults import DataFault, Partition, Settling
from schemas.topics import TOUCHES
from tests.alerts.test_faults import feeds, partition, watching

STANDING = DataFault("standing", TOUCHES)


def two_partitions(first: int, second: int) -> tuple[Partition, Partition]:
    return partition(read=first), partition(read=second, number=1)


def both_end(end: int) -> dict[tuple[str, str, int], int]:
    return {(TOUCHES, "life", number): end for number in (0, 1)}


def test_partitions_that_stand_while_others_go_on_hold_the_records_of_a_worker_that_is_gone() -> None:
    watch = watching()
    watch.log_ends(0, both_end(100))
    assert watch.look(feeds(0, *two_partitions(100, 100))) == set()
    watch.log_ends(10, both_end(500))
    for second in (10, 11, 13.9):
        assert watch.look(feeds(second, *two_partitions(400 + round(second), 100))) == set()
    for second in (14, 40):
        assert watch.look(feeds(second, *two_partitions(500, 100))) == {STANDING}
    assert watch.look(feeds(41, *two_partitions(500, 101))) == set()  # somebody reads it again


def test_records_that_wait_when_the_others_are_done_stand_as_well() -> None:
    watch = watching()
    watch.log_ends(0, both_end(0))
    watch.counted(feeds(0))
    watch.counted(feeds(1, *two_partitions(500, 0)))  # the ledger has it before Kafka is asked again
    watch.log_ends(2, both_end(500))
    watch.counted(feeds(2, *two_partitions(500, 0)))
    assert watch.look(feeds(5, *two_partitions(500, 0))) == set()
    assert watch.look(feeds(6, *two_partitions(500, 0))) == {STANDING}
    assert watch.look(feeds(9, *two_partitions(500, 500))) == set()


def test_a_slow_worker_whose_partitions_all_move_together_holds_nobody_up() -> None:
    watch = watching()
    watch.log_ends(0, both_end(100))
    assert watch.look(feeds(0, *two_partitions(100, 100))) == set()
    for second in range(1, 59):
        watch.log_ends(second, both_end(100 + 50 * second))
        done = 100 + 50 * (second - second % 10)
        assert watch.look(feeds(second, *two_partitions(done, done))) == set()


def test_a_partition_that_stands_is_a_doubt_and_never_a_fault_of_its_own() -> None:
    settling = Settling(3.0, 60.0)
    for second in range(60):
        assert settling.settled([STANDING], second) == []
