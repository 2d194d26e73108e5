from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pipeline.alert_settings import ApiSettings, ReceiverSettings, TokenSettings, digest_of
from pipeline.alerts.record import Campaign
from pipeline.api import handing_in
from pipeline.cli import build_app, output
from pipeline.clickhouse.reader import Reader
from pipeline.settings import Settings, load_settings
from tests.alerts.building import AT_ONCE, look
from tests.alerts.delivery.listening import answer, listening
from tests.alerts.delivery.office import webhook
from tests.api.conftest import TOKENS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from typer.testing import Result

    from tests.api.conftest import Api
    from tests.api.test_alerts import Running

    Roi = Callable[..., Awaitable[Result]]

LONG = "a-campaign-with-the-longest-name-that-identifiers-may-have-64"
FIRES = look("below", rule=AT_ONCE, campaign_id=LONG, campaign=Campaign(LONG, "名字", "零售部"))

WRONG = [
    ("list", "--state", "broken"),
    ("decide", "a", "--decision", "halt", "--reason", "x"),
    ("decide", "a", "--decision", "stop"),
    ("silence", "--until", "2h", "--reason", "x"),
    ("silence", "--until", "2h", "--reason", "x", "--campaign", "a", "--owner", "b"),
    ("silence", "--until", "soon", "--reason", "x", "--campaign", "a"),
    ("silence", "--until", "2026-10-10T10:00:00", "--reason", "x", "--campaign", "a"),
    ("silence", "--until", "999999999d", "--reason", "x", "--campaign", "a"),
    ("deliveries", "--state", "lost"),
    ("deliveries", "--retry", "a", "--retry-dead"),
]
ABSENT = [
    (("show", "alr_unknown"), "there is no alert 'alr_unknown'; see roi alerts list"),
    (("ack", ""), "there is no alert ''"),
    (("unsilence", "x"), "there is no silence 'x'; see roi alerts silences"),
    (("deliveries", "--retry", "x"), "there is no dead notification 'x'"),
]


@pytest.fixture
def roi(alerting: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Roi:
    """Run a command beside the application; ``who`` names the token that it has."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(output, "_PIPE_WIDTH", 80)
    monkeypatch.setenv("ROI_CLICKHOUSE_URL", alerting.clickhouse_url)
    monkeypatch.setenv("ROI_CLICKHOUSE_PASSWORD", alerting.clickhouse_password.get_secret_value())

    async def run(api: Api | None, *arguments: str, who: str | None = "lin") -> Result:
        board = "http://127.0.0.1:9" if api is None else str(api.visitor._base_url).rstrip("/")
        monkeypatch.setenv("ROI_BOARD_URL", board)
        monkeypatch.setenv("ROI_API_TOKEN", "" if who is None else TOKENS.get(who, who))
        return await asyncio.to_thread(CliRunner().invoke, build_app(), ["alerts", *arguments])

    return run


def widest(text: str) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, text.splitlines()))


async def test_an_alert_is_found_acknowledged_and_decided(running: Running, roi: Roi) -> None:
    async with running(FIRES) as api:
        alert_id = await api.alert_id()
        listed = await roi(api, "list", "--state", "firing", who=None)
        assert alert_id[:12] in listed.stdout
        assert widest(listed.stdout) <= 80
        acknowledged = await roi(api, "ack", alert_id[:12], "--note", "looking")
        assert acknowledged.stdout == f"acknowledged by lin: {LONG} ({alert_id}) is acknowledged\n"
        assert (await roi(api, "note", LONG, "branch 12 asked", who="wu")).exit_code == 0
        decided = await roi(api, "decide", LONG, "--decision", "stop", "--reason", "1:1.2 所以", "--json")
        assert json.loads(decided.stdout)["decision"] == "stop"
        (row,) = json.loads((await roi(api, "list", "--campaign", LONG, "--json")).stdout)
        assert (row["decision"], row["decided_by"], row["reason"]) == ("stop", "lin", "1:1.2 所以")
        assert json.loads(row["record"])["reasons"] == ["62 % of the return is in"]
        shown = await roi(api, "show", LONG, who=None)
        assert widest(shown.stdout) <= 80
        for words in (
            "1:1.2 所以",
            "branch 12 asked",
            "owner 零售部",
            "stop: ratio - in the 7 days before; 0 days so far",
        ):
            assert words in shown.stdout
        assert json.loads((await roi(api, "show", alert_id, "--json", who=None)).stdout)["alert_id"] == alert_id
        again = await roi(api, "decide", alert_id, "--decision", "continue", "--reason", "x", who="wu")
        assert (again.exit_code, again.stderr.count("\n")) == (1, 1)
        assert "by lin): it was passed on; look at it again" in again.stderr


async def test_a_stop_that_waits_is_seen_with_who_proposes_it_and_who_may_approve(
    running: Running, roi: Roi, alerting: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    four_eyes = {"alerts": alerting.alerts.model_copy(update={"four_eyes": True})}
    async with running(FIRES, **four_eyes) as api:
        alert_id = await api.alert_id()
        assert "proposes" not in (await roi(api, "list")).stdout
        before = json.loads((await roi(api, "list", "--json")).stdout)[0]
        assert (before["proposed_by"], before["proposal_reason"]) == (None, None)
        await roi(api, "decide", LONG, "--decision", "stop", "--reason", "no [bold]loans[/]")
        (row,) = json.loads((await roi(api, "list", "--json")).stdout)
        assert (row["state"], row["proposed_by"], row["proposal_reason"]) == ("firing", "lin", "no [bold]loans[/]")
        assert row["changed_at"] == before["changed_at"], "the state is the same"
        (shown,) = await api.get("/api/alerts", "eve")
        assert (shown["proposed_by"], shown["proposal_reason"]) == ("lin", "no [bold]loans[/]")
        tokens = {name: token.model_dump() for name, token in alerting.api.tokens.items()}
        for people, words in (
            ({}, "another person with a decider's token may approve it"),
            (tokens, "wu may approve it: roi alerts approve"),
            (
                {"lin": tokens["lin"], "eve": tokens["eve"]},
                "nobody but lin has a decider's token: roi token NAME --role",
            ),
        ):
            monkeypatch.setenv("ROI_API__TOKENS", json.dumps(people))
            for command in (("list",), ("show", LONG)):
                told = (await roi(api, *command, who=None)).stdout
                assert widest(told) <= 80
                text = " ".join(told.split())
                assert f"lin proposes to stop {LONG} (no [bold]loans[/])" in text
                assert words in text
        assert (await roi(api, "approve", alert_id, who="wu")).exit_code == 0
        (row,) = json.loads((await roi(api, "list", "--json")).stdout)
        assert (row["state"], row["decision"], row["proposed_by"]) == ("decided", "stop", None)
        assert row["changed_at"] > before["changed_at"]


async def test_nothing_found_is_told_with_what_was_asked_for(running: Running, roi: Roi) -> None:
    async with running(FIRES) as api:
        await api.alert_id()
        told = await roi(api, "list", "--owner", "nobody")
        assert (told.exit_code, told.stdout) == (
            0,
            "there are no alerts of owner 'nobody'; roi alerts list shows all\n",
        )
        told = await roi(api, "list", "--state", "resolved", "--campaign", "x")
        assert told.stdout == "there are no alerts in state resolved, of campaign 'x'; roi alerts list shows all\n"
    async with running(evaluator=False) as api:
        assert json.loads((await roi(api, "list", "--owner", "nobody", "--json")).stdout) == []


async def test_json_is_the_rows_of_the_view(running: Running, roi: Roi) -> None:
    async with running(FIRES) as api:
        await api.alert_id()
        listed = json.loads((await roi(api, "list", "--json")).stdout)
        (row,) = Reader(api.settings).rows("SELECT * FROM alerts")
        steady = set(row) - {"as_of", "record"}
        assert set(listed[0]) == set(row)
        assert {name: listed[0][name] for name in steady} == {name: row[name] for name in steady}
        assert json.loads((await roi(api, "list", "--owner", "nobody", "--json")).stdout) == []
        assert "no alerts" in (await roi(api, "list", "--campaign", "none")).stdout


async def test_silences_are_made_listed_and_ended(running: Running, roi: Roi) -> None:
    async with running(FIRES) as api:
        await api.alert_id()
        made = await roi(api, "silence", "--owner", "零售部", "--until", "1.5h", "--reason", "known")
        assert (made.exit_code, made.stdout.startswith("silenced until ")) == (0, True), made.stderr
        listed = await roi(api, "silences")
        assert "零售部" in listed.stdout
        assert widest(listed.stdout) <= 80
        silence = (await api.get("/api/silences"))[0]["silence_id"]
        assert (await roi(api, "unsilence", silence[:10])).exit_code == 0
        assert json.loads((await roi(api, "silences", "--json")).stdout)[0]["state"] == "ended"
        ended = await roi(api, "unsilence", silence)
        assert (ended.exit_code, "it has ended" in ended.stderr) == (1, True)


async def test_what_was_given_up_is_sent_again(running: Running, roi: Roi, alerting: Settings) -> None:
    nobody = {"alerts": alerting.alerts.model_copy(update={"receivers": ("gone", "away")})}
    async with running(FIRES, **nobody) as api:
        await api.alert_id()
        listed = await roi(api, "deliveries", "--state", "dead")
        assert widest(listed.stdout) <= 80
        rows = json.loads((await roi(api, "deliveries", "--json")).stdout)
        one = await roi(api, "deliveries", "--retry", rows[0]["notification_id"][:12], "--json")
        assert [row["state"] for row in json.loads(one.stdout)] == ["waiting"]
        rest = await roi(api, "deliveries", "--retry-dead")
        assert rest.stdout == "none is dead any more: all are sent again\n"
        assert (await roi(api, "deliveries", "--retry-dead")).stderr.startswith("error: there is no dead notification")
        assert "no receiver 'floor'" in (await roi(api, "test", "floor")).stderr


async def test_a_test_waits_and_says_who_has_got_it_and_who_has_not(running: Running, roi: Roi) -> None:
    async with listening() as good, listening(answers=[answer(500)]) as bad:
        receivers = {name: ReceiverSettings(**webhook(one.port)) for name, one in (("good", good), ("bad", bad))}
        async with running(receivers=receivers, delivers=True) as api:
            both = await roi(api, "test")
            one = await roi(api, "test", "good", "--json")
    assert (both.exit_code, both.stderr) == (1, "bad has not got it: HTTP 500\n")
    assert (one.exit_code, [row["state"] for row in json.loads(one.stdout)]) == (0, ["sent"])
    assert len(good.ids) == len(set(good.ids)) == 2


async def test_what_is_not_there_is_one_line_with_where_to_look(running: Running, roi: Roi) -> None:
    async with running(evaluator=False) as api:
        for arguments, words in ABSENT:
            failed = await roi(api, *arguments)
            assert (failed.exit_code, failed.stderr.count("\n"), words in failed.stderr) == (1, 1, True), failed.stderr


async def test_who_cannot_act_is_told_why(running: Running, roi: Roi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handing_in, "WAIT_SECONDS", 0.2)
    async with running(FIRES) as api:
        alert_id = await api.alert_id()
        for who, words in {
            None: "there is no token to act with; set ROI_API_TOKEN",
            "eve": "the token eve is a viewer's: it may read only",
            "wrong": "the token is none of those known here",
        }.items():
            failed = await roi(api, "ack", alert_id, who=who)
            assert (failed.exit_code, failed.stderr.count("\n"), words in failed.stderr) == (1, 1, True), failed.stderr
    away = await roi(None, "ack", alert_id)
    assert away.stderr.startswith("error: the board at http://127.0.0.1:9 does not answer (Connection refused)")
    async with running(evaluator=False) as api:
        waits = await roi(api, "ack", alert_id)
        assert "no evaluator is running" in waits.stderr
        assert "start one: roi alerts run" in waits.stderr


async def test_wrong_usage_is_one_line_and_code_2(roi: Roi) -> None:
    for arguments in WRONG:
        failed = await roi(None, *arguments)
        assert (failed.exit_code, failed.stderr.count("\n")) == (2, 1), (arguments, failed.stderr)


async def test_two_alerts_that_begin_alike_are_not_confused(running: Running, roi: Roi) -> None:
    async with running(FIRES, look("below", rule=AT_ONCE)) as api:
        await api.alert_id()
        failed = await roi(api, "show", "alr_")
    assert "2 of them begin with 'alr_'; name more of it (roi alerts list)" in failed.stderr


@pytest.mark.parametrize("name", ["lin", "王芳", 'a "quoted" \\name', "lin.wei@bank"])
def test_a_made_token_opens_what_its_setting_says(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = json.loads(CliRunner().invoke(build_app(), ["token", name, "--role", "decider", "--json"]).stdout)
    (tmp_path / "roi.toml").write_text(made["setting"] + "\n")
    assert "instead of the line that is there" in CliRunner().invoke(build_app(), ["token", name]).stdout
    tokens = load_settings().api.tokens
    assert tokens == {name: TokenSettings(hash=made["hash"], role="decider")}
    assert digest_of(made["token"]).hex() == made["hash"]
    assert len(made["token"]) > 40


@pytest.mark.parametrize("name", ["", " ", "owner", "a\nb", "x" * 65, "\x1b[2J"])
def test_names_that_mislead_are_refused(name: str) -> None:
    assert CliRunner().invoke(build_app(), ["token", "--role", "viewer", "--", name]).exit_code == 2


def test_a_token_is_shown_once_and_fits() -> None:
    told = CliRunner().invoke(build_app(), ["token", "lin"]).stdout.splitlines()
    assert sum("roi_" in line for line in told) == 1
    assert ApiSettings(tokens={"lin": TokenSettings(hash=told[1].split()[1])}).tokens["lin"].role == "viewer"


def test_an_answer_that_is_no_boards_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    class Other(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        Thread(target=server.handle_request).start()
        monkeypatch.setenv("ROI_BOARD_URL", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("ROI_API_TOKEN", "x")
        failed = CliRunner().invoke(build_app(), ["alerts", "test"])
    assert "is no board (status 200); correct ROI_BOARD_URL" in failed.stderr
