"""Pins the dependencies of our dependencies in `[tool.uv] constraint-dependencies`, so that every machine has the same.

uv run python .ci/constraints.py            writes the list as resolved today
uv run python .ci/constraints.py --check    fails where the list is not what is resolved under it
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def name_of(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match, requirement
    return re.sub(r"[-_.]+", "-", match.group()).lower()


def main() -> int:
    text = PYPROJECT.read_text()
    project = tomllib.loads(text)
    direct = {name_of(each) for each in project["project"]["dependencies"]}
    direct |= {name_of(each) for group in project["dependency-groups"].values() for each in group}
    exported = subprocess.run(
        ["uv", "export", "--all-groups", "--no-hashes", "--no-annotate", "--no-header", "--quiet"],
        cwd=PYPROJECT.parent,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    pins = sorted({line.split(";")[0].strip() for line in exported.splitlines() if "==" in line})
    pins = [pin for pin in pins if name_of(pin) not in direct]
    lines = "".join(f'    "{pin}",\n' for pin in pins)
    wanted = f"constraint-dependencies = [\n{lines}]\n"
    new, found = re.subn(r"constraint-dependencies = \[\n.*?\]\n", wanted, text, flags=re.DOTALL)
    if not found:
        new = text.replace("[tool.uv]\npackage = false\n", f"[tool.uv]\npackage = false\n{wanted}")
    if "--check" in sys.argv:
        if new != text:
            print("The pinned versions in pyproject.toml are not current: uv run python .ci/constraints.py")
        return int(new != text)
    PYPROJECT.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
