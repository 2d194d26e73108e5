"""Rows written to an archive and read again, partition by partition, whatever the files hold together."""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings, strategies

from pipeline.archive import writing
from pipeline.archive.writing import UNFINISHED, ArchiveWriter
from pipeline.errors import UserError
from pipeline.inputs.archived import merged
from pipeline.inputs.columns import schema_of
from pipeline.inputs.layout import FORMAT, MANIFEST, Manifest, read_manifest
from schemas.topics import LOGINS
from tests.support.depth import depth

FORMER = Path(__file__).parent / "format_1"
"""Two partitions and days as `roi archive` wrote them at first: a file for each partition and day."""
DAYS = ("2026-03-01", "2026-03-02", "2026-03-03")
ADDED = strategies.lists(
    strategies.tuples(strategies.integers(0, 3), strategies.sampled_from(DAYS), strategies.integers(1, 9)), max_size=40
)


def rows(partition: int, first: int, count: int) -> pa.Table:
    schema = schema_of(LOGINS)
    given_columns = {
        "partition": [partition] * count,
        "offset": list(range(first, first + count)),
        "event_id": [f"{partition}-{offset}" for offset in range(first, first + count)],
        "customer_id": ["0" * 32] * count,
    }
    arrays = [
        pa.array(given_columns[one.name], one.type) if one.name in given_columns else pa.nulls(count, one.type)
        for one in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


@settings(max_examples=depth(60), deadline=None)
@given(ADDED, strategies.integers(0, 30))
def test_every_partition_is_read_as_it_was_written_from_any_offset_on(
    added: list[tuple[int, str, int]], start: int
) -> None:
    ends: dict[int, int] = {}
    with (
        tempfile.TemporaryDirectory() as directory,
        patch.object(writing, "_GROUP_ROWS", 8),
        patch.object(writing, "_HELD_ROWS", 30),
        patch.object(writing, "_OPEN_FILES", 2),
    ):
        archive = Path(directory, "archive")
        writer = ArchiveWriter(archive, "key")
        writer.begin()
        for partition, day, count in added:
            first = ends.get(partition, 0)
            writer.add(LOGINS, partition, day, rows(partition, first, count))
            ends[partition] = first + count
        written = writer.finish(Manifest("key", "", {LOGINS: 4}, (), ()))
        assert written.records == sum(ends.values())
        known = read_manifest(archive)
        assert known == written
        for partition in range(4):
            parts = [file for file in known.files if file.partition == partition]
            offsets = [record.offset for record in merged(archive, parts, start)]
            assert offsets == list(range(start, ends.get(partition, 0)))
        there = {str(path.relative_to(archive)) for path in archive.rglob("*.parquet")}
        assert there == set(known.paths)


def test_the_few_rows_of_a_day_share_one_file(tmp_path: Path) -> None:
    writer = ArchiveWriter(tmp_path / "archive", "key")
    writer.begin()
    for partition in range(8):
        for place, day in enumerate(DAYS):
            writer.add(LOGINS, partition, day, rows(partition, place * 5, 5))
    written = writer.finish(Manifest("key", "", {LOGINS: 8}, (), ()))
    assert (len(written.paths), len(written.files)) == (len(DAYS), 8 * len(DAYS))


def test_an_archive_of_the_former_format_is_read_whole() -> None:
    known = read_manifest(FORMER)
    assert (known.format, known.zone) == (1, None)
    assert {str(path.relative_to(FORMER)) for path in FORMER.rglob("*.parquet")} == set(known.paths)
    for partition in range(2):
        parts = [file for file in known.files if file.partition == partition]
        for start in (0, 4):
            assert [record.offset for record in merged(FORMER, parts, start)] == list(range(start, 6))


def test_an_archive_of_a_later_format_is_refused(tmp_path: Path) -> None:
    text = (FORMER / "manifest.json").read_text()
    (tmp_path / "manifest.json").write_text(text.replace('"format": 1', f'"format": {FORMAT + 1}'))
    with pytest.raises(UserError, match=f"is an archive of format {FORMAT + 1}"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b'{"key":"\xff"}', b'{"key":"\\ud800"}', b"[", b'{"later":' + b"[" * 100_000]
)
def test_a_damaged_manifest_is_one_line_whatever_its_bytes(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(UserError, match=r"manifest\.json is damaged; name the directory"):
        read_manifest(tmp_path)


def test_a_file_of_an_archive_whose_text_is_damaged_is_named(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    writer = ArchiveWriter(archive, "key")
    writer.begin()
    writer.add(LOGINS, 0, DAYS[0], rows(0, 0, 5))
    written = writer.finish(Manifest("key", "", {LOGINS: 1}, (), ()))
    table = pq.read_table(archive / written.paths[0], partitioning=None)
    place = table.schema.get_field_index("channel")
    damaged = pa.array([b"\xff"] * len(table), pa.binary()).view(pa.string())
    pq.write_table(table.set_column(place, "channel", damaged), archive / written.paths[0])
    with pytest.raises(UserError, match=r"of the archive cannot be read \(it is damaged\)"):
        list(merged(archive, written.files, 0))


def written_archive(archive: Path) -> Manifest:
    """Write an archive of two partitions on two days, each day's file with rows of both."""
    writer = ArchiveWriter(archive, "key")
    writer.begin()
    for partition in range(2):
        for place, day in enumerate(DAYS[:2]):
            writer.add(LOGINS, partition, day, rows(partition, place * 5, 5))
    return writer.finish(Manifest("key", "", {LOGINS: 2}, (), ()))


def test_an_archive_that_was_killed_while_it_was_moved_is_written_anew(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    written = written_archive(archive)
    (archive / UNFINISHED).mkdir()
    (archive / MANIFEST).rename(archive / UNFINISHED / MANIFEST)  # it goes last
    assert written_archive(archive) == written
    assert sorted(path.name for path in archive.iterdir()) == [MANIFEST, f"topic={LOGINS}"]


def test_an_archive_that_is_ended_while_it_is_moved_leaves_nothing(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    writer = ArchiveWriter(archive, "key")
    writer.begin()
    writer.add(LOGINS, 0, DAYS[0], rows(0, 0, 5))
    rename = Path.rename

    def interrupted(path: Path, target: Path) -> Path:
        if path.name == MANIFEST:
            raise KeyboardInterrupt
        return rename(path, target)

    with patch.object(Path, "rename", interrupted), pytest.raises(KeyboardInterrupt):
        writer.finish(Manifest("key", "", {LOGINS: 1}, (), ()))
    writer.abandon()
    assert not archive.exists()


def test_topics_of_others_are_left_alone(tmp_path: Path) -> None:
    for name in (UNFINISHED, f"topic={LOGINS}"):
        (tmp_path / name).mkdir()
    with pytest.raises(UserError, match="is not empty"):
        ArchiveWriter(tmp_path, "key").begin()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("kept", [0, 4, 9])
def test_a_file_of_an_archive_with_fewer_rows_is_named(tmp_path: Path, kept: int) -> None:
    written = written_archive(tmp_path / "archive")
    path = tmp_path / "archive" / written.paths[0]
    pq.write_table(pq.read_table(path, partitioning=None).slice(0, kept), path)
    with pytest.raises(UserError, match=rf"{path.name} of the archive (does not hold|cannot be read)"):
        list(merged(tmp_path / "archive", [file for file in written.files if file.partition == 1], 0))


def test_a_file_of_an_archive_in_the_place_of_another_is_named(tmp_path: Path) -> None:
    written = written_archive(tmp_path / "archive")
    first, second = (tmp_path / "archive" / path for path in written.paths)
    first.write_bytes(second.read_bytes())
    with pytest.raises(UserError, match=rf"{first.name} of the archive does not hold the records"):
        list(merged(tmp_path / "archive", [file for file in written.files if file.partition == 0], 0))


def test_a_flipped_bit_in_a_file_of_an_archive_is_found(tmp_path: Path) -> None:
    written = written_archive(tmp_path / "archive")
    path = tmp_path / "archive" / written.paths[0]
    whole = path.read_bytes()
    place = whole.index(b"1-0")  # a text of the data, as the compression leaves it
    path.write_bytes(whole[:place] + b"2" + whole[place + 1 :])
    with pytest.raises(UserError, match=r"cannot be read \(it is damaged\)"):
        list(merged(tmp_path / "archive", [file for file in written.files if file.partition == 1], 0))
