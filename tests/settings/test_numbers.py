from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any, Final, get_args

import pytest
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel

from pipeline.alert_settings import ReceiverSettings
from pipeline.errors import UserError
from pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

FOR_EVER: Final = "time.idle_minutes"
"""May be infinite: a partition that never counts as silent."""


def numbers(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Yield every field that holds a number, with its bounds."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from numbers(kind, f"{path}{name}.")
        elif {kind, *get_args(kind)} - {NoneType} <= {int, float}:
            yield path + name, field.metadata


@pytest.mark.parametrize("model", [Settings, ReceiverSettings])
def test_every_number_has_a_least_and_a_greatest(model: type[BaseModel]) -> None:
    found = dict(numbers(model))
    assert found
    for name, bounds in found.items():
        assert any(isinstance(bound, Ge | Gt) for bound in bounds), name
        assert any(isinstance(bound, Le | Lt) for bound in bounds) == (name != FOR_EVER), name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("ROI_KAFKA_RETENTION_DAYS", text) for text in ("inf", "nan", "1e300")),
        ("ROI_KAFKA_REPLICATION_FACTOR", "40000"),
        ("ROI_TIME__ENGAGED_SECONDS", "inf"),
        ("ROI_TIME__IDLE_MINUTES", "nan"),
        ("ROI_WORKER__FETCH_RECORDS", "1" + "0" * 400),
        ("ROI_WORKER__BAD_SHARE_WINDOW", "1" + "0" * 400),
        ("ROI_ALERTS__MIN_COST_MINOR", "1" + "0" * 400),
    ],
)
def test_a_number_that_nothing_can_be_counted_with_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=f"setting {name}: Input should be (less|greater) than .*; correct {name}"):
        load_settings()
