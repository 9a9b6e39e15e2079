"""Values of the environment, for the settings: lists, amounts and databases."""

import os
import re
from decimal import Decimal
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()  # type: ignore[no-untyped-call]
WEB_THREADS = env.int("WEB_THREADS", default=min(8, 2 * (os.cpu_count() or 1) + 1))
"""The number of requests that one web process works on at once. Further requests wait for a thread."""
SQLITE_OPTIONS = {"transaction_mode": "IMMEDIATE", "timeout": 20}


def entries(variable: str) -> list[str]:
    """Return the entries of a comma-separated variable, stripped, without empty ones."""
    return [entry.strip() for entry in os.environ.get(variable, "").split(",") if entry.strip()]


def amount_in(variable: str) -> Decimal | None:
    """Return the amount of money in a variable, in units of the currency, or None if it is not set."""
    text = os.environ.get(variable, "").strip()
    if not re.fullmatch(r"([0-9]{1,15}(\.[0-9]{1,4})?)?", text):
        raise ImproperlyConfigured(f"{variable} is an amount such as 10000 or 2500.50, not {text!r}.")
    return Decimal(text) if text else None


def database(url: str, synchronous: str = "NORMAL", patience: float = 3) -> dict[str, Any]:
    """Return the settings of the database of a URL.

    Args:
        synchronous: FULL if a commit waits for the disk, otherwise NORMAL.
        patience: the longest wait for a connection, in seconds.
    """
    config: dict[str, Any] = env.db_url_config(url)  # type: ignore[no-untyped-call]
    if config["ENGINE"] == "django.db.backends.sqlite3":
        pragmas = f"PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous}; PRAGMA recursive_triggers=ON;"
        options = {**SQLITE_OPTIONS, "init_command": pragmas}
        return {**config, "ENGINE": "eventstore.sqlite", "CONN_MAX_AGE": None, "OPTIONS": options}
    # After this time the pool gives up until the next request, instead of waiting longer each time.
    pool = {"min_size": 1, "max_size": WEB_THREADS + 3, "timeout": patience, "reconnect_timeout": 2}
    return {
        **config,
        "SYNCHRONOUS": synchronous,  # see `eventstore.backends.postgresql`
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,  # so that a restart of the server causes no error
        "DISABLE_SERVER_SIDE_CURSORS": True,  # a pooler in transaction mode does not support them
        "OPTIONS": {**config.get("OPTIONS", {}), "connect_timeout": 3, "pool": pool},
    }


def place(config: dict[str, Any]) -> tuple[object, ...]:
    """Return what identifies a database."""
    return (*(config.get(key) for key in ("ENGINE", "HOST", "PORT", "NAME")), config["OPTIONS"].get("options"))
