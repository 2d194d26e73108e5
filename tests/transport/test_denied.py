"""A broker that answers and keeps something from this user is told as that, not as silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)
from kafka.errors import GroupAuthorizationFailedError, NodeNotReadyError

from pipeline.errors import ForbiddenError, UnreachableError
from pipeline.replay.plan import LogPart
from pipeline.replay.survey import first_times
from pipeline.settings import Settings
from pipeline.transport.bounds import log_bounds
from pipeline.transport.ports import TP
from pipeline.transport.producer import EventProducer
from pipeline.transport.reading import answering, read_topic
from pipeline.transport.single_records import records_at
from schemas.topics import COSTS, LOGINS, TOUCHES
from tests.support.kafka import running_kafka
from tests.support.processes import starts_process
from tests.transport.conftest import settings_for
from tests.transport.running import first_replayed

if TYPE_CHECKING:
    from collections.abc import Iterator

# everybody may do anything with what has no access list
OPEN = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}


@pytest.fixture(scope="module")
@starts_process
def guarded() -> Iterator[str]:
    with running_kafka(OPEN) as bootstrap:
        yield bootstrap


def list_access(
    bootstrap: str,
    what: tuple[ResourceType, str, ResourcePatternType],
    operation: AclOperation,
    rule: AclPermissionType,
) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for done in admin.create_acls([AclBinding(*what, "User:ANONYMOUS", "*", operation, rule)]).values():
        done.result(10)


@pytest.mark.kafka
def test_a_topic_that_may_not_be_read_is_told_with_its_name(guarded: str) -> None:
    settings = settings_for(guarded)
    touches = ResourceType.TOPIC, TOUCHES, ResourcePatternType.LITERAL
    list_access(guarded, touches, AclOperation.DESCRIBE, AclPermissionType.ALLOW)
    assert list(log_bounds(settings, [TP(LOGINS, 0)])) == [TP(LOGINS, 0)]
    with pytest.raises(ForbiddenError, match=r"denies this user reading bank\.touches\.v1 .*; give it READ"):
        log_bounds(settings, [TP(LOGINS, 0), TP(TOUCHES, 0)])
    with pytest.raises(ForbiddenError, match=r"denies this user reading bank\.touches\.v1 .*; give it READ"):
        list(read_topic(settings, TOUCHES))
    with pytest.raises(ForbiddenError, match=r"denies this user reading bank\.touches\.v1 .*; give it READ"):
        first_times(settings, [LogPart(TOUCHES, 0, 0, 1, "")])


@pytest.mark.kafka
async def test_a_replay_that_may_not_read_says_so(guarded: str) -> None:
    touches = ResourceType.TOPIC, TOUCHES, ResourcePatternType.LITERAL
    list_access(guarded, touches, AclOperation.DESCRIBE, AclPermissionType.ALLOW)
    with pytest.raises(ForbiddenError, match=r"denies this user reading bank\.touches\.v1 .*; give it READ"):
        await first_replayed(settings_for(guarded), TP(TOUCHES, 0), 1)


@pytest.mark.kafka
def test_who_may_read_with_the_workers_group_needs_no_other(guarded: str) -> None:
    settings = settings_for(guarded)
    producer = EventProducer(settings)
    producer.send(LOGINS, b"a", b"{}")
    producer.flush()
    others = ResourceType.GROUP, f"{settings.kafka_group}-", ResourcePatternType.PREFIXED
    list_access(guarded, others, AclOperation.ALL, AclPermissionType.DENY)
    found = log_bounds(settings, [TP(LOGINS, number) for number in range(4)])
    tp = next(tp for tp, bounds in found.items() if bounds.end)
    assert [record.value for record in read_topic(settings, LOGINS)][-1] == b"{}"
    place = (*tp, found[tp].end - 1)
    assert list(records_at(settings, [place])) == [(place, (b"a", b"{}"))]


@pytest.mark.kafka
def test_who_may_use_no_group_reads_topics_and_single_records(guarded: str) -> None:
    settings = settings_for(guarded).model_copy(update={"kafka_group": "denied"})
    producer = EventProducer(settings)
    producer.send(COSTS, b"a", b'{"occurred_at": "2026-03-01T00:00:00Z"}')
    producer.flush()
    group = ResourceType.GROUP, settings.kafka_group, ResourcePatternType.LITERAL
    list_access(guarded, group, AclOperation.ALL, AclPermissionType.DENY)
    (record,) = read_topic(settings, COSTS)
    log = LogPart(COSTS, record.partition, 0, 1, "")
    assert first_times(settings, [log]) == {log.tp: 1_772_323_200_000}
    assert [place for place, _ in records_at(settings, [(*log.tp, 0)])] == [(*log.tp, 0)]


@pytest.mark.parametrize(
    "error",
    [
        KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)),
        KafkaException(KafkaError(KafkaError.CLUSTER_AUTHORIZATION_FAILED)),
        GroupAuthorizationFailedError(),
    ],
)
def test_a_denial_of_any_client_is_no_silence_and_names_the_user(error: Exception) -> None:
    settings = Settings(kafka_security_protocol="SASL_SSL", kafka_sasl_username="roi", kafka_sasl_password="hidden")
    with pytest.raises(ForbiddenError, match="denies user roi what was asked"), answering(settings):
        raise error


@pytest.mark.parametrize("error", [KafkaException(KafkaError(KafkaError.REQUEST_TIMED_OUT)), NodeNotReadyError()])
def test_what_is_no_denial_stays_silence(error: Exception) -> None:
    with pytest.raises(UnreachableError, match="does not answer"), answering(Settings()):
        raise error
