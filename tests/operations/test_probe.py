from __future__ import annotations

import pytest

from pipeline.embedded.child import Part
from pipeline.embedded.instance import _asked
from pipeline.probe import Answer, ask
from tests.support.freezing import frozen
from tests.support.kafka import tansu_process


@pytest.mark.parametrize("address", ["http://::1:9101/healthz", "http://127.0.0.1:port/", "nonsense"])
def test_an_address_that_is_none_is_not_alive_and_not_silent(address: str) -> None:
    assert ask(address, 0.5) == Answer(is_alive=False)


@pytest.mark.parametrize(
    ("host", "reached"), [("::1", "[::1]"), ("::", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("10.0.0.7", "10.0.0.7")]
)
def test_a_part_is_asked_at_an_address_of_its_host(host: str, reached: str) -> None:
    part = _asked(Part("worker-1", (), {}, stage=0, stop_seconds=1.0), "WORKER", host, 9101)
    assert part.health_url == f"http://{reached}:9101/healthz"


@pytest.mark.process
def test_a_broker_answers_until_it_is_stopped_though_the_kernel_takes_connections_for_it() -> None:
    with tansu_process() as (broker, address):
        assert ask(f"kafka://{address}", 10) == Answer(is_alive=True)
        with frozen(broker.pid):
            assert ask(f"kafka://{address}", 0.3) == Answer(is_alive=False, is_silent=True)
        assert ask(f"kafka://{address}", 10) == Answer(is_alive=True)
