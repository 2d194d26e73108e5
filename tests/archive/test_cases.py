"""Inputs that once went wrong, replayed from topics, files and an archive: to the rows of live, or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from schemas.topics import CAMPAIGNS, COSTS, CUSTOMERS, INPUT_TOPICS, TOUCHES, TRANSACTIONS
from tests.oracle.log import Record
from tests.replay.running import roi
from tests.support.cluster import Cluster, running_cluster
from tests.support.kafka import running_tansu
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]
CASES: Final = Path(__file__).parent / "cases"
COUNTED: Final = ("zero_time", "big_margin", "two_tables_unsorted", "orphan_gone_1", "orphan_gone_2")
NOWHERE: Final = {"ROI_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"}
HUGE: Final = 9_300  # costs of the largest amount: their sum leaves 64 bits


def huge_costs() -> str:
    cost = {"occurred_at": "2025-03-03T00:00:00+08:00", "campaign_id": "huge", "category": "media"}
    events = ({"event_id": f"k{number}", "amount_minor": 10**15, **cost} for number in range(HUGE))
    return "\n".join(json.dumps({"topic": "bank.costs.v1", "value": event}) for event in events)


def beyond_parsers() -> str:
    """Return lines whose unknown fields no parser takes, a touch behind its transaction, and one such known field."""
    at = "2025-03-03T10:00:00+08:00"
    goal = {"goal": {"kinds": ["deposit"]}, "starts_at": at, "attribution_window_days": 14}
    paid = {"event_id": "x", "occurred_at": "2025-03-05T10:00:00+08:00", "kind": "deposit", "amount_minor": 500}
    touched = {"event_id": "t", "occurred_at": at, "campaign_id": "deep", "kind": "send", "cost_minor": 50}
    cost = {"event_id": "k", "occurred_at": at, "campaign_id": "deep", "category": "media"}
    who: dict[str, object] = {"customer_id": "deep-1"}
    bodies = [
        (CAMPAIGNS, {"campaign_id": "deep", "name": "Deep", **goal}),
        (CUSTOMERS, who | {"tier": "growth"}),
        (TRANSACTIONS, who | paid | {"channel": "app", "revenue_minor": 900}),
        (TOUCHES, who | touched | {"channel": "sms"}),
        (COSTS, cost | {"amount_minor": 300}),
    ]
    more = f', "deep": {"[" * 500 + "1e400" + "]" * 500}, "long": {"7" * 5_000}, "small": {"7" * 5_000}e-4999}}'
    values = [(topic, json.dumps(body)[:-1] + more) for topic, body in bodies]
    values.append((COSTS, json.dumps(cost)[:-1] + f', "amount_minor": {"7" * 5_000}}}'))
    return "\n".join(f'{{"topic": "{topic}", "value": {value}}}' for topic, value in values)


def hostile() -> list[Record]:
    """Return records that no file of lines can hold: without key and value, of no text, with control characters."""
    deep = b'{"x": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    bodies = (
        (None, None),
        (b"\x1b[31m\x00", b'{"event_id": "\x1b[31m"}'),
        (b"k", b"\xff\xfe{"),
        (b"k", deep),
        (b"k", deep[:9_000]),
    )
    return [Record(topic, 0, place, *body) for topic in INPUT_TOPICS for place, body in enumerate(bodies)]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    huge = tmp_path_factory.mktemp("cases") / "big_sum.ndjson"
    huge.write_text(huge_costs())
    beyond = huge.with_name("beyond_parsers.ndjson")
    beyond.write_text(beyond_parsers())
    return [*(str(CASES / f"{name}.ndjson") for name in COUNTED), str(huge), str(beyond)]


@pytest.fixture(scope="module")
@starts_process
def cluster(tmp_path_factory: pytest.TempPathFactory, files: list[str]) -> Iterator[Cluster]:
    """A cluster whose worker has counted the files, sent one after the other."""
    with (
        running_tansu() as bootstrap,
        running_cluster(bootstrap, tmp_path_factory.mktemp("cluster"), "only-life", partitions=2) as running,
    ):
        running.start_worker()
        sent = roi(running, "ingest", *files)
        assert sent.returncode == 0, sent.stderr
        running.drain()
        yield running


def test_every_case_counts_the_same_from_files_topics_and_an_archive(
    cluster: Cluster, files: list[str], tmp_path: Path
) -> None:
    inputs = [argument for name in files for argument in ("--input", name)]
    from_files = roi(cluster, "replay", "--run", "files", *inputs, "--verify", **NOWHERE)
    assert from_files.returncode == 0, from_files.stdout + from_files.stderr
    cluster.produce(hostile())
    cluster.drain()
    letters = "SELECT uniqExact(topic), count() FROM roi.dead_letters WHERE run = 'live' AND reason = 'missing_value'"
    cluster.wait_until(lambda: cluster.rows(letters) == [(len(INPUT_TOPICS), len(INPUT_TOPICS))], "all dead letters")
    from_topics = roi(cluster, "replay", "--run", "topics", "--verify")
    assert from_topics.returncode == 0, from_topics.stdout + from_topics.stderr
    assert roi(cluster, "archive", "--to", str(tmp_path / "archive")).returncode == 0
    archived = ("--input", str(tmp_path / "archive"))
    from_archive = roi(cluster, "replay", "--run", "archive", *archived, "--verify", **NOWHERE)
    assert from_archive.returncode == 0, from_archive.stdout + from_archive.stderr
    huge = "SELECT toString(cost_minor) FROM roi.campaign_totals WHERE run = 'archive' AND campaign_id = 'huge'"
    assert cluster.rows(huge) == [(str(HUGE * 10**15),)]
    deep = (
        "SELECT run, reached, converters, cost_minor, return_minor FROM roi.campaign_totals WHERE campaign_id = 'deep'"
    )
    runs = ("archive", "files", "live", "topics")
    assert sorted(cluster.rows(deep)) == [(run, 1, 1, 350, 900) for run in runs]
    days = cluster.rows("SELECT count(), min(toString(day)) FROM roi.active_users WHERE run = 'archive'")
    assert days[0][0] < 100, "no day of the year 1"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("array.json", ("is one JSON array", "jq -c '.[]'")),
        ("touches_pandas.csv", ("is a table with separators (CSV)", "with the contract's field names")),
        ("touches_gbk.csv", ("is a table with separators (CSV)", "convert it first")),
        ("campaign_with_bom.json", ("1 line is no record", "campaign_with_bom.json:1", "--topic")),
    ],
)
def test_what_is_no_file_of_events_is_named_in_one_line(cluster: Cluster, name: str, words: tuple[str, ...]) -> None:
    ended = roi(cluster, "replay", "--run", "never", "--input", str(CASES / name), **NOWHERE)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1), ended.stderr
    assert [word for word in words if word not in ended.stderr] == []
    assert not cluster.rows("SELECT 1 FROM roi.run_states WHERE run = 'never'")


def test_a_definition_with_a_byte_order_mark_and_logins_of_another_currency_count(
    cluster: Cluster, tmp_path: Path
) -> None:
    logins = tmp_path / "logins.ndjson"
    login = {"occurred_at": "2025-03-03T10:00:00-05:00", "customer_id": "c", "channel": "app"}
    logins.write_text("\n".join(json.dumps({"event_id": f"l{n}", **login}) for n in range(50)))
    options = ("--input", str(logins), "--topic", "bank.logins.v1", "--set", "reporting_currency=USD")
    campaigns = ("--campaigns", str(CASES / "campaign_with_bom.json"))
    ended = roi(cluster, "replay", "--run", "dollars", *options, *campaigns, **NOWHERE)
    assert ended.returncode == 0, ended.stderr
    assert cluster.rows("SELECT count() FROM roi.dead_letters WHERE run = 'dollars'") == [(0,)]
    assert cluster.rows("SELECT count() FROM roi.run_definitions WHERE run = 'dollars'") == [(1,)]


def test_text_in_utf_16_is_named(cluster: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "wide.ndjson"
    path.write_bytes((CASES / "zero_time.ndjson").read_text().encode("utf-16"))
    ended = roi(cluster, "replay", "--run", "never", "--input", str(path), "--topic", TOUCHES, **NOWHERE)
    assert (ended.returncode, "is text in UTF-16" in ended.stderr) == (1, True)
    assert "iconv -f UTF-16" in ended.stderr
