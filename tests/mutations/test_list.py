"""The list of mutations matches the code and the document: quick checks between two full runs."""

import ast
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from .mutation import Mutation
from .report import BEGINNING, DOCUMENT
from .rooms import ROOMS

ROOT = Path(__file__).parents[2]
EVERY = [each for mutations in ROOMS.values() for each in mutations]


@cache
def names_in(file: str) -> set[str]:
    """Return the names of the tests in a file and of the classes that they are in."""
    tree = ast.parse((ROOT / file).read_text())
    return {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.ClassDef)}


@pytest.mark.parametrize("mutation", EVERY, ids=lambda each: each.breaks)
def test_a_mutation_changes_one_place_and_its_tests_are_there(mutation: Mutation) -> None:
    before = (ROOT / mutation.file).read_text()
    changed = mutation.apply(before)
    assert changed != before
    if mutation.file.endswith(".py"):
        compile(changed, mutation.file, "exec")
    assert mutation.tests, "a mutation names the tests that have to notice it"
    for test in mutation.tests:
        file, *names = test.split("::")
        assert names_in(file).issuperset(names), f"{test} is not there"
    assert mutation.database in ("sqlite", "postgresql")


def test_each_mutation_has_a_sentence_of_its_own_as_its_name() -> None:
    twice = [breaks for breaks, count in Counter(each.breaks for each in EVERY).items() if count > 1]
    assert twice == []
    assert all(each.breaks.endswith(".") and "|" not in each.breaks for each in EVERY)


def test_the_document_has_a_row_for_each_mutation() -> None:
    rows = [line.split(" | ")[:2] for line in (ROOT / DOCUMENT).read_text().partition(BEGINNING)[2].splitlines()]
    documented = [(row[0].removeprefix("| "), row[1].strip("`")) for row in rows if row[0].endswith(".") and row[1:]]
    assert documented == [(each.breaks, each.file) for each in EVERY], "run: uv run python -m tests.mutations --write"
