"""nginx in front of a web process, with the site of `docs/deploy/nginx.conf` and a certificate of its own."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.postgres import free_port
from tests.support.programs import PATIENCE, ROOT

SITE = ROOT / "docs/deploy/nginx.conf"
MAIN = """
{user}
daemon off;
pid {folder}/nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""
CERTIFICATE = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]


def find(name: str) -> str:
    """Return the path of a program. Skip the test if it is not installed; fail in CI."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"CI needs {name} for this test")
        pytest.skip(f"there is no {name} on this machine")
    return found


@contextmanager
def in_front_of(port: int, https: int, folder: Path, path: str = "/", removes: bool = False) -> Iterator[int]:
    """Serve https on a port of localhost, and yield the port on which http is redirected.

    Args:
        path: the path below which the bank is.
        removes: whether nginx removes the path from what it passes on.
    """
    nginx, http = find("nginx"), free_port()
    folder.mkdir()
    key, certificate = folder / "key", folder / "certificate"
    subprocess.run(
        [find("openssl"), *CERTIFICATE, "-keyout", key, "-out", certificate], check=True, capture_output=True
    )
    site = SITE.read_text()
    for text, instead in {
        "listen 80;": f"listen 127.0.0.1:{http};",
        "listen 443 ssl;": f"listen 127.0.0.1:{https} ssl;",
        "server_name bank.example;": "server_name localhost;",
        "/etc/ssl/bank.example.pem": str(certificate),
        "/etc/ssl/private/bank.example.key": str(key),
        "http://127.0.0.1:8000;": f"http://127.0.0.1:{port}{'/' if removes else ''};",
        "location / {": f"location {path} {{",
    }.items():
        assert text in site, text
        site = site.replace(text, instead)
    (folder / "site.conf").write_text(site)
    (folder / "main.conf").write_text(MAIN.format(folder=folder, user="user root;" if os.getuid() == 0 else ""))
    with subprocess.Popen([nginx, "-p", folder, "-c", folder / "main.conf", "-e", folder / "error.log"]) as process:
        try:
            wait_for(https, process, folder / "error.log")
            yield http
        finally:
            process.terminate()


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(log.read_text())
