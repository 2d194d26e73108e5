"""How the settings' Kafka security is said in the words of each client library."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from pipeline.errors import UserError

if TYPE_CHECKING:
    from faust.auth import SASLCredentials, SSLCredentials

    from pipeline.settings import Settings

Options = dict[str, Any]


def client_options(settings: Settings) -> Options:
    """Return the connection options of an aiokafka or kafka-python client, which call them alike."""
    options: Options = {
        "bootstrap_servers": settings.kafka_bootstrap_servers.split(","),
        "security_protocol": settings.kafka_security_protocol,
    }
    if _encrypted(settings):
        options["ssl_context"] = ssl_context(settings)
    if _authenticated(settings):
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_sasl_username,
            "sasl_plain_password": settings.kafka_sasl_password.get_secret_value(),
        }
    return options


def confluent_options(settings: Settings) -> Options:
    """Return the connection options of a confluent-kafka (librdkafka) client."""
    options: Options = {
        "bootstrap.servers": settings.kafka_bootstrap_servers,
        "security.protocol": settings.kafka_security_protocol,
    }
    if _encrypted(settings) and settings.kafka_ssl_cafile:
        ssl_context(settings)  # an unreadable file is named here rather than deep inside librdkafka
        options["ssl.ca.location"] = settings.kafka_ssl_cafile
    if _authenticated(settings):
        options |= {
            "sasl.mechanism": settings.kafka_sasl_mechanism,
            "sasl.username": settings.kafka_sasl_username,
            "sasl.password": settings.kafka_sasl_password.get_secret_value(),
        }
    return options


def reading_options(settings: Settings) -> Options:
    """Return the options of a confluent-kafka consumer that is assigned what it reads, and joins no group.

    librdkafka wants the name of one nevertheless, and asks for its coordinator: with the workers' group, whoever may
    read for them needs no right on another.
    """
    return confluent_options(settings) | {"group.id": settings.kafka_group, "enable.auto.commit": False, "log_level": 0}


def faust_credentials(settings: Settings) -> SASLCredentials | SSLCredentials | None:
    """Return Faust's ``broker_credentials``; None for plaintext."""
    from faust.auth import SASLCredentials, SSLCredentials

    context = ssl_context(settings) if _encrypted(settings) else None
    if _authenticated(settings):
        return SASLCredentials(
            username=settings.kafka_sasl_username,
            password=settings.kafka_sasl_password.get_secret_value(),
            mechanism=settings.kafka_sasl_mechanism,
            ssl_context=context,
        )
    return SSLCredentials(context) if context else None


def faust_brokers(settings: Settings) -> str:
    """Return the brokers as Faust's list of URLs."""
    return ";".join(f"kafka://{server.strip()}" for server in settings.kafka_bootstrap_servers.split(","))


def ssl_context(settings: Settings) -> ssl.SSLContext:
    """Return a context that verifies the brokers against the configured authority, or the system's.

    Raises:
        UserError: the file of the authority cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=settings.kafka_ssl_cafile or None)
    except (OSError, ssl.SSLError) as error:
        raise UserError(
            f"the certificate authority {settings.kafka_ssl_cafile} cannot be read ({type(error).__name__})",
            "point ROI_KAFKA_SSL_CAFILE at a PEM file",
        ) from error


def _encrypted(settings: Settings) -> bool:
    return settings.kafka_security_protocol in {"SSL", "SASL_SSL"}


def _authenticated(settings: Settings) -> bool:
    return settings.kafka_security_protocol in {"SASL_PLAINTEXT", "SASL_SSL"}
