from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
import sys
from random import Random
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from pipeline.archive.writing import UNFINISHED
from pipeline.inputs.layout import read_manifest
from pipeline.policies import policy_of
from pipeline.settings import environment_of
from schemas.topics import CUSTOMER_KEYED_TOPICS, TRANSACTIONS
from tests.oracle.generators import interleaved, random_log
from tests.oracle.story import Shape
from tests.replay.running import roi
from tests.support.cluster import Cluster, running_cluster
from tests.support.endpoint import ROOT
from tests.support.kafka import running_tansu
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]
SHAPE = Shape(customers=40, campaigns=8, partitions=2, huge_share=0.0)
NOWHERE = {"ROI_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"}


@pytest.fixture(scope="module")
@starts_process
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster whose worker has counted copies, reversals, late, odd and misplaced records, and erased a customer."""
    directory = tmp_path_factory.mktemp("archive")
    with running_tansu() as bootstrap, running_cluster(bootstrap, directory, "only-life", partitions=2) as running:
        worker = running.start_worker()
        running.produce(interleaved(random_log(17, 5_000, shape=SHAPE), Random(17)))
        running.drain()
        # live keeps the dead letters of whom it erases, which name nobody, and no replay has them: equal is it before
        assert roi(running, "archive", "--to", str(directory / "before")).returncode == 0
        verified(running, "before", "--input", str(directory / "before"), **NOWHERE)
        erased = roi(running, "erase", erased_customer(running))
        assert erased.returncode == 0, erased.stderr
        running.kill_worker(worker)
        yield running


def erased_customer(cluster: Cluster) -> str:
    """Return a customer of the log who has been counted; the raw id is in the log alone."""
    records = [record for log in random_log(17, 5_000, shape=SHAPE).values() for record in log]
    hashes = {row[0] for row in cluster.rows("SELECT DISTINCT customer_hash FROM roi.credits WHERE run = 'live'")}
    policy = policy_of(cluster.settings)
    for record in records:
        name = (record.key or b"").decode(errors="replace")
        if record.topic == TRANSACTIONS and policy.pseudonym(name).hex() in hashes:
            return name
    raise AssertionError("nobody was credited")


@pytest.fixture(scope="module")
def archive(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("archives") / "whole"
    ended = roi(cluster, "archive", "--to", str(directory))
    assert ended.returncode == 0, ended.stderr
    return directory


def verified(cluster: Cluster, run: str, *arguments: str, **environment: str) -> dict[str, int]:
    ended = roi(cluster, "replay", "--run", run, "--verify", *arguments, "--json", **environment)
    answer: dict[str, Any] = json.loads(ended.stdout or "{}").get("verify", {"views": [], "against": ""})
    assert ended.returncode == 0, ended.stderr + json.dumps([v for v in answer["views"] if v["differing"]], indent=1)
    return {view["view"]: view[answer["against"]] for view in answer["views"]}


def test_an_archive_replayed_without_any_broker_equals_the_topics_on_every_view(
    cluster: Cluster, archive: Path
) -> None:
    assert roi(cluster, "replay", "--run", "topics").returncode == 0
    compared = ("--verify", "--against", "topics")
    rows = verified(cluster, "archived", "--input", str(archive), "--parallel", "2", *compared, **NOWHERE)
    assert all(rows.values()), rows


def test_no_file_of_an_archive_names_a_customer(cluster: Cluster, archive: Path) -> None:
    customers = {
        record.key
        for log in random_log(17, 5_000, shape=SHAPE).values()
        for record in log
        if record.topic in CUSTOMER_KEYED_TOPICS and record.key
    }
    erased = {row[0] for row in cluster.rows("SELECT customer_hash FROM roi.erasures WHERE run = 'live'")}
    assert erased
    owners: set[str] = set()
    for path in read_manifest(archive).paths:
        table = pq.read_table(archive / path, partitioning=None)
        if "customer_id" in table.column_names:
            owners |= {name for name in table.column("customer_id").to_pylist() if name is not None}
        for column in table.columns:
            if str(column.type) == "string":
                assert not customers & {(text or "").encode() for text in column.to_pylist()}, path
    assert owners.isdisjoint(erased)
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in owners)


def test_a_range_of_the_topics_counts_as_its_archive_does(cluster: Cluster, tmp_path: Path) -> None:
    bounds = ("2026-03-10", "2026-04-02T12:30:00Z")
    ended = roi(
        cluster, "archive", "--to", str(tmp_path / "part"), "--from", bounds[0], "--to-time", bounds[1], "--json"
    )
    assert ended.returncode == 0, ended.stderr
    answer = json.loads(ended.stdout)
    assert 0 < answer["records"] < answer["read"]
    ranged = ("--from", bounds[0], "--to", bounds[1])
    assert roi(cluster, "replay", "--run", "ranged", *ranged).returncode == 0
    of_archive = roi(
        cluster,
        *("replay", "--run", "ranged-archive", "--input", str(tmp_path / "part"), *ranged),
        *("--verify", "--against", "ranged"),
        **NOWHERE,
    )
    assert of_archive.returncode == 0, of_archive.stdout + of_archive.stderr


def test_days_are_those_of_the_ledger_whatever_the_zone_of_the_shell(
    cluster: Cluster, archive: Path, tmp_path: Path
) -> None:
    again, parts = tmp_path / "again", [tmp_path / "here", tmp_path / "there"]
    elsewhere = {"ROI_TIME__ZONE": "Pacific/Apia"}
    assert roi(cluster, "archive", "--to", str(again), **elsewhere).returncode == 0
    assert read_manifest(again).files == read_manifest(archive).files
    assert read_manifest(again).zone == cluster.settings.time.zone
    for directory, environment in zip(parts, ({}, elsewhere), strict=True):
        bounds = ("--from", "2026-03-10", "--to-time", "2026-04-02")
        assert roi(cluster, "archive", "--to", str(directory), *bounds, **environment).returncode == 0
    here, there = (read_manifest(directory) for directory in parts)
    assert (there.begin_ms, there.end_ms, there.digest) == (here.begin_ms, here.end_ms, here.digest)


def test_an_archive_is_refused_under_another_key(cluster: Cluster, archive: Path) -> None:
    ended = roi(cluster, "replay", "--run", "keyless", "--input", str(archive), ROI_PSEUDONYM_KEY="another")
    assert (ended.returncode, "another pseudonym key" in ended.stderr) == (1, True)
    assert not cluster.rows("SELECT 1 FROM roi.run_states WHERE run = 'keyless'")


def test_a_directory_that_holds_something_is_left_alone(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    ended = roi(cluster, "archive", "--to", str(tmp_path))
    assert (ended.returncode, "is not empty" in ended.stderr) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_what_a_killed_archive_left_is_taken_away_by_the_next(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / UNFINISHED / "topic=x").mkdir(parents=True)
    assert roi(cluster, "archive", "--to", str(tmp_path)).returncode == 0
    assert not (tmp_path / UNFINISHED).exists()
    assert read_manifest(tmp_path).records


def test_a_full_disk_leaves_no_half_archive(cluster: Cluster, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipeline", "archive", "--to", str(tmp_path / "full")]
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env=environment_of(cluster.settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, 6_000)),
    )
    assert (ended.returncode, "cannot be written to" in ended.stderr) == (1, True), ended.stderr
    assert not (tmp_path / "full").exists()


def test_a_lost_or_damaged_file_is_named(cluster: Cluster, archive: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(archive, broken)
    file = next(file for file in read_manifest(broken).files if file.topic == TRANSACTIONS)
    (broken / file.path).write_bytes(b"PAR1 and nothing")
    ended = roi(cluster, "replay", "--run", "broken", "--input", str(broken), **NOWHERE)
    assert (ended.returncode, file.path in ended.stderr) == (1, True), ended.stderr
    roi(cluster, "runs", "drop", "broken")
    for name in ("nowhere", str(tmp_path)):
        missing = roi(cluster, "replay", "--run", "broken", "--input", name, **NOWHERE)
        assert (missing.returncode, name in missing.stderr, "Traceback" in missing.stderr) == (1, True, False)
