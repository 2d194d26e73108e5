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

from pipeline.errors import ForbiddenError, UnreachableError, UserError
from pipeline.settings import Settings
from pipeline.transport.bounds import log_bounds
from pipeline.transport.ports import TP
from pipeline.transport.reading import answering, read_topic
from schemas.topics import LOGINS, TOUCHES
from tests.support.kafka import running_kafka
from tests.support.processes import starts_process
from tests.transport.conftest import settings_for

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


def allow_only(bootstrap: str, topic: str, operation: AclOperation) -> None:
    allowed = AclBinding(
        ResourceType.TOPIC,
        topic,
        ResourcePatternType.LITERAL,
        "User:ANONYMOUS",
        "*",
        operation,
        AclPermissionType.ALLOW,
    )
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for done in admin.create_acls([allowed]).values():
        done.result(10)


@pytest.mark.kafka
def test_a_topic_that_may_not_be_read_is_told_with_its_name(guarded: str) -> None:
    settings = settings_for(guarded)
    allow_only(guarded, TOUCHES, AclOperation.DESCRIBE)
    assert list(log_bounds(settings, [TP(LOGINS, 0)])) == [TP(LOGINS, 0)]
    with pytest.raises(ForbiddenError, match=r"denies this user reading bank\.touches\.v1 .*; give it READ"):
        log_bounds(settings, [TP(LOGINS, 0), TP(TOUCHES, 0)])
    with pytest.raises(UserError, match=r"Topic authorization failed.*; check the broker and its permissions"):
        list(read_topic(settings, TOUCHES))


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
