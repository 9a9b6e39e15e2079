"""The files of `docs/deploy`: the systemd unit and the container file. `browser/test_proxy.py` tests nginx's site."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.nginx import find
from tests.support.postgres import free_port
from tests.support.programs import PATIENCE, ROOT, environment

UNIT = (ROOT / "docs/deploy/bank-teller.service").read_text()
CONTAINER = (ROOT / "docs/deploy/Containerfile").read_text()


def values_of(name: str) -> list[str]:
    """Return the values of a setting of the unit, or of an instruction of the container file."""
    return re.findall(rf"^{name}[ =](.*)$", UNIT + CONTAINER, re.MULTILINE)


@contextmanager
def serving(command: list[str], folder: Path, log: Path, data: Path) -> Iterator[int]:
    """Run a command that serves the bank, and yield its port. SIGTERM to its process group ends it with 0."""
    port = free_port()
    if "--port" in command:
        command[command.index("--port") + 1] = str(port)
    else:
        command += ["--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment(data), stdout=output, stderr=output, start_new_session=True
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while "Web process" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(PATIENCE) == 0, log.read_text()


def test_the_unit_is_valid_and_its_command_opens_the_bank(tmp_path: Path) -> None:
    [command], [folder] = values_of("ExecStart"), values_of("WorkingDirectory")
    python = f"{folder}/.venv/bin/python"
    assert command.startswith(f"{python} manage.py start ")
    unit = tmp_path / "bank-teller.service"
    unit.write_text(UNIT.replace(python, sys.executable).replace(folder, str(ROOT)))
    verified = subprocess.run(
        [find("systemd-analyze"), "verify", "--man=no", unit], capture_output=True, text=True, timeout=PATIENCE
    )
    assert (verified.returncode, verified.stderr) == (0, "")

    [data] = [value.removeprefix("BANK_DATA_DIR=") for value in values_of("Environment") if "BANK_DATA_DIR" in value]
    assert data == f"/var/lib/{values_of('StateDirectory')[0]}"
    arguments = [sys.executable, *shlex.split(command)[1:]]
    with serving(arguments, ROOT, tmp_path / "log", data=tmp_path / "data") as port:
        assert json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz"))["ready"] is True


def test_the_steps_of_the_container_file_make_a_bank_that_opens(tmp_path: Path) -> None:
    app, data = tmp_path / "app", tmp_path / "data"
    uv = os.environ.get("UV") or find("uv")
    for *sources, target in (line.split() for line in values_of("COPY")):
        for source in sources:
            into = app / target / (source if target == "./" else "")
            into.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            copy(ROOT / source, into)
    prepares_user, installs_uv, *steps = values_of("RUN")
    assert prepares_user.startswith("useradd ")
    assert f"```sh\n{installs_uv} && .uv/bin/uv run " in (ROOT / "README.md").read_text()
    (app / ".uv/bin").mkdir(parents=True)
    (app / ".uv/bin/uv").symlink_to(uv)
    for step in steps:
        built = subprocess.run(
            ["sh", "-c", step.replace(" --no-cache", "")],
            cwd=app,
            env={**environment(data), "UV_PYTHON": sys.executable},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert built.returncode == 0, built.stderr
    health, command = (json.loads(each) for each in re.findall(r"CMD (\[.*\])", CONTAINER))
    assert f"mkdir {values_of('VOLUME')[0]} " in prepares_user
    with serving(command, app, tmp_path / "log", data=data) as port:
        probe = [part.replace(":8000/", f":{port}/") for part in health]
        subprocess.run(probe, cwd=app, env=environment(data), check=True, timeout=PATIENCE)
    for part in ("pytest", "ruff"):
        assert not (app / ".venv/bin" / part).exists(), "the bank runs without what its developers need"
