"""Only the backends distinguish the kinds of databases."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
BELOW = ("eventstore/backends/", "eventstore/sqlite/")
KINDS = {"sqlite", "postgresql"}


def comparisons(source: str) -> list[int]:
    """Return the lines that use Django's `vendor`, or compare something with the name of a kind of database."""
    lines = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(attr="vendor"):
                lines.add(node.lineno)
            case ast.Compare(left=left, comparators=others):
                if any(isinstance(each, ast.Constant) and each.value in KINDS for each in [left, *others]):
                    lines.add(node.lineno)
    return sorted(lines)


def test_no_module_above_the_backends_compares_the_kind_of_a_database() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for room in ("bank", "eventstore", "projections")
        for path in (ROOT / room).rglob("*.py")
        if "migrations" not in path.parts and not str(path.relative_to(ROOT)).startswith(BELOW)
        for line in comparisons(path.read_text())
    ]
    assert found == []


def test_a_comparison_is_found_whichever_way_it_is_written() -> None:
    assert comparisons('if connection.vendor == "sqlite": ...\nif "postgresql" == backend.name: ...') == [1, 2]
    assert comparisons('backend.file\nRECORD[backend.name]\n"sqlite"') == []
