from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.conn import collect_hosts as hosts_of_aiokafka
from faust.auth import SASLCredentials, SSLCredentials
from faust.transport.drivers.aiokafka import server_list
from faust.utils.urls import urllist
from kafka.cluster import collect_hosts as hosts_of_kafka_python

from pipeline.errors import UserError
from pipeline.settings import Settings
from pipeline.transport.security import client_options, confluent_options, faust_brokers, faust_credentials

if TYPE_CHECKING:
    from pathlib import Path


def settings(protocol: str, **more: Any) -> Settings:
    return Settings(
        kafka_bootstrap_servers="one:9092,two:9093",
        kafka_security_protocol=protocol,
        kafka_sasl_username="roi",
        kafka_sasl_password="hidden",
        **more,
    )


def test_plaintext_says_nothing_of_users_or_certificates() -> None:
    plain = settings("PLAINTEXT")
    assert client_options(plain) == {"bootstrap_servers": ["one:9092", "two:9093"], "security_protocol": "PLAINTEXT"}
    assert confluent_options(plain) == {"bootstrap.servers": "one:9092,two:9093", "security.protocol": "PLAINTEXT"}
    assert faust_credentials(plain) is None


def test_brokers_become_faust_urls() -> None:
    assert faust_brokers(settings("PLAINTEXT")) == "kafka://one:9092;kafka://two:9093"


@pytest.mark.parametrize(
    "servers", ["a:1, b:2,", "a", "[::1]:1", "[::1]", "[fe80::1%eth0]:1", "银行.cn:1", "10.0.0.1:2"]
)
def test_every_client_reads_the_same_brokers(servers: str) -> None:
    chosen = Settings(kafka_bootstrap_servers=servers)
    listed = client_options(chosen)["bootstrap_servers"]
    of_faust = server_list(urllist(faust_brokers(chosen)), 9092)
    found = {frozenset(hosts_of_aiokafka(each)) for each in (listed, of_faust)}
    assert len(found | {frozenset(hosts_of_kafka_python(listed))}) == 1
    assert confluent_options(chosen)["bootstrap.servers"].split(",") == listed


@pytest.mark.parametrize("protocol", ["SSL", "SASL_SSL"])
def test_encryption_verifies_the_broker(protocol: str) -> None:
    context = client_options(settings(protocol))["ssl_context"]
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_sasl_names_user_and_mechanism(protocol: str) -> None:
    chosen = settings(protocol, kafka_sasl_mechanism="SCRAM-SHA-256")
    options = client_options(chosen)
    assert options["sasl_mechanism"] == "SCRAM-SHA-256"
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("roi", "hidden")
    assert confluent_options(chosen) == {
        "bootstrap.servers": "one:9092,two:9093",
        "security.protocol": protocol,
        "sasl.mechanism": "SCRAM-SHA-256",
        "sasl.username": "roi",
        "sasl.password": "hidden",
    }
    credentials = faust_credentials(chosen)
    assert isinstance(credentials, SASLCredentials)
    assert credentials.protocol.value == protocol
    assert credentials.mechanism.value == "SCRAM-SHA-256"
    assert "hidden" not in repr(credentials)


def test_ssl_alone_gives_faust_a_context() -> None:
    credentials = faust_credentials(settings("SSL"))
    assert isinstance(credentials, SSLCredentials)
    assert credentials.context.verify_mode is ssl.CERT_REQUIRED


def test_authority_file_reaches_librdkafka(tmp_path: Path) -> None:
    authority = tmp_path / "authority.pem"
    bundle = ssl.get_default_verify_paths().openssl_cafile
    authority.write_bytes(open(bundle, "rb").read())  # noqa: PTH123, SIM115 - one line of set-up
    assert confluent_options(settings("SSL", kafka_ssl_cafile=str(authority)))["ssl.ca.location"] == str(authority)


@pytest.mark.parametrize("options", [client_options, confluent_options, faust_credentials])
def test_unreadable_authority_file_is_the_users_to_mend(options: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="ROI_KAFKA_SSL_CAFILE"):
        options(settings("SSL", kafka_ssl_cafile=str(tmp_path / "absent.pem")))
