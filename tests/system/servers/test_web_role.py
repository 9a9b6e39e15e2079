"""The web processes under a role that cannot change the record: `docs/web-role.sql`, executed unchanged."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from tests.support import postgres
from tests.support.programs import ROOT, Program, Web, manage, migrate
from tests.system.servers.walk import USERS, walk

pytestmark = pytest.mark.xdist_group("web_role")  # starts the shared fixture only once

SCRIPT = ROOT / "docs" / "web-role.sql"
RECORD = {"eventstore_event": "data", "eventstore_commandrecord": "outcome", "eventstore_epoch": "shift"}
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"


class Roles(NamedTuple):
    """The environments of the owner's programs and of the web processes, on two servers."""

    owner: dict[str, str]
    web: dict[str, str]


@pytest.fixture(scope="module")
def roles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Roles]:
    """A migrated bank on two servers, owned by a role without superuser rights, after the script."""
    postgres.require()
    data = tmp_path_factory.mktemp("owner")
    with (
        postgres.Cluster(settings=postgres.THROW_AWAY) as events,
        postgres.Cluster(settings=postgres.THROW_AWAY) as projections,
    ):
        owner = USERS | {"PROJECTION_MODE": "worker"}
        owner |= dict.fromkeys(("SECRET_KEY", "PIN_KEYS", "SEAL_KEYS"), "one of this test")
        for server, name, variable in (
            (events, "bank", "DATABASE_URL"),
            (projections, "bank_projections", "PROJECTIONS_DATABASE_URL"),
        ):
            server.psql("CREATE ROLE bank_owner LOGIN CREATEROLE")
            server.psql(f"CREATE DATABASE {name} OWNER bank_owner")
            owner[variable] = as_role("bank_owner", server.url(name))
        migrate(data, **owner)
        for _ in range(2):  # the script is idempotent
            events.run(
                "psql", owner["DATABASE_URL"], "-v", f"projections={owner['PROJECTIONS_DATABASE_URL']}",
                "-v", "ON_ERROR_STOP=1", "-f", script_for(events),
            )  # fmt: skip
        urls = {name: as_role("bank_web", url) for name, url in owner.items() if name.endswith("_URL")}
        yield Roles(owner, owner | urls)


def script_for(server: postgres.Cluster) -> str:
    """Return the path of a copy of the script that the server's user can read."""
    copy = server.folder / SCRIPT.name
    copy.write_text(SCRIPT.read_text())
    copy.chmod(0o644)
    return str(copy)


def as_role(role: str, url: str) -> str:
    return re.sub("//[a-z_]+@", f"//{role}@", url)


def test_the_bank_works_under_the_role_and_goes_on_after_the_owners_replay(roles: Roles, tmp_path: Path) -> None:
    with (
        Program(tmp_path / "worker", "run_projections", **roles.owner),
        Web(tmp_path / "web", **roles.web) as web,
    ):
        walk(web, 1)
        assert "Rebuilt" in manage(tmp_path / "worker", "replay_projections", **roles.owner)
        walk(web, 2)
        assert web.request("GET", "/readyz")[0] == 200
    for role in roles:
        assert "All of it fits together" in manage(tmp_path / "worker", "verify_events", **role)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET {column} = {column}",
        "DELETE FROM {table}",
        "TRUNCATE {table}",
        "DROP TRIGGER {table}_append_only ON {table}",
        "ALTER TABLE {table} DISABLE TRIGGER ALL",
        "ALTER TABLE {table} DISABLE TRIGGER {table}_append_only",
        "DROP TABLE {table}",
        "CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE RULE quiet AS ON INSERT TO {table} DO INSTEAD NOTHING",
        "SET session_replication_role = replica",
        "SET ROLE bank_owner",
        "CREATE TABLE more (n int)",
    ],
)
def test_the_database_lets_the_role_change_nothing_of_the_record(roles: Roles, statement: str) -> None:
    for table, column in RECORD.items():
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            postgres.execute(roles.web["DATABASE_URL"], statement.format(table=table, column=column))


def test_the_role_can_change_nothing_of_the_read_side(roles: Roles) -> None:
    [*tables] = postgres.execute(roles.web["PROJECTIONS_DATABASE_URL"], TABLES)
    assert ("projections_accountsummary",) in tables
    for (table,) in tables:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            postgres.execute(roles.web["PROJECTIONS_DATABASE_URL"], f"DELETE FROM {table}")


def test_the_script_lists_the_permissions_of_the_role_on_every_table(roles: Roles) -> None:
    script = SCRIPT.read_text()
    for (table,) in postgres.execute(roles.owner["DATABASE_URL"], TABLES):
        assert table in script, f"docs/web-role.sql does not say what the web processes may do with {table}"
