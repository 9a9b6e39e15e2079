"""What a load balancer and an operator ask: is it alive, and is it ready?"""

import logging
import sqlite3
from functools import cache

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from eventstore.sqlite import wal
from projections import freshness

from . import key_faults

logger = logging.getLogger(__name__)


class NotMigrated(Exception):
    """A database lacks migrations."""


@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """Alive: the process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 if both databases work, no projection has failed and the keys are the bank's own; else 503.

    Where only some of the keys are missing, the bank is ready: it serves the accounts that need none of them.
    """
    databases = {alias: _state(alias) for alias in ("default", "projections")}
    body: dict[str, object] = {"databases": databases}
    ready = set(databases.values()) == {"ok"}
    if ready:
        try:
            states = freshness.projection_states()
            blocker = freshness.held_back_by(states)
            faults = key_faults.find()
        except (DatabaseError, InterfaceError):  # a table that was there is gone
            logger.exception("The projections cannot be read")
            ready = False
        else:
            ready = not any(state.error or state.ahead for state in states) and not any(f.none_fits for f in faults)
            body["lag"] = max(state.behind for state in states)
            body["projections"] = {state.name: _report(state) for state in states}
            if blocker:  # what it has written may not be read yet, nor what was written after it; whose it is
                body["held_back"] = {"since": blocker.since}  # is for those who may look into the admin
            if faults:  # key ids are for those who can run `manage.py check`
                body["keys"] = {fault.setting: fault.summary for fault in faults}
    return JsonResponse({"ready": ready, **body}, status=200 if ready else 503)


def _report(state: freshness.ProjectionState) -> dict[str, object]:
    """Tell how a projection does, without names. Of an error only the kind: its text may hold what is in an event."""
    report: dict[str, object] = {
        "position": state.position,
        "behind": state.behind,
        "error": state.error.partition(":")[0],
        "failed_position": state.failed_position,
        "has_worker": bool(state.worker),
    }
    if state.ahead:
        report["ahead"] = "It has seen events that are not in the log: run replay_projections."
    return report


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
    """Raise NotMigrated unless all migrations are applied. Only the good answer is remembered."""
    executor = MigrationExecutor(connections[alias])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotMigrated(alias)
