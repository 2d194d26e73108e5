"""Ingests a file without a broker and prints the process's peak memory in KiB."""

from __future__ import annotations

import sys
from pathlib import Path

from pipeline.ingest.records import parser_for
from pipeline.ingest.run import Ingestion
from pipeline.ingest.sources import text_chunks
from tests.support.memory import peak_memory_kib


class Discarding:
    def send(self, topic: str, key: bytes, value: bytes | None) -> None:
        pass

    def flush(self) -> None:
        pass


def main() -> None:
    ingestion = Ingestion(Discarding(), parser_for(sys.argv[2]), lambda _sentence: None)
    with Path(sys.argv[1]).open("rb") as file:
        ingestion.read("probe", text_chunks(file, lambda _size: None))
    print(ingestion.tally.read, peak_memory_kib())  # noqa: T201 - its output


if __name__ == "__main__":
    main()
