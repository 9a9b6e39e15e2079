"""Verification in several processes: it finds the same as in one, or reports that it did not finish."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from bank.operations.audit import audit
from bank.operations.backup import NoBackup, back_up
from eventstore.verification import parallel
from eventstore.verification import verify as verification
from eventstore.verification.verify import Report
from tests.support import vandal
from tests.support.databases import Urls
from tests.support.programs import ROOT
from tests.support.record import export, in_stream, spoil, verify
from tests.support.values import do_business

pytestmark = pytest.mark.usefixtures("bank")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Yield the list of started processes. None of them runs at the end."""
    processes: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def popen(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        processes.append(start(*arguments, **options))
        return processes[-1]

    monkeypatch.setattr(subprocess, "Popen", popen)
    yield processes
    assert [process.poll() for process in processes if process.returncode is None] == []


def seen_by(processes: int, **options: Any) -> Report:
    """Return the report of a verification in this many processes, without its time."""
    report = audit(processes=processes, **options)
    return report._replace(head=report.head._replace(made_at=""))


@pytest.mark.parametrize("batch", [1, 7, parallel.BATCH])
def test_any_number_of_processes_sees_the_same_in_a_sound_bank(
    started: list[Any], monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    do_business()
    monkeypatch.setattr(parallel, "BATCH", batch)
    alone = seen_by(1)
    assert (alone.events, alone.streams, alone.commands, alone.rejected, alone.findings) == (68, 6, 67, 4, [])
    assert not started
    assert seen_by(2) == seen_by(3) == alone
    assert len(started) == 3


def test_an_empty_bank_is_sound_in_several_processes() -> None:
    assert seen_by(3) == seen_by(1)


def test_a_head_of_one_number_of_processes_is_held_against_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    do_business()
    head = str(tmp_path / "head")
    export(tmp_path / "head")
    assert "extends the head of" in verify("--head", head, "--processes", "3")
    monkeypatch.setattr(verification, "MANY", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    export(tmp_path / "head")
    assert "extends the head of" in verify("--head", head, "--processes", "1")


def test_any_number_of_processes_finds_the_same(urls: Urls, tmp_path: Path) -> None:
    do_business()
    head = export(tmp_path / "head")

    def ruin(tables: vandal.Tables) -> None:
        in_stream(tables, "bank_account-1")[6]["data"] = {"accountId": 1, "amount": 10**9}
        in_stream(tables, "bank_account-2")[3]["stream"] = "bank_account-8"
        in_stream(tables, "bank_account-4")[1]["type"] = "money_printed"
        records = {row["position"]: row for row in tables[vandal.COMMAND]}
        records[20]["stream"] = "bank_account-9"
        records[30]["position"] = 31
        tables[vandal.EVENT].remove(in_stream(tables, "bank_account-3")[2])
        tables[vandal.VERIFIER].pop()
        tables[vandal.SNAPSHOT][0]["version"] = 99

    spoil(urls, ruin)
    alone = seen_by(1, since=head)
    assert len(alone.findings) > 5
    assert seen_by(2, since=head) == seen_by(3, since=head) == alone


def test_a_large_bank_is_verified_on_all_processors(started: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    do_business()
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    audit()
    assert not started, "so few events take less time than the start of a process"
    monkeypatch.setattr(verification, "MANY", 68)
    audit()
    assert len(started) == 2
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    audit()
    assert len(started) == 2 + verification.MOST - 1


def test_it_takes_a_process() -> None:
    with pytest.raises(CommandError, match="at least"):
        verify("--processes", "0")


# An unfinished verification is never valid


def dies_at(step: str) -> type[Any]:
    """Return a kind of process that is killed before this step."""

    class Mortal(parallel._Process[Any]):
        def _die(self) -> None:
            self.process.kill()
            self.process.wait()

        def begin(self, *checker: object) -> None:
            if step == "begin":
                self._die()
            super().begin(*checker)

        def check(self, *rows: Any) -> None:
            if step == "check":
                self._die()
            super().check(*rows)

        def end(self, *, whole: bool) -> Any:
            if step == "end":
                self._die()
            return super().end(whole=whole)

    return Mortal


@pytest.fixture(params=["begin", "check", "end"])
def mortal(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, started: list[Any]) -> None:
    """Two verifying processes, of which one dies."""
    monkeypatch.setattr(parallel, "_Process", dies_at(request.param))
    monkeypatch.setattr(parallel.Shares, "_number_of", lambda self, stream: 1)  # otherwise it might have no streams
    monkeypatch.setattr(verification, "MANY", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


@pytest.mark.usefixtures("mortal")
def test_a_process_that_dies_leaves_nothing_verified_signed_or_backed_up(vendor: str, tmp_path: Path) -> None:
    do_business()
    with pytest.raises(CommandError, match=r"Nothing was verified: one of the processes .* ended too early") as stopped:
        verify()
    assert stopped.value.returncode == 2
    with pytest.raises(CommandError, match="Nothing is signed") as stopped:
        call_command("export_head")
    assert stopped.value.returncode == 2
    if vendor == "sqlite":
        with pytest.raises(NoBackup, match="ended too early"):
            back_up(tmp_path / "backup")
        assert list(tmp_path.glob("*backup*")) == []


def test_a_process_that_cannot_be_started_is_reported(started: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    start = subprocess.Popen

    def popen(*arguments: Any, **options: Any) -> Any:
        if started:
            raise BlockingIOError("no more processes")
        return start(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", popen)
    with pytest.raises(CommandError, match="no process can be started: no more processes"):
        verify("--processes", "3")
    assert len(started) == 1


def test_ctrl_c_ends_all_processes(started: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    do_business()
    monkeypatch.setattr(verification, "EVERY", 10)

    def interrupt(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("eventstore.progress.ProgressBar.update", interrupt)
    with pytest.raises(CommandError, match="Interrupted") as stopped:
        verify("--processes", "3")
    assert stopped.value.returncode == 2
    assert len(started) == 2


def test_no_process_outlives_the_one_that_was_killed() -> None:
    program = (
        "import time; from eventstore.verification.parallel import _Process; p = _Process(); "
        "print('started', flush=True)"
    )
    asker = subprocess.Popen(
        [sys.executable, "-c", f"{program}; time.sleep(600)"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert asker.stdout
    assert asker.stdout.readline() == "started\n"
    os.kill(asker.pid, signal.SIGKILL)
    _, errors = asker.communicate(timeout=60)  # until the other end of `stderr` is closed
    assert errors == ""
