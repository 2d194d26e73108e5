"""Every setting of the application: one frozen model, read at the edge and handed down.

Sources, first wins: a running instance's own addresses and secrets (``--data DIR``, see `load_settings`),
``ROI_…`` environment variables (nested with ``__``; a secret's may be given as a file, ``ROI_…_FILE``, but not both
ways), ``roi.toml``, defaults.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from tomllib import TOMLDecodeError
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from pipeline.addresses import checked_servers, checked_url
from pipeline.alert_settings import AlertSettings, ApiSettings, Group, ReceiverSettings
from pipeline.errors import UserError
from pipeline.secret_files import SUFFIX, SecretFileSource
from pipeline.setting_names import no_json, place_of, unknown_variables, unknown_words
from schemas.campaign import MAX_DAYS, MAX_RATIO, MarginBps
from schemas.common import Instant, TransactionKind

if TYPE_CHECKING:
    from pathlib import Path

MAX_MINUTES: Final = 1e9
MAX_RECORDS: Final = 10**9
MAX_REPLICAS: Final = 2**15 - 1  # the protocol has 16 bits for it
FIRST_DAY: Final = datetime(1970, 1, 2, tzinfo=UTC)
"""The first instant whose business day is no earlier than 1970-01-01 in every zone."""

AttributionModel = Literal["last_touch", "first_touch", "linear", "position", "time_decay"]
PUBLIC_ENV = "roi.env"
PRIVATE_ENV = "private.env"
OWNERS_TOKEN: Final = "ROI_API_TOKEN"  # noqa: S105 - the name of a variable


class AttributionSettings(Group):
    """How a transaction's credit is shared between the touches before it (contract section 4)."""

    model: AttributionModel = Field("last_touch", description="the attribution model that decides")
    models: tuple[AttributionModel, ...] = Field(
        (), description="models computed side by side in one pass, the first decides; empty = `model` alone"
    )
    half_life_days: float = Field(7.0, gt=0, le=MAX_DAYS, description="half-life of `time_decay`, in days")
    window_days: float = Field(
        7.0, gt=0, le=MAX_DAYS, description="attribution window of a campaign without a definition, in days"
    )
    margins_bps: dict[TransactionKind, MarginBps] = Field(
        default_factory=dict, description="return in basis points of the amount by transaction kind, default 0"
    )

    @property
    def all_models(self) -> tuple[AttributionModel, ...]:
        """The models to compute, the deciding one first, each once."""
        return tuple(dict.fromkeys(self.models or (self.model,)))


class TimeSettings(Group):
    """Event time: business days, lateness and how long state is kept (contract section 3)."""

    zone: str = Field("Asia/Shanghai", description="zone of the business day")
    earliest: Instant = Field(
        datetime(1990, 1, 1, tzinfo=UTC), description="events before it are dead-lettered: no clock was ever that wrong"
    )
    lateness_days: float = Field(
        3.0, gt=0, le=MAX_DAYS, description="allowed lateness behind the partition's watermark, in days"
    )
    future_minutes: float = Field(
        10.0, gt=0, le=MAX_MINUTES, description="events further ahead of the wall clock are dead-lettered"
    )
    reversal_days: float = Field(
        30.0, gt=0, le=MAX_DAYS, description="how long after its original a reversal counts, in days"
    )
    idle_minutes: float = Field(
        60.0, gt=0, description="silence after which a partition's watermark follows the others, in minutes"
    )
    engaged_seconds: float = Field(
        5.0, ge=0, le=MAX_DAYS * 86_400, description="shortest session that makes a customer engaged, in seconds"
    )

    @field_validator("earliest")
    @classmethod
    def _within_the_dates_of_clickhouse(cls, value: datetime) -> datetime:
        if value < FIRST_DAY:
            raise ValueError(f"must be {FIRST_DAY:%Y-%m-%dT%H:%M:%SZ} or later: dates of ClickHouse begin there")
        return value

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"zone == {value!r}, must be an IANA time zone such as 'Asia/Shanghai'") from error
        return value


class ExperimentSettings(Group):
    """How experiments are assigned and judged (docs/ab.md)."""

    relevant_lift: float = Field(
        0.1, gt=0, le=MAX_RATIO, description="smallest lift that matters, as a share of the control's mean"
    )
    standing_share: float = Field(
        0.0, ge=0, lt=1, description="share of all customers in the standing control group, who get no campaign"
    )
    standing_salt: str = Field(
        "standing-control", min_length=1, description="picks the standing control group; another picks another group"
    )
    refresh_minutes: float = Field(
        60.0,
        ge=0,
        le=MAX_DAYS * 1440,
        description="how far event time goes on before the evaluator analyses an experiment again; 0 = never",
    )


class WorkerSettings(Group):
    """How a worker reads, writes and protects itself."""

    commit_interval_seconds: float = Field(0.25, gt=0, le=60, description="shortest time between two ledger blocks")
    fetch_records: int = Field(
        5000, gt=0, le=MAX_RECORDS, description="most records read of a partition at once; of all twice (native core)"
    )
    bad_share_limit: float = Field(0.5, gt=0, le=1, description="share of bad events that halts a topic")
    bad_share_window: int = Field(
        1000, gt=0, le=MAX_RECORDS, description="number of latest events the bad share is taken over"
    )
    core: Literal["plain", "native", "auto"] = Field(
        "auto", description="what counts: Python alone, the compiled core (`make native`), or this where it is built"
    )
    metrics_port: int = Field(0, ge=0, le=65535, description="Prometheus port of a worker, 0 = any free one")
    metrics_host: str = Field("127.0.0.1", description="address the worker's metrics are served on")


class Settings(BaseSettings):
    """All settings. Field descriptions are the settings table of the README."""

    model_config = SettingsConfigDict(
        env_prefix="ROI_", env_nested_delimiter="__", toml_file="roi.toml", frozen=True, extra="forbid"
    )

    kafka_bootstrap_servers: str = Field("127.0.0.1:19092", description="Kafka brokers, host:port[,host:port…]")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="how brokers are spoken to"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="SASL mechanism"
    )
    kafka_sasl_username: str = Field("", description="SASL user")
    kafka_sasl_password: SecretStr = Field(SecretStr(""), description="SASL password")
    kafka_ssl_cafile: str = Field("", description="file with the brokers' certificate authority")
    kafka_group: str = Field("roi", description="consumer group of the workers")
    kafka_incarnation: str = Field("", description="names a memory-only broker's life; set by `roi up --embedded`")
    kafka_partitions: Annotated[int, Field(ge=1, le=1024)] = Field(8, description="partitions of a new topic")
    kafka_replication_factor: int = Field(1, ge=1, le=MAX_REPLICAS, description="replicas of a new topic")
    kafka_retention_days: float = Field(35.0, gt=0, le=MAX_DAYS, description="retention of a new event topic, in days")

    clickhouse_url: str = Field("http://127.0.0.1:18123", description="ClickHouse HTTP address")
    clickhouse_database: str = Field("roi", pattern=r"^[a-z][a-z0-9_]*$", description="database that holds everything")
    clickhouse_user: str = Field("roi_reader", description="read-only user (boards, `roi sql`)")
    clickhouse_password: SecretStr = Field(SecretStr(""), description="its password")
    clickhouse_writer_user: str = Field("roi_writer", description="user of workers and migrations")
    clickhouse_writer_password: SecretStr = Field(SecretStr(""), description="its password")

    build_commit: str = Field("", description="commit that the image was built from, shown with the metrics")
    board_url: str = Field("http://127.0.0.1:8080", description="address of the board and API")
    pseudonym_key: SecretStr = Field(SecretStr(""), description="HMAC key that turns customer ids into hashes")
    reporting_currency: str = Field("CNY", pattern=r"^[A-Z]{3}$", description="the one currency of all money")
    default_goal_kinds: tuple[TransactionKind, ...] | None = Field(
        None, description="goal of a campaign without a definition; none = any kind"
    )

    clickhouse_actor_user: str = Field(
        "roi_actor", description="user of the API: reads, and hands in actions on alerts"
    )
    clickhouse_actor_password: SecretStr = Field(SecretStr(""), description="its password")
    api_token: SecretStr = Field(
        SecretStr(""),
        description="token of an instance's owner where no `api.tokens` are set; made by `roi up --embedded`",
    )
    grafana_url: str = Field(
        "", description="Grafana that is told when alerts fire and resolve (annotations); none if empty"
    )
    grafana_token: SecretStr = Field(SecretStr(""), description="service account token of that Grafana")
    alertmanager_url: str = Field("", description="Alertmanager that firing alerts are pushed to; none if empty")

    receivers: dict[str, ReceiverSettings] = Field(
        default_factory=dict,
        description="who is told of alerts: name → {url, secret, min_interval_minutes, quiet_hours}",
    )
    attribution: AttributionSettings = AttributionSettings()
    time: TimeSettings = TimeSettings()
    worker: WorkerSettings = WorkerSettings()
    experiments: ExperimentSettings = ExperimentSettings()
    alerts: AlertSettings = AlertSettings()
    api: ApiSettings = ApiSettings()

    _servers = field_validator("kafka_bootstrap_servers")(checked_servers)
    _url = field_validator("clickhouse_url")(checked_url)

    @classmethod
    def settings_customise_sources(  # noqa: D102 - pydantic-settings' own hook
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings
        # init values are a named instance's own addresses and secrets (load_settings), so they come first
        return init_settings, SecretFileSource(settings_cls), env_settings, TomlConfigSettingsSource(settings_cls)


def read_env_file(path: Path) -> dict[str, str]:
    """Return the KEY=VALUE lines of an instance's env file; an absent file has none.

    Raises:
        UserError: the file is not text.
    """
    if not path.exists():
        return {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text", "write it in UTF-8, or let roi up --embedded write it") from error
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {key.strip(): value for key, value in pairs}


def load_settings(data: Path | None = None, **overrides: Any) -> Settings:
    """Return the settings, laid over a running instance's addresses when ``data`` names its directory.

    Raises:
        UserError: a value is not acceptable (the message names the variable), or nothing runs in ``data``.
    """
    instance: dict[str, Any] = {}
    if data is not None:
        if not (data / PUBLIC_ENV).exists():
            raise UserError(
                f"nothing runs on {data} ({PUBLIC_ENV} is not there)", f"start it: roi up --embedded --data {data}"
            )
        public = read_env_file(data / PUBLIC_ENV)
        known = read_env_file(data / PRIVATE_ENV) | public
        if OWNERS_TOKEN not in public:
            known.pop(OWNERS_TOKEN, None)  # kept for later: now people act by tokens of their own
        instance = {key.removeprefix("ROI_").lower(): value for key, value in known.items() if key.startswith("ROI_")}
    _check_environment()
    try:
        return Settings(**(instance | overrides))
    except TOMLDecodeError as error:
        raise UserError(f"roi.toml is not valid TOML ({error})", "correct that line of roi.toml") from error
    except UnicodeDecodeError as error:
        raise UserError("roi.toml is not UTF-8 text", "write it in UTF-8 (iconv -t UTF-8 converts)") from error
    except RecursionError as error:
        raise UserError("a setting is nested too deeply", "correct it in the environment or in roi.toml") from error
    except SettingsError as error:
        raise no_json(error, os.environ) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = place_of(Settings, first["loc"], os.environ)
        is_unknown = first["type"] == "extra_forbidden" and not place.within
        told = unknown_words(Settings, place.variable) if is_unknown else first["msg"]
        told = f"{place.within}: {told}" if place.within else told
        raise UserError(
            f"setting {place.variable}: {told}", f"correct {place.variable} in the environment or in roi.toml"
        ) from error
    except ValueError as error:  # of Python's own: its parser of TOML lets it through
        raise UserError("a number in roi.toml has too many digits", "correct roi.toml") from error


def _check_environment() -> None:
    """See that what the variables hold is text: Python hides other bytes in halves of characters, which break later.

    Raises:
        UserError: a variable holds other bytes.
    """
    for name, value in os.environ.items():
        if name.upper().startswith("ROI_") and not name.upper().endswith(SUFFIX):  # a file may have any name
            try:
                value.encode()
            except UnicodeEncodeError:  # it would show a secret
                raise UserError(f"{name} is not UTF-8 text", f"set {name} to text in UTF-8") from None


def unknown_settings() -> list[str]:
    """Return a line for each variable of the environment that looks like a setting and is none."""
    return [f"{name}: {unknown_words(Settings, name)}" for name in unknown_variables(Settings, os.environ)]


SECRETS: frozenset[str] = frozenset(
    {
        "api_token",
        "clickhouse_actor_password",
        "clickhouse_password",
        "clickhouse_writer_password",
        "grafana_token",
        "kafka_sasl_password",
        "pseudonym_key",
        "receivers",
    }
)
"""Fields that hold secrets; ``receivers`` is a map whose addresses do."""
_FROM_OUTSIDE: frozenset[str] = frozenset({"grafana_token", "kafka_sasl_password", "receivers"})
"""Of these an instance makes none: they come from the environment or roi.toml only."""


def environment_of(settings: Settings, secrets: frozenset[str] = SECRETS) -> dict[str, str]:
    """Return the process environment plus the instance's connection settings, for a child process.

    Args:
        settings: the instance's.
        secrets: the fields of `SECRETS` that the child needs; it gets no other.
    """
    hidden = tuple(f"ROI_{name.upper()}" for name in SECRETS - secrets)
    child = {name: value for name, value in os.environ.items() if not _names_one_of(hidden, name)}
    for name in (
        "kafka_bootstrap_servers",
        "kafka_incarnation",
        "clickhouse_url",
        "clickhouse_user",
        "clickhouse_writer_user",
        "clickhouse_actor_user",
        "board_url",
    ):
        child[f"ROI_{name.upper()}"] = str(getattr(settings, name))
    for name in secrets - _FROM_OUTSIDE:
        child[f"ROI_{name.upper()}"] = getattr(settings, name).get_secret_value()
        # the value is given now; naming its file as well would be two ways at once
        child.pop(f"ROI_{name.upper()}{SUFFIX}", None)
    return child


def _names_one_of(hidden: tuple[str, ...], variable: str) -> bool:
    """Tell whether a variable gives one of these settings: itself, as a file, or a part of it."""
    name = variable.upper()
    return name.removesuffix(SUFFIX) in hidden or name.startswith(tuple(f"{each}__" for each in hidden))
