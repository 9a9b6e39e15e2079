"""Runs tests in copies of the tree: first without a change, then with one mutation in each copy.

The working tree is only read, so a killed trial changes nothing there.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from .mutation import Mutation

LEFT_OUT = (".git", ".venv", "var", ".*_cache", ".hypothesis")
LONGEST = 600
"""Seconds that the tests of one mutation may take."""
SLIPS = ("NameError", "UnboundLocalError", "ImportError", "ModuleNotFoundError", "SyntaxError", "IndentationError")
"""Errors that any careless change causes. A test that fails with one of them proves nothing."""


class Result(NamedTuple):
    """The tests that passed and the first one that failed, by name; or why the run of pytest proves nothing."""

    passed: frozenset[str] = frozenset()
    failed: str = ""
    broken: str = ""


class Trial(NamedTuple):
    """The end of one mutation."""

    mutation: Mutation
    noticed_by: str = ""
    problem: str = ""


def copy_tree(source: Path, folder: Path, *, compiled: bool = True) -> Path:
    """Copy a tree into a new folder, without what its tests do not need.

    Args:
        compiled: whether Python's compiled files come too, from a tree in which nothing runs meanwhile. Without them a
            run of a single test takes three times as long.
    """
    target = Path(tempfile.mkdtemp(dir=folder))
    left_out = LEFT_OUT if compiled else (*LEFT_OUT, "__pycache__")
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*left_out), dirs_exist_ok=True)
    return target


def why_unfit(result: Result, tests: Sequence[str]) -> str:
    """Return why tests cannot judge a mutation, given their result without it; an empty text if they passed."""
    if result.failed:
        return f"{result.failed} fails without the change"
    if result.broken:
        return result.broken
    skipped = [name for test in tests if "::" in test and (name := test.rpartition("::")[2]) not in result.passed]
    return f"{skipped[0]} was skipped without the change" if skipped else ""


def attempt(source: Path, folder: Path, mutation: Mutation, url: str) -> Trial:
    """Run the tests of a mutation in a copy of the tree that has it."""
    tree = copy_tree(source, folder)
    try:
        file = tree / mutation.file
        try:
            changed = mutation.apply(file.read_text())
            if file.suffix == ".py":
                compile(changed, mutation.file, "exec")
        except (OSError, ValueError, SyntaxError) as error:
            return Trial(mutation, problem=str(error))
        file.write_text(changed)  # it is newer than the compiled file, so Python compiles it again
        result = run_tests(tree, mutation.tests, url, "--exitfirst")
    finally:
        shutil.rmtree(tree)
    problem = result.broken or ("" if result.failed else "survived: no test failed")
    return Trial(mutation, result.failed, problem)


_running: set[subprocess.Popen[bytes]] = set()


def stop() -> None:
    """End the running tests."""
    for process in list(_running):
        process.terminate()


def run_tests(tree: Path, tests: Sequence[str], url: str, *options: str) -> Result:
    """Run tests in a tree, one after the other: on SQLite, or on the PostgreSQL server of a URL."""
    report = tree / f"junit-{threading.get_ident()}.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", f"--junitxml={report}"]
    if url:
        command += ["-k", "postgresql"]
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "TEST_POSTGRES_URL")}
    if url:
        environment["TEST_POSTGRES_URL"] = url
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [*command, *options, *tests],
            cwd=tree, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
        _running.add(process)
        try:
            process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return Result(broken=f"its tests took more than {LONGEST} seconds")
        finally:
            _running.discard(process)
        output.seek(0)
        printed = output.read()
    if not report.exists():
        return Result(broken=f"pytest did not run: {printed.strip()[-500:]}")
    result = read_report(report)
    report.unlink()
    return result


def read_report(report: Path) -> Result:
    """Return the result in pytest's JUnit report. An error outside of a test's own body is no failure of a test."""
    passed, failed = set[str](), ""
    for case in ElementTree.parse(report).iter("testcase"):
        name = str(case.get("name")).partition("[")[0]
        if (error := case.find("error")) is not None:
            return Result(broken=f"an error in {name or case.get('classname')}: {error.get('message')}"[:500])
        if (failure := case.find("failure")) is not None:
            message = str(failure.get("message"))
            if message.startswith(SLIPS):
                return Result(broken=f"{name} fails for a reason of no meaning: {message[:200]}")
            failed = failed or name
        elif case.find("skipped") is None:
            passed.add(name)
    return Result(frozenset(passed), failed, "" if passed or failed else "no test ran")
