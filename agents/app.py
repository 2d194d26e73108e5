"""The Faust app of a worker: four batch topics, no tables, no web server, nothing declared or elected."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import faust
from prometheus_client import CollectorRegistry

from pipeline.transport.consumer import BatchTransport
from pipeline.transport.handover import Handover
from pipeline.transport.membership import Membership
from pipeline.transport.metrics import TransportMetrics
from pipeline.transport.security import faust_brokers, faust_credentials
from schemas.topics import EVENT_TOPICS

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Callable

    from pipeline.settings import Settings
    from pipeline.transport.ports import BatchProcessor, Delivery

SESSION_SECONDS: Final = 6.0
HEARTBEAT_SECONDS: Final = 1.5
# a member waits half of it before it joins, unless the broker is Apache Kafka
EMBEDDED_REBALANCE_SECONDS: Final = 6.0
REBALANCE_SECONDS: Final = 30.0
REQUEST_SECONDS: Final = 30.0
COMMIT_SECONDS: Final = 1.0
METADATA_MS: Final = 5_000  # a topic that was made anew is assigned, and added partitions are seen, after so long
QUEUED_BATCHES: Final = 8  # per topic


class BatchSchema(faust.Schema):  # type: ignore[misc] # Faust is untyped here
    """Passes deliveries through: keys and values are the processor's to decode."""

    def loads_key(self, app: Any, message: Any, **_: Any) -> None:
        """Return no key, a batch has many."""

    def loads_value(self, app: Any, message: Any, **_: Any) -> Any:  # noqa: ARG002 - Faust's signature
        """Return the delivery as it is."""
        return message.value


class BatchApp(faust.App):  # type: ignore[misc] # Faust is untyped here
    """A Faust app that consumes batches and owns what its consumer and its agents share.

    ``reads_packed`` says that the compiled core reads record batches; it has to be built.
    """

    def __init__(
        self,
        id: str,  # noqa: A002 - Faust's name
        *,
        handover: Handover,
        membership: Membership,
        metrics: TransportMetrics,
        reads_packed: bool,
        **options: Any,
    ) -> None:
        self.reads_packed = reads_packed
        self.handover = handover
        self.membership = membership
        self.metrics = metrics
        super().__init__(id, **options)

    def batch_topic(self, name: str) -> Any:
        """Return the channel of a topic whose messages are deliveries."""
        return self.topic(name, schema=BatchSchema(), acks=False)

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Make none: without tables there is nothing to keep on disk."""


def build_app(  # noqa: PLR0913 - what a worker is told of where it runs, and its clock
    settings: Settings,
    processor: BatchProcessor,
    *,
    reads_packed: bool,
    installation: str,
    registry: CollectorRegistry | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> BatchApp:
    """Return an app, not yet started, that feeds the processor with all event topics.

    Must be called with a running event loop. Start it with `run_app`: Faust's own ``Worker`` would take over
    logging and signals.

    Args:
        settings: brokers, group and fetch size.
        processor: takes the batches in.
        reads_packed: whether the compiled core reads record batches.
        installation: whose tables the processor writes into.
        registry: takes the transport's metrics.
        clock: monotonic seconds, for back-offs.
    """
    metrics = TransportMetrics(registry or CollectorRegistry())
    app = BatchApp(
        settings.kafka_group,
        handover=Handover(processor, metrics, clock),
        membership=Membership(settings.kafka_group, installation, clock),
        metrics=metrics,
        reads_packed=reads_packed,
        broker=faust_brokers(settings),
        broker_credentials=faust_credentials(settings),
        broker_session_timeout=SESSION_SECONDS,
        broker_heartbeat_interval=HEARTBEAT_SECONDS,
        broker_rebalance_timeout=EMBEDDED_REBALANCE_SECONDS if settings.kafka_incarnation else REBALANCE_SECONDS,
        broker_request_timeout=REQUEST_SECONDS,
        broker_commit_interval=COMMIT_SECONDS,
        consumer_metadata_max_age_ms=METADATA_MS,
        broker_max_poll_records=settings.worker.fetch_records,
        stream_buffer_maxsize=QUEUED_BATCHES,
        stream_wait_empty=False,
        key_serializer="raw",
        value_serializer="raw",
        store="memory://",
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        autodiscover=False,
    )
    for topic in EVENT_TOPICS:
        add_agent(app, topic)
    return app


def add_agent(app: BatchApp, topic: str) -> None:
    """Let the app's worker consume a topic: its batches go to the app's handover, in the order of the stream."""

    @app.agent(app.batch_topic(topic), name=topic)  # type: ignore[untyped-decorator] # Faust is untyped here
    async def hand_over(stream: AsyncIterator[Delivery]) -> None:
        async for delivery in stream:
            await app.handover.process(delivery)


async def run_app(app: BatchApp, stop: asyncio.Event) -> None:
    """Run the app until ``stop`` is set, and let go of its partitions then.

    Raises:
        Exception: what made the app crash.
    """
    try:
        await app.wait_first(app.start(), stop.wait())  # it has started once its group has let it in
        await app.wait_first(stop.wait())
    finally:
        await app.stop()
    if app.crash_reason is not None:
        raise app.crash_reason
