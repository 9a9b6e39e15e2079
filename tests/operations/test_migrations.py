"""Migrations only expand a database, so that the previous version goes on working beside them.

They may add tables, nullable columns, columns with a default in the database, and indexes. Everything that the previous
version reads or writes stays; a later version may remove it.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import models
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Field

type AnyField = Field[Any, Any]

OURS = {"bank", "eventstore", "projections"}
NOT_IN_THE_DATABASE = (operations.AlterModelOptions, operations.AlterModelManagers)
BY_THE_DATABASE = (models.DB_CASCADE, models.DB_SET_NULL, models.DB_SET_DEFAULT)
READ = {
    "bank.0007_recorded_currency": "triggers on the new table alone",
    "eventstore.0002_append_only": "triggers that refuse what no version does",
    "eventstore.0003_epoch": "a default and functions; the column had the same default",
    "eventstore.0004_no_gap": "a trigger that refuses what no version does",
    "eventstore.0007_causation": "a column with a default; Django would make the table anew",
    "projections.0009_time_zone": "the version before never reads the column",
    "projections.0012_transfers": "a checkpoint that the version before neither reads nor moves",
    "projections.0005_built_with": "the version before makes a checkpoint at the beginning of the log again",
}
"""Migrations whose SQL and Python were reviewed: they let the previous version work, for this reason."""
STOPPED = {
    "eventstore.0005_seals": "commandrecord.seal is NOT NULL",
    "bank.0004_verifier_seals": "pinverifier.seal is NOT NULL",
    "bank.0005_used_codes": "deletes devices without a confirmed code",
    "projections.0002_pin_lock": "accountsummary.wrong_pins is NOT NULL",
    "projections.0003_worker_lease": "checkpoint.worker is NOT NULL",
    "projections.0004_names": "writes a checkpoint that the version before does not move",
}
"""Earlier migrations that needed a closed bank, with the reason. The list must not grow."""
LAST_STOP = {"bank": 5, "eventstore": 5, "projections": 4}


def all_migrations() -> dict[str, tuple[Migration, ProjectState]]:
    """Return our migrations by name, each with the state of the models before it."""
    loader = MigrationLoader(None)
    return {
        f"{app}.{name}": (loader.graph.nodes[app, name], loader.project_state((app, name), at_end=False))
        for app, name in sorted(loader.graph.nodes)
        if app in OURS
    }


def contractions(migration: Migration, state: ProjectState) -> Iterator[str]:
    """Yield each operation that could break the previous version."""
    state = state.clone()
    for operation in migration.operations:
        after = state.clone()
        operation.state_forwards(migration.app_label, after)
        if what := contraction(migration.app_label, operation, state, after):
            yield f"{operation.describe()}: {what}"
        state = after


def contraction(app: str, operation: Operation, before: ProjectState, after: ProjectState) -> str | None:
    """Return why an operation could break the previous version, or None."""
    match operation:
        case _ if isinstance(operation, NOT_IN_THE_DATABASE):
            return None
        case operations.CreateModel(fields=fields):
            return next(filter(None, (holds_rows(field) for _, field in fields)), None)
        case operations.AddIndex():
            return None
        case operations.AddField(field=field):
            return not_filled(field) or holds_rows(field)
        case operations.AlterField(model_name=model, name=name):
            old, new = (state.apps.get_model(app, model)._meta.get_field(name) for state in (before, after))
            return altered(old, new)
        case operations.RenameField(model_name=model, old_name=old_name, new_name=new_name):
            was = before.apps.get_model(app, model)._meta.get_field(old_name)
            return altered(was, after.apps.get_model(app, model)._meta.get_field(new_name))
        case operations.RunPython() | operations.RunSQL() | operations.SeparateDatabaseAndState():
            return "read it, and name it in READ with the reason why the version before goes on working"
    return "the version before may still use it"


def not_filled(field: AnyField) -> str | None:
    if field.many_to_many or field.null or field.has_db_default():
        return None
    return "the version before inserts rows without it: give it a db_default, or let it be null"


def holds_rows(field: AnyField) -> str | None:
    """Return why a reference breaks the previous version: it deletes the referenced rows without these."""
    relation = field.remote_field
    if relation is None or field.many_to_many or relation.on_delete in BY_THE_DATABASE:
        return None
    return f"{field.name} keeps the version before from deleting the row it refers to: use DB_CASCADE"


def altered(old: Any, new: Any) -> str | None:
    before, after = column(old), column(new)
    if not old.has_db_default():
        after.pop("db_default", None)
    return None if before == after else "the column changes"


def column(field: AnyField) -> dict[str, Any]:
    """Return the arguments of a field that affect the database."""
    _, path, arguments, keywords = field.deconstruct()
    unknown = {*field.non_db_attrs, "db_column"}
    known = {name: value for name, value in keywords.items() if name not in unknown}
    return {**known, "path": path, "arguments": arguments, "column": field.column}


@pytest.mark.parametrize("name", sorted(all_migrations()))
def test_a_migration_keeps_the_version_before_working(name: str) -> None:
    found = list(contractions(*all_migrations()[name]))
    app, _, label = name.partition(".")
    if name in STOPPED:
        assert found, "it stopped nobody"
        assert int(label[:4]) <= LAST_STOP[app], "the bank does not close for a migration any more"
    elif name in READ:
        assert all("READ" in what for what in found), found
    else:
        assert found == []


NUMBER = models.IntegerField()
OLD = ("bank", "pinverifier")


@pytest.mark.parametrize(
    "operation",
    [
        operations.AddField(OLD[1], "number", NUMBER),
        operations.AddField(OLD[1], "number", models.IntegerField(default=0), preserve_default=False),
        operations.RemoveField(OLD[1], "seal"),
        operations.RenameField(OLD[1], "seal", "mark"),
        operations.AlterField(OLD[1], "seal", models.BinaryField(max_length=36, unique=True)),
        operations.AlterField(OLD[1], "seal", models.TextField()),
        operations.RenameModel("PinVerifier", "Verifier"),
        operations.DeleteModel("PinVerifier"),
        operations.AlterModelTable(OLD[1], "verifier"),
        operations.AlterUniqueTogether(OLD[1], {("salt", "digest")}),
        operations.AddConstraint(OLD[1], models.CheckConstraint(condition=models.Q(key_id=""), name="never")),
        operations.RemoveIndex(OLD[1], "verifier_key_id"),
        operations.CreateModel(
            "Note", [("id", NUMBER), ("user", models.ForeignKey("auth.User", models.CASCADE))], options={}
        ),
        operations.RunSQL("DROP TABLE bank_pinverifier"),
        operations.RunPython(operations.RunPython.noop),
        operations.SeparateDatabaseAndState([operations.DeleteModel("PinVerifier")]),
    ],
    ids=lambda operation: operation.describe(),
)
def test_an_operation_that_the_version_before_could_miss_is_found(operation: Operation) -> None:
    assert len(list(contractions(*with_operation(operation)))) == 1


@pytest.mark.parametrize(
    "operation",
    [
        operations.AddField(OLD[1], "number", models.IntegerField(null=True)),
        operations.AddField(OLD[1], "number", models.IntegerField(db_default=0)),
        operations.AlterField(OLD[1], "seal", models.BinaryField(max_length=36, help_text="Another text")),
        operations.AlterField(OLD[1], "seal", models.BinaryField(max_length=36, db_default=b"")),
        operations.AlterField(OLD[1], "seal", models.BinaryField(max_length=36, db_column="seal")),
        operations.AddIndex(OLD[1], models.Index(fields=["salt"], name="verifier_salt")),
        operations.CreateModel(
            "Note", [("id", NUMBER), ("user", models.ForeignKey("auth.User", models.DB_CASCADE))], options={}
        ),
    ],
    ids=lambda operation: operation.describe(),
)
def test_an_operation_that_only_adds_is_allowed(operation: Operation) -> None:
    assert list(contractions(*with_operation(operation))) == []


def with_operation(operation: Operation) -> tuple[Migration, ProjectState]:
    migration = Migration("9999_next", "bank")
    vars(migration)["operations"] = [operation]
    return migration, MigrationLoader(None).project_state()
