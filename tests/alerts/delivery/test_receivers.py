from __future__ import annotations

import base64
from typing import Any

import pytest

from pipeline.alerts.delivery.receivers import receivers_of, unknown_names
from pipeline.alerts.delivery.secrecy import LONGEST_ERROR, scrubbed, secrets_of
from pipeline.alerts.delivery.webhooks import retry_after
from pipeline.errors import UserError
from pipeline.settings import Settings
from tests.alerts.delivery.office import KEY, SECRET


def receivers(**given: dict[str, Any]) -> Settings:
    return Settings(receivers=given)


def test_a_webhook_is_taken_apart_and_shown_without_its_keys() -> None:
    url = "webhook+https://robot:sesame@hooks.bank.example:8443/path-secret?key=abc"
    found = receivers_of(receivers(floor={"url": url, "secret": SECRET}))["floor"]
    assert (found.url, found.key) == (url.removeprefix("webhook+"), KEY)
    assert found.shown == "webhook+https://hooks.bank.example:8443/***"
    assert found.remarks == ()
    assert "sesame" not in repr(found)


@pytest.mark.parametrize(
    "url",
    [
        "wecombot://botkey-5678abcd",
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=botkey-5678abcd",
        "dingtalk://SECRETsecret@botkey5678abcd/13800000000",
        "feishu://botkey5678abcd",
        "slack://T1JJ3T3L2/A1BRTD4JD/botkey5678abcd/#roi",
        "mailto://robot:botkey-5678abcd@smtp.bank.example:587/?from=a@bank.example&to=lin@bank.example",
        "json://robot:botkey-5678abcd@bank.example/botkey-5678abcd?x=botkey-5678abcd",
        "workflows://bank.example/workflow/botkey5678abcd",
    ],
)
def test_what_is_shown_of_an_apprise_address_holds_no_key(url: str) -> None:
    found = receivers_of(receivers(chat={"url": url}))["chat"]
    assert found.key is None
    assert "5678" not in found.shown
    assert "SECRETsecret" not in found.shown


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"url": "webhook+https://bank.example/sesame"}, "needs a secret"),
        ({"url": "webhook+https://bank.example/sesame", "secret": "sesame"}, "begins with whsec_"),
        ({"url": "webhook+https://bank.example/sesame", "secret": "whsec_sesame!"}, "base64"),
        ({"url": "webhook+https://bank.example/sesame", "secret": "whsec_"}, "no key"),
        ({"url": "webhook+https:///sesame", "secret": SECRET}, "address of a webhook"),
        ({"url": "webhook+https://bank.example:0/sesame", "secret": SECRET}, "address of a webhook"),
        ({"url": "webhook+https://bank.example:port/sesame", "secret": SECRET}, "address of a webhook"),
        ({"url": "sesame"}, "is not one"),
        ({"url": ""}, "is not one"),
        ({"url": "carrier-pigeon://sesame"}, "a scheme that Apprise does not know"),
        ({"url": "wecombot://"}, "not what Apprise expects behind wecombot://"),
        ({"url": "json://bank.example/sesame", "quiet_hours": "07:00-07:00"}, "same time"),
    ],
)
def test_a_receiver_that_cannot_be_used_is_named_and_its_secret_is_not(given: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError) as caught:
        receivers_of(receivers(floor=given))
    text = str(caught.value)
    assert "'floor'" in text
    assert says in text
    assert "sesame" not in text
    assert SECRET not in text


def test_a_name_in_the_settings_that_is_no_receiver_is_told_with_those_that_are() -> None:
    settings = Settings(receivers={"floor": {"url": "json://bank.example"}}, alerts={"receivers": ["flour"]})
    with pytest.raises(UserError, match=r"'flour', which is not among the receivers \(floor\)"):
        receivers_of(settings)


def test_names_in_definitions_that_are_no_receivers_are_found_with_their_campaigns() -> None:
    definitions = {"spring": ["floor", "boss"], "summer": ["boss"], "autumn": None, "winter": []}
    assert unknown_names(["floor"], definitions) == {"boss": ("spring", "summer")}


def test_weak_and_useless_secrets_are_remarked() -> None:
    weak = "whsec_" + base64.b64encode(b"short").decode()
    found = receivers_of(
        receivers(
            hook={"url": "webhook+https://bank.example", "secret": weak},
            chat={"url": "json://bank.example", "secret": SECRET},
        )
    )
    assert "5 bytes" in found["hook"].remarks[0]
    assert "not used" in found["chat"].remarks[0]


def test_errors_are_one_short_line_without_any_part_of_an_address() -> None:
    secrets = secrets_of("json://robot:ses%20ame@bank.example/path?key=value-1")
    dirty = "no\nanswer of robot at bank.example with 'ses ame' for /path and value-1\x1b[31m " + "x" * 500
    clean = scrubbed(dirty, secrets)
    assert not [secret for secret in ("robot", "bank.example", "ses ame", "value-1", "\n", "\x1b") if secret in clean]
    assert len(clean) == LONGEST_ERROR


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("", None),
        ("soon", None),
        ("-3", None),
        ("9" * 400, 999_999_999.0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 40.0),
        ("Thu, 01 Jan 1970 00:00:10 GMT", 0.0),
    ],
)
def test_retry_after_is_a_number_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after(text, 60.0) == seconds
