from __future__ import annotations

import pytest

from tests.support.fakes import LedgerStore
from tests.support.fakes_transport import FakeKafka
from tests.worker.running import Worker


@pytest.fixture
def kafka() -> FakeKafka:
    return FakeKafka()


@pytest.fixture
def store() -> LedgerStore:
    return LedgerStore()


@pytest.fixture
def worker(kafka: FakeKafka, store: LedgerStore) -> Worker:
    return Worker(kafka, store)
