from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from pipeline.settings import Settings
from pipeline.transport.admin import TopicAdmin
from tests.support.kafka import running_kafka, running_tansu
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
@starts_process
def tansu() -> Iterator[str]:
    with running_tansu() as bootstrap:
        yield bootstrap


@pytest.fixture(scope="session")
@starts_process
def kafka() -> Iterator[str]:
    with running_kafka({"log.cleaner.backoff.ms": "100", "log.initial.task.delay.ms": "100"}) as bootstrap:
        yield bootstrap


@pytest.fixture(params=["tansu", pytest.param("kafka", marks=pytest.mark.kafka)])
@starts_process
def broker(request: pytest.FixtureRequest) -> str:
    bootstrap: str = request.getfixturevalue(request.param)
    return bootstrap


@pytest.fixture
def settings(broker: str) -> Settings:
    """Settings of an own group on a broker that has the contract's topics."""
    return settings_for(broker)


def settings_for(bootstrap: str) -> Settings:
    settings = Settings(
        kafka_bootstrap_servers=bootstrap,
        kafka_group=f"test-{uuid4().hex[:8]}",
        kafka_partitions=4,
        kafka_incarnation="test",
    )
    with TopicAdmin(settings) as admin:
        admin.create_missing()
    return settings
