"""Files of events in place of topics: counted without any broker, to the numbers that live has."""

from __future__ import annotations

import gzip
import json
from random import Random
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.inputs.columns import FIELDS
from schemas.judge import RejectedError, judge
from schemas.topics import CAMPAIGNS, COSTS, CUSTOMERS, EVENT_TOPICS, LOGINS, TOUCHES, TRANSACTIONS
from tests.oracle.generators import interleaved, random_log
from tests.oracle.story import Shape
from tests.replay.running import roi
from tests.support.cluster import Cluster, running_cluster
from tests.support.kafka import running_tansu
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.oracle.log import Record

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]
SHAPE = Shape(customers=30, campaigns=6, partitions=2, huge_share=0.0, late=False, late_share=0.0, bad_share=0.0)


def is_sound(record: Record) -> bool:
    """Say whether a table could hold the record: what is refused for its form stands elsewhere in a sorted log."""
    if record.value is None:
        return record.topic not in EVENT_TOPICS
    try:
        judge(record.topic, record.key, json.dumps(json.loads(record.value)).encode(), currency="CNY")
    except (RejectedError, ValueError):
        return False
    return True


RECORDS = [record for record in interleaved(random_log(31, 2_500, shape=SHAPE), Random(31)) if is_sound(record)]
NOWHERE = {"ROI_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"}


def line(record: Record) -> str:
    value = None if record.value is None else json.loads(record.value)
    return json.dumps({"topic": record.topic, "key": (record.key or b"").decode(), "value": value})


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All records as a file that `roi ingest` takes."""
    file = tmp_path_factory.mktemp("lines") / "events.ndjson.gz"
    file.write_bytes(gzip.compress("\n".join(map(line, RECORDS)).encode()))
    return file


@pytest.fixture(scope="module")
@starts_process
def cluster(tmp_path_factory: pytest.TempPathFactory, lines: Path) -> Iterator[Cluster]:
    """A cluster whose worker has counted the file."""
    with (
        running_tansu() as bootstrap,
        running_cluster(bootstrap, tmp_path_factory.mktemp("inputs"), "only-life", partitions=2) as running,
    ):
        sent = roi(running, "ingest", str(lines))
        assert sent.returncode == 0, sent.stderr
        worker = running.start_worker()
        running.drain()
        running.kill_worker(worker)
        yield running


def test_lines_counted_without_a_broker_equal_what_live_counted_of_them(cluster: Cluster, lines: Path) -> None:
    ended = roi(cluster, "replay", "--run", "lines", "--input", str(lines), "--verify", **NOWHERE)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "lines was counted from" in ended.stdout.splitlines()[1]


def tables(directory: Path) -> list[str]:
    """Write the events as pandas would: one Parquet file a topic, numbers with gaps as floats, times with a zone."""
    rows: dict[str, list[dict[str, Any]]] = {topic: [] for topic in EVENT_TOPICS}
    for record in RECORDS:
        if record.topic in EVENT_TOPICS:
            rows[record.topic].append(json.loads(record.value or b""))
    names = []
    for topic, found in rows.items():
        known = [name for name, _ in FIELDS[topic] if any(name in row for row in found)]
        columns = {name: [row.get(name) for row in found] for name in known}
        table = pa.table(columns)
        if "revenue_minor" in columns:
            place = table.column_names.index("revenue_minor")
            floats = pa.array([float("nan") if one is None else float(one) for one in columns["revenue_minor"]])
            table = table.set_column(place, "revenue_minor", floats)
        table = table.append_column("topic", pa.array([topic] * len(found)).dictionary_encode())
        path = directory / f"{topic}.parquet"
        pq.write_table(table, path)
        names.append(str(path))
    return names


def test_tables_of_events_count_as_lines_do(cluster: Cluster, lines: Path, tmp_path: Path) -> None:
    if not cluster.rows("SELECT 1 FROM roi.run_states WHERE run = 'lines'"):
        assert roi(cluster, "replay", "--run", "lines", "--input", str(lines)).returncode == 0
    dimensions = tmp_path / "tables.ndjson"
    dimensions.write_text("\n".join(line(one) for one in RECORDS if one.topic in {CAMPAIGNS, CUSTOMERS}))
    named = [argument for name in (*tables(tmp_path), str(dimensions)) for argument in ("--input", name)]
    ended = roi(cluster, "replay", "--run", "tables", *named, "--verify", "--against", "lines", **NOWHERE)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("topic", "column"), [(TRANSACTIONS, "amount_minor"), (LOGINS, "customer_id"), (COSTS, "event_id")]
)
def test_a_table_without_a_column_is_named_with_it(cluster: Cluster, tmp_path: Path, topic: str, column: str) -> None:
    tables(tmp_path)
    path = tmp_path / f"{topic}.parquet"
    pq.write_table(pq.read_table(path).drop_columns([column]), path)
    ended = roi(cluster, "replay", "--run", "lacking", "--input", str(path), **NOWHERE)
    assert ended.returncode == 1
    assert f"{path} has no column {column}, which {topic} needs" in ended.stderr


def test_odd_tables_and_lines_are_refused_in_one_line_each(cluster: Cluster, tmp_path: Path) -> None:
    naive = tmp_path / "naive.parquet"
    columns = {"event_id": ["a"], "customer_id": ["c"], "campaign_id": ["k"], "channel": ["app"], "kind": ["send"]}
    pq.write_table(pa.table({**columns, "occurred_at": pa.array([0], pa.timestamp("us"))}), naive)
    topicless = roi(cluster, "replay", "--run", "odd", "--input", str(naive), **NOWHERE)
    assert "has no column topic" in topicless.stderr
    zoneless = roi(cluster, "replay", "--run", "odd", "--input", str(naive), "--topic", TOUCHES, **NOWHERE)
    assert "column occurred_at is timestamp[us], which names no instant" in zoneless.stderr
    prose = tmp_path / "prose.txt"
    prose.write_text("once upon a time\n")
    refused = roi(cluster, "replay", "--run", "odd", "--input", str(prose), **NOWHERE)
    assert f"{prose}:1" in refused.stderr
    empty = tmp_path / "empty.ndjson"
    empty.write_text("\n\n")
    assert "there is no event in it" in roi(cluster, "replay", "--run", "odd", "--input", str(empty), **NOWHERE).stderr
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(naive.read_bytes()[:200])
    assert f"{cut} cannot be read" in roi(cluster, "replay", "--run", "odd", "--input", str(cut), **NOWHERE).stderr
    for ended in (topicless, zoneless, refused):
        assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert not cluster.rows("SELECT 1 FROM roi.run_states WHERE run = 'odd'")
