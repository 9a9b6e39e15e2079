"""The changes that a document shows in blocks of `diff`, and a copy of the project to which they are made."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.mutations.trial import copy_tree

ROOT = Path(__file__).parents[3]


class Step(NamedTuple):
    """A block of a recipe: the changed file, and for each of its places the lines before and after."""

    path: str
    places: list[tuple[str, str]]


def steps_of(document: str) -> list[Step]:
    """Return the steps of a document in `docs/`."""
    blocks = re.findall(r"^```diff\n--- (\S+)\n(.*?)^```$", (ROOT / "docs" / document).read_text(), re.M | re.S)
    return [Step(path, [_place(hunk) for hunk in block.split("@@\n")]) for path, block in blocks]


def _place(hunk: str) -> tuple[str, str]:
    lines = hunk.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    return before, after


class Copy:
    """A copy of the project, with the tests, in which commands run."""

    def __init__(self, folder: Path) -> None:
        self.folder = copy_tree(ROOT, folder, compiled=False)
        (self.folder / "data").mkdir(mode=0o700, exist_ok=True)

    def apply(self, step: Step) -> None:
        """Make the change of a step. The lines that it names stand in the file exactly once."""
        file = self.folder / step.path
        text = file.read_text() if file.exists() else ""
        for before, after in step.places:
            assert not before or f"\n{text}".count(f"\n{before}") == 1, f"{step.path} has not once:\n{before}"
            text = f"\n{text}".replace(f"\n{before}", f"\n{after}", 1)[1:] if before else text + after
        file.write_text(text)

    def replace(self, path: str, before: str, after: str) -> None:
        """Replace a text that occurs once in a file."""
        file = self.folder / path
        assert file.read_text().count(before) == 1, f"{path} has not once: {before}"
        file.write_text(file.read_text().replace(before, after))

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run Python in the copy, and return its exit code and output."""
        environment = {name: value for name, value in os.environ.items() if name not in ("CI", "TEST_POSTGRES_URL")}
        environment |= {"BANK_DATA_DIR": str(self.folder / "data")}
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def test(self, *tests: str) -> tuple[int, str]:
        return self.run("-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *tests)

    def mypy(self) -> tuple[int, str]:
        """Check the types of all but the tests, beginning with what the last check of the project left behind."""
        if (ROOT / ".mypy_cache").exists():
            shutil.copytree(ROOT / ".mypy_cache", self.folder / ".mypy_cache", dirs_exist_ok=True)
        return self.run("-m", "mypy", "bank", "eventstore", "projections")

    def lint_imports(self) -> tuple[int, str]:
        return self.run(str(Path(sys.executable).with_name("lint-imports")))
