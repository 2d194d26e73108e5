"""The Faust application of both Faust peers: the same settings, the same way to run it."""

from __future__ import annotations

import tempfile
import uuid
from typing import TYPE_CHECKING, Any, Final

import faust

if TYPE_CHECKING:
    from bench.peers.report import Task

BATCH: Final = 5000


def application(task: Task) -> tuple[Any, Any]:
    """Return an application that reads raw bytes and the one topic of it that stands for all of the task's."""
    app = faust.App(
        f"bench-{uuid.uuid4().hex[:8]}",
        broker=f"kafka://{task.bootstrap}",
        datadir=tempfile.mkdtemp(),
        store="memory://",
        web_enabled=False,
        value_serializer="raw",
        key_serializer="raw",
        consumer_auto_offset_reset="earliest",
        # Faust joins a group of Tansu only after half of this time
        broker_session_timeout=6.0,
        broker_heartbeat_interval=2.0,
        broker_rebalance_timeout=6.0,
        topic_disable_leader=True,
        topic_partitions=task.partitions,
        # rows of a changelog come by the thousand: its default sends each as soon as it is there
        producer_linger=0.02,
        producer_max_batch_size=1_000_000,
        # its default buffer holds fewer than one batch
        stream_buffer_maxsize=4 * BATCH,
    )
    return app, app.topic(*task.topics, key_type=bytes, value_type=bytes)


def run(app: Any) -> None:
    """Run it until its agent ends the process."""
    # its banner would stand before the result, and its log would take standard output over
    faust.Worker(app, loglevel="ERROR", quiet=True, redirect_stdouts=False).execute_from_commandline()
