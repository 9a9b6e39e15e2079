"""Restoring a bank from a backup by the documented steps."""

import json
import os
import re
import shlex
import subprocess
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from tests.support import databases, postgres
from tests.support.databases import Urls
from tests.support.programs import ROOT, environment, manage, migrate, run
from tests.support.servers import cluster as cluster

KEYS = {
    "SECRET_KEY": "a secret key, 'quoted'",
    "PIN_KEYS": "the first PIN key, the second PIN key",
    "SEAL_KEYS": "$eal and $eal again",
}
RECORD = ROOT / "docs" / "record.md"


def steps(mark: str) -> str:
    """Return the block of commands in docs/record.md that contains this text."""
    (block,) = [each for each in re.findall(r"```sh\n(.*?)```", RECORD.read_text(), re.DOTALL) if mark in each]
    return str(block)


def shell(commands: str, data: Path, **variables: str) -> str:
    """Run commands as an operator would, and return their output."""
    tools = f"{Path(postgres.find_tool('psql') or '/').parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=ROOT,
        env=environment(data, PATH=tools, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


MAKE = """
from tests.support.values import do_business
do_business()
"""
FIGURES = """
from projections import queries
print(queries.get_account_list(), queries.get_total_deposits(), queries.bank_figures())
"""


def in_shell(data: Path, code: str, **variables: str) -> str:
    return manage(data, "shell", "--no-imports", "-c", code, **variables)


def test_a_bank_comes_back_by_the_steps_that_are_written_down(templates: dict[str, Urls], tmp_path: Path) -> None:
    data = tmp_path / "bank"
    data.mkdir(mode=0o700)
    databases.MAKERS["sqlite"].copy(templates["sqlite"], data)
    figures = in_shell(data, MAKE + FIGURES)
    output = manage(data, "backup", str(tmp_path / "copy"), "--with-keys")
    assert "has 68 events" in output
    in_shell(data, "from tests.support.values import deposit; deposit(1, 5)")
    for file in data.glob("*_key"):  # the machine is lost, and so are the keys
        file.unlink()

    printed = shell(steps("mkdir -m 700"), data, BACKUP=str(tmp_path / "copy"))

    assert printed.count("All of it fits together, and extends the head of") == 2
    keys = f". {tmp_path}/copy/keys.env"
    look = " && ".join(["set -a", keys, f"uv run manage.py shell --no-imports -c {shlex.quote(FIGURES)}"])
    assert shell(look, data).endswith(figures)
    export = " && ".join(["set -a", keys, "uv run manage.py export_head"])
    head = json.loads((tmp_path / "copy" / "head.json").read_text())
    now = json.loads("{" + shell(export, data).partition("{")[2])
    assert {**now, "made_at": 0, "signature": 0} == {**head, "made_at": 0, "signature": 0}


def test_on_postgresql_the_printed_steps_make_a_backup_that_can_be_restored(
    cluster: postgres.Cluster, tmp_path: Path
) -> None:
    bank, figures, new_figures = (cluster.create_database(name) for name in ("bank", "figures", "new_figures"))
    old = {"DATABASE_URL": bank, "PROJECTIONS_DATABASE_URL": figures, **KEYS}
    new = {"DATABASE_URL": cluster.url("new"), "PROJECTIONS_DATABASE_URL": new_figures, **KEYS}
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    migrate(data, MAKE, **old)

    done = run(data, "backup", str(tmp_path / "the copy"), **old)
    assert done.returncode == 2
    printed = done.stdout.split("CommandError: No backup was made")[0]
    shell(printed, data, **old)
    in_shell(data, "from tests.support.values import deposit; deposit(1, 5)", **old)

    variables = {"BACKUP": str(tmp_path / "the copy"), "PGHOST": "127.0.0.1", "PGPORT": str(cluster.port)}
    steps_4_and_5 = steps("mkdir -m 700").partition("# 4.")[2]
    printed = shell(
        steps("createdb") + "#" + steps_4_and_5, data, **variables, PGUSER="postgres", DATABASE="new", **new
    )
    assert printed.count("All of it fits together, and extends the head of") == 2


@pytest.mark.usefixtures("bank")
@pytest.mark.only_on("postgresql", reason="SQLite has no password")
def test_no_password_is_printed(settings: Any) -> None:
    config = connections["default"].settings_dict
    config |= {"USER": "o'neill", "PASSWORD": "s3cret", "OPTIONS": {"options": "-c search_path=tellers"}}
    out = StringIO()
    with pytest.raises(CommandError, match="pg_dump"):
        call_command("backup", "/b/c", stdout=out)
    assert "s3cret" not in out.getvalue()
    assert "o%27neill@" in out.getvalue()
    assert "--schema=tellers" in out.getvalue()
