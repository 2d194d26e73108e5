"""What docs/receivers.md says of receivers is so."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from pipeline.alerts.delivery.outcomes import Outcome
from pipeline.alerts.delivery.planning import Policy, settled
from pipeline.alerts.delivery.receivers import receivers_of
from pipeline.alerts.delivery.texts import Wording, text_of
from pipeline.settings import Settings
from tests.alerts.delivery.test_planning import NOON, notice
from tests.alerts.delivery.test_texts import message
from tests.docs.page import ROOT, blocks

PAGE = (ROOT / "docs" / "receivers.md").read_text(encoding="utf-8")
BLOCKS = {
    language: [block.text for block in blocks(PAGE) if block.language == language]
    for language in ("toml", "text", "python")
}


def test_the_settings_are_accepted() -> None:
    (toml,) = BLOCKS["toml"]
    settings = Settings(**tomllib.loads(toml))
    found = receivers_of(settings)
    assert tuple(found) == settings.alerts.receivers
    assert found["stopper"].key
    assert found["floor"].policy.quiet


def test_the_texts_are_those_that_are_sent() -> None:
    advice = {"segment": "channel", "label": "sms", "ratio_without": 2.3}
    texts = [text_of([(message(advice=advice), False)], Wording(language)) for language in ("en", "zh")]
    assert [f"{text.title}\n{text.body}" for text in texts] == [text.strip() for text in BLOCKS["text"]]


def test_the_receiver_of_webhooks_accepts_what_is_signed_and_nothing_else() -> None:
    (code,) = BLOCKS["python"]
    names: dict[str, Any] = {}
    exec(compile(code, "docs/receivers.md", "exec"), names)
    secret, when, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", datetime.now(UTC), msgspec.json.encode(message())
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(when.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", when, body.decode()),
    }
    assert names["received"](body, headers, secret).startswith("msg_1: alert.firing, {'alert_id'")
    with pytest.raises(WebhookVerificationError):
        names["received"](body + b" ", headers, secret)


@pytest.mark.parametrize(("asked", "waited"), [(60, 60), (3 * 3600, 3600), (365 * 86_400, 3600)])
def test_a_receiver_may_ask_to_be_left_alone_for_an_hour(asked: float, waited: int) -> None:
    assert "`Retry-After` asks, which is heeded for 1 h at most" in PAGE
    failed = settled(notice(), Outcome("failed", "HTTP 503", asked), Policy(attempts=2), now_ms=NOON, chance=0.5)
    assert failed.next_attempt_ms - NOON == waited * 1000
