"""Health checks for load balancers and operators: liveness and readiness."""

import logging
import sqlite3
from functools import cache

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from eventstore import subscription_states
from eventstore.sqlite import wal
from projections import engine, freshness, quarantine

from ..application import clock_limit, currency
from ..application.dispatch import UnreadableAccount
from ..domain.events import UnknownEvent
from ..domain.processes import PROCESS_MANAGERS
from . import key_faults

logger = logging.getLogger(__name__)


class NotMigrated(Exception):
    """A database lacks migrations."""


@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200: the process is alive."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 if both databases work, nothing that follows the log has failed and the keys fit; else 503.

    If only some keys are missing, the bank is ready: it serves the accounts that do not need them.
    """
    databases = {alias: _state(alias) for alias in ("default", "projections")}
    body: dict[str, object] = {"databases": databases}
    ready = set(databases.values()) == {"ok"}
    if ready:
        try:
            states = freshness.projection_states()
            followed = subscription_states.states(PROCESS_MANAGERS)
            held_back = freshness.held_back(states)
            parked = quarantine.summary()
            faults = key_faults.find()
            currency.check()
            clock_limit.check()
        except currency.WrongCurrency as fault:
            ready, body["currency"] = False, str(fault)
        except clock_limit.ClockIsOff as fault:
            ready, body["clock"] = False, str(fault)
        except (DatabaseError, InterfaceError):  # a migrated table was dropped
            logger.exception("The projections cannot be read")
            ready = False
        else:
            ready = not any(state.error or state.ahead for state in states) and not any(f.none_fits for f in faults)
            ready = ready and not any(state.error and not _awaits_newer(state) for state in followed)
            body["lag"] = max(state.behind for state in states)
            body["projections"] = {state.name: _report(state) for state in states}
            body["subscriptions"] = {state.name: _report_subscription(state) for state in followed}
            if far := [state.name for state in states if state.behind >= engine.NEAR]:
                body["catching_up"] = far
            if held_back:  # by an open or prepared transaction; only the admin shows whose
                body["held_back"] = {"since": held_back.since, "seconds": held_back.seconds}
            if parked:  # only the admin shows which accounts, and why
                body["parked"] = {"accounts": parked.streams, "since": parked.since, "projections": parked.projections}
            if faults:  # only `manage.py check` shows key ids
                body["keys"] = {fault.setting: fault.summary for fault in faults}
    return JsonResponse({"ready": ready, **body}, status=200 if ready else 503)


def _report(state: freshness.ProjectionState) -> dict[str, object]:
    """Return the state of a projection without names. The error is its class alone: its text may quote an event."""
    report: dict[str, object] = {
        "position": state.position,
        "behind": state.behind,
        "error": state.error.partition(":")[0],
        "failed_position": state.failed_position,
        "has_worker": bool(state.worker),
    }
    if state.ahead:
        report["ahead"] = "It has seen events that are not in the log: run replay_projections."
    if state.stale:
        report["stale"] = "It was built by another version or with another setting: run replay_projections."
    return report


def _report_subscription(state: subscription_states.State) -> dict[str, object]:
    """Return the state of a subscription. The error is its class alone, as that of a projection."""
    return {
        "position": state.position,
        "behind": state.behind,
        "error": state.error.partition(":")[0],
        "failed_position": state.failed_position,
        "has_worker": bool(state.worker),
        "parked": state.parked,
    }


def _awaits_newer(state: subscription_states.State) -> bool:
    """Return whether a subscription has stopped at an event or an account that only a newer version can read.

    The version before this one stops there, and this one parks the event. The bank stays ready.
    """
    return state.error.partition(":")[0] in {kind.__name__ for kind in (UnknownEvent, UnreadableAccount)}


def _state(alias: str) -> str:
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1")
        _check_migrated(alias)
        if wal.is_exposed(connections[alias]):
            return f"SQLite {sqlite3.sqlite_version} can lose what is committed here"
    except (DatabaseError, InterfaceError) as error:
        logger.error("The database %s does not answer: %s", alias, str(error).partition("\n")[0])
        return "does not answer"
    except NotMigrated:
        return "migrations are missing"
    return "ok"


@cache
def _check_migrated(alias: str) -> None:
    """Raise NotMigrated unless all migrations are applied. Success is cached."""
    executor = MigrationExecutor(connections[alias])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotMigrated(alias)
