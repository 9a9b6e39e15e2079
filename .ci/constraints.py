"""Pins the indirect dependencies in `[tool.uv] constraint-dependencies`, so that every machine has the same versions.

uv run --no-project .ci/constraints.py              writes the list; existing pins stay if possible
uv run --no-project .ci/constraints.py --upgrade    writes the list with the newest possible versions
uv run --no-project .ci/constraints.py --check      fails if the list differs from its own resolution
"""

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = ROOT / "pyproject.toml"
LIST = re.compile(r"constraint-dependencies = \[\n.*?\]\n", re.DOTALL)
EXPORT = ["uv", "export", "--all-groups", "--no-hashes", "--no-annotate", "--no-header", "--no-emit-project", "--quiet"]


def name_of(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match, requirement
    return re.sub(r"[-_.]+", "-", match.group()).lower()


def resolve(text: str) -> list[str]:
    """Return all dependencies of a pyproject.toml as plain pins, for any platform.

    The resolution runs in another folder, so that a lock file of this machine has no effect.

    Raises:
        subprocess.CalledProcessError: there is no resolution; uv has printed the reason.
    """
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / PYPROJECT.name).write_text(text)
        shutil.copy(ROOT / ".python-version", folder)
        exported = subprocess.run(EXPORT, cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout
    return sorted({line.split(";")[0].strip() for line in exported.splitlines() if "==" in line})


def with_list(text: str, pins: list[str]) -> str:
    """Return pyproject.toml with these pins as its list, except direct dependencies, which are pinned already."""
    project = tomllib.loads(text)
    groups = [project["project"]["dependencies"], *project["dependency-groups"].values()]
    direct = {name_of(each) for group in groups for each in group if isinstance(each, str)}  # or another group
    lines = "".join(f'    "{pin}",\n' for pin in pins if name_of(pin) not in direct)
    return LIST.sub(f"constraint-dependencies = [\n{lines}]\n", text)


def main() -> int:
    text = PYPROJECT.read_text()
    assert LIST.search(text), "[tool.uv] has a constraint-dependencies list, empty at first"
    try:
        pins = resolve(with_list(text, []) if "--upgrade" in sys.argv else text)
    except subprocess.CalledProcessError:
        if "--check" in sys.argv or "--upgrade" in sys.argv:
            return 1
        print("The pins no longer fit the direct dependencies; all are chosen anew.")
        pins = resolve(with_list(text, []))
    new = with_list(text, pins)
    if "--check" in sys.argv:
        if new != text:
            print("The pinned versions in pyproject.toml are not current: uv run --no-project .ci/constraints.py")
        return int(new != text)
    PYPROJECT.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
