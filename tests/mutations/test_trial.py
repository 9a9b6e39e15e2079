"""A mutation counts as noticed only if a test fails because of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from . import trial
from .mutation import Mutation
from .rooms import ROOMS

LIMIT = "LIMIT = 10\n\n\ndef is_allowed(amount):\n    return amount <= LIMIT\n"
TESTS = """
import pytest
from limit import is_allowed


@pytest.fixture
def allowed():
    assert is_allowed(1)


def test_the_limit_is_allowed():
    assert is_allowed(10)


def test_a_little_is_allowed(allowed):
    assert is_allowed(1)
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small project of its own."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "limit.py").write_text(LIMIT)
    (tree / "test_limit.py").write_text(TESTS)
    (tree / "pytest.ini").write_text("[pytest]\naddopts = -p no:django\n")
    return tree


def attempt(tree: Path, text: str, instead: str) -> trial.Trial:
    mutation = Mutation("It is wrong.", "limit.py", text, instead, ["test_limit.py"])
    return trial.attempt(tree, tree.parent, mutation, "")


def test_a_mutation_that_a_test_fails_with_is_noticed_by_that_test_and_changes_no_file(tree: Path) -> None:
    assert attempt(tree, "<= LIMIT", "< LIMIT")[1:] == ("test_the_limit_is_allowed", "")
    assert (tree / "limit.py").read_text() == LIMIT
    assert [each.name for each in tree.parent.iterdir()] == ["tree"], "no copy is left"


def test_a_mutation_that_no_test_fails_with_has_survived(tree: Path) -> None:
    assert attempt(tree, "= 10", "= 11")[1:] == ("", "survived: no test failed")


@pytest.mark.parametrize(
    ("text", "instead", "problem"),
    [
        ("= 10", "= (10", "was never closed"),
        ("= 10", "= ten", "no test ran|an error in"),
        ("<= LIMIT", "<= LIMITS", "for a reason of no meaning: NameError"),
        ("<= LIMIT", "== LIMIT", "an error in test_a_little_is_allowed"),
        ("= 12", "= 13", "has the text 0 times, not once"),
        ("LIMIT", "MOST", "has the text 2 times, not once"),
    ],
    ids=["no Python", "no import", "no name", "no fixture", "no such text", "the text twice"],
)
def test_a_mutation_that_breaks_no_test_does_not_count_as_noticed(
    tree: Path, text: str, instead: str, problem: str
) -> None:
    noticed_by, message = attempt(tree, text, instead)[1:]
    assert noticed_by == ""
    assert any(each in message for each in problem.split("|")), message


@pytest.mark.parametrize(
    ("test", "why"),
    [
        ("assert is_allowed(10)", ""),
        ("assert is_allowed(11)", "test_one fails without the change"),
        ("pytest.skip()", "test_one was skipped without the change"),
    ],
)
def test_tests_that_fail_or_are_skipped_without_a_change_judge_nothing(tree: Path, test: str, why: str) -> None:
    (tree / "test_limit.py").write_text(f"{TESTS}\n\ndef test_one():\n    {test}\n")
    result = trial.run_tests(tree, ["test_limit.py"], "")
    assert trial.why_unfit(result, ["test_limit.py::test_one"]) == why


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--list"], 0, ROOMS["domain"][0].breaks),
        (["--only", "no such name"], 1, "No mutation has no such name in its name"),
        (["--only", "PIN", "--write"], 2, "does not go with --only"),
        (["--jobs", "0"], 2, "--jobs is at least 1"),
    ],
)
def test_the_program_prints_its_options(arguments: list[str], status: int, message: str) -> None:
    done = subprocess.run([sys.executable, "-m", "tests.mutations", *arguments], capture_output=True, text=True)
    assert done.returncode == status
    assert message in done.stdout + done.stderr
