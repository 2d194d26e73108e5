from __future__ import annotations

import os

import pytest

from pipeline.errors import UserError
from pipeline.settings import Settings, load_settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("ROI_CLICKHOUSE_URL", text) for text in ("http://a..b:1", "http://[::1", "http://h:99999999", "http://h:x")),
        *(("ROI_CLICKHOUSE_URL", text) for text in ("nonsense", "ftp://h:1", "http://:1", "http://h h:1", "h:1")),
        ("ROI_CLICKHOUSE_URL", f"http://{'x' * 64}:1"),
        *(("ROI_KAFKA_BOOTSTRAP_SERVERS", text) for text in ("h:x", ":", "a..b:1", "h h:1", "h:1,h:y", "[::1")),
        *(("ROI_KAFKA_BOOTSTRAP_SERVERS", text) for text in ("h:1/x", "h:", "[::1]:", "h:1?x", "h:1#x", "h/", "a;b:1")),
        *(("ROI_KAFKA_BOOTSTRAP_SERVERS", text) for text in ("", ",", " , ", "h:0", "h:65536", ":1", "[h]:1", "::1")),
        *(("ROI_KAFKA_BOOTSTRAP_SERVERS", text) for text in ("SASL_SSL://h:1,i:2", "PLAINTEXT://h", "u:p@h:1")),
    ],
)
def test_what_is_no_address_is_named_before_anything_connects(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    for known in [known for known in os.environ if known.upper().startswith("ROI_")]:
        monkeypatch.delenv(known)
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=f"setting {name}: .*must be .*HOST:PORT.*; correct {name}"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ROI_CLICKHOUSE_URL", "http://roi_writer:S3cret@clickhouse:8123"),
        ("ROI_CLICKHOUSE_URL", "https://S3cret@clickhouse"),
        ("ROI_CLICKHOUSE_URL", "http://roi:12/S3cret@clickhouse:8123"),
        ("ROI_CLICKHOUSE_URL", "http://clickhouse:8123/?user=roi&password=S3cret"),
        ("ROI_CLICKHOUSE_URL", "http://clickhouse:8123/#S3cret"),
        ("ROI_KAFKA_BOOTSTRAP_SERVERS", "a:1,roi:S3cret@kafka:9092"),
        ("ROI_KAFKA_BOOTSTRAP_SERVERS", "SASL_SSL://roi:S3cret@kafka:9092"),
    ],
)
def test_a_password_in_an_address_is_told_its_place_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(
        UserError, match=r"user and password go into ROI_\w+_USER(NAME)? and ROI_\w+_PASSWORD"
    ) as caught:
        load_settings()
    assert "S3cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://clickhouse:8123", "https://h", "http://[::1]:1/path/", "http://银行.cn:1", ""])
def test_addresses_of_clickhouse_stay_as_they_are(url: str) -> None:
    assert Settings(clickhouse_url=url).clickhouse_url == url


@pytest.mark.parametrize("servers", ["h:1", "h", "a:1,b:2", "[::1]:1", "[::1]", "[fe80::1%eth0]:1", "银行.cn:1"])
def test_addresses_of_brokers_stay_as_they_are(servers: str) -> None:
    assert Settings(kafka_bootstrap_servers=servers).kafka_bootstrap_servers == servers


@pytest.mark.parametrize("servers", ["a:1, b:2", "a:1,b:2,", ",a:1,,b:2", " a:1 , b:2 "])
def test_addresses_of_brokers_are_told_apart_by_one_comma(servers: str) -> None:
    assert Settings(kafka_bootstrap_servers=servers).kafka_bootstrap_servers == "a:1,b:2"


def test_a_scheme_before_a_broker_is_told_where_it_belongs() -> None:
    with pytest.raises(ValueError, match="without a scheme: ROI_KAFKA_SECURITY_PROTOCOL says"):
        Settings(kafka_bootstrap_servers="SASL_SSL://h:1")
