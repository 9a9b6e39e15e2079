"""`manage.py start`: opens the bank in one command, also from a fresh clone."""

import gc
import os
import secrets
import signal
import socket
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.core.checks import Tags
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections, transaction
from django.http.request import validate_host

from bank.application import currency
from bank.operations import data_files, demo, roles, server, static_files
from bank.operations.processes import CannotStart, Processes
from eventstore.backends import backend_of
from eventstore.errors import is_outage
from eventstore.private_files import make_folder
from projections import engine
from projections.workers import resume

MAX_WORKERS = 64
BACKLOG = 1024
"""The number of connections that the system queues until a web process accepts them."""


class FirstUser(NamedTuple):
    """A user that the first start creates."""

    name: str
    group: str = ""
    is_staff: bool = False
    is_superuser: bool = False

    @property
    def variable(self) -> str:
        """The environment variable for the password."""
        return f"BANK_{self.name.upper()}_PASSWORD"


FIRST_USERS = [FirstUser("teller", "Tellers"), FirstUser("admin", is_staff=True, is_superuser=True)]
DEMO_USERS = [FirstUser("supervisor", "Supervisors"), FirstUser("auditor", "Auditors", is_staff=True)]


class Command(BaseCommand):
    help = "Create everything that is missing, and serve the bank."
    requires_system_checks = ()  # they open the databases, so they run after the port is bound

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=1, help="web processes that share the port; default 1")
        parser.add_argument("--demo", action="store_true", help="fill an empty bank with some weeks of business")

    def handle(self, *args: Any, host: str, port: int, workers: int, **options: Any) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the start without a traceback
        listener = bind(host, port)
        check_first_passwords(options["demo"])
        check_writable()
        check_databases()
        if not 1 <= workers <= MAX_WORKERS:
            raise CommandError(f"--workers is a number from 1 to {MAX_WORKERS}.")
        self.check()
        with backend_of().process_lock("start", wait=True):  # several web servers may start at once
            credentials = self.prepare(options["demo"])
        self.check(tags=[Tags.database], databases=["projections"])  # it needs the migrated table of checkpoints
        self.stdout.write(f"\nThe bank is open at {listen(listener, host)}\n")
        for name, password in credentials:
            self.stdout.write(f"    user {name:10} password {password}")
        if credentials:
            self.stdout.write("These passwords are shown only now. Ctrl-C closes the bank.\n")
        self.stdout.flush()
        close_databases()
        serve(listener, workers)

    def prepare(self, with_demo: bool) -> list[tuple[str, str]]:
        """Create everything that is missing. Return the name and password text of each first user."""
        for alias in connections:
            if alias not in settings.PROJECTIONS_REPLICAS:
                call_command("migrate", database=alias, verbosity=0, interactive=False)
        try:
            currency.settle()
        except currency.WrongCurrency as fault:
            raise CommandError(str(fault)) from fault
        roles.make_groups()
        static_files.collect()
        call_command("clearsessions")
        if settings.PROJECTION_MODE == "inline":
            engine.catch_up()
            resume.resume()
        if with_demo and not demo.fill():
            self.stdout.write("The bank is not empty, so the demonstration leaves it alone.")
        return make_first_users(with_demo)


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to this address that does not listen yet.

    Raises:
        CommandError: the address cannot be bound.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except (OSError, OverflowError, UnicodeError) as error:
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        raise CommandError(f"Cannot serve on {place}: {error}. Choose another with --port.") from error
    return listener


def first_users(with_demo: bool) -> list[FirstUser]:
    """Return the users that a first start creates. The demonstration has one of each role."""
    return FIRST_USERS + (DEMO_USERS if with_demo else [])


def check_first_passwords(with_demo: bool) -> None:
    """Raise CommandError if the password validators refuse the password of a first user."""
    faults = []
    for each in first_users(with_demo):
        try:
            if password := os.environ.get(each.variable, ""):
                password.encode()
                validate_password(password, User(username=each.name))
        except UnicodeEncodeError:
            faults.append(f"{each.variable}: This password is not UTF-8 text.")
        except ValidationError as error:
            faults += [f"{each.variable}: {message}" for message in error.messages]
    if faults and not has_users():
        raise CommandError("\n".join(["A password of the environment is refused. Nothing was made.", *faults]))


def has_users() -> bool:
    """Return whether users exist, without creating a database. An unavailable database may have some."""
    if not backend_of().exists():
        return False
    try:
        return User.objects.exists()
    except DatabaseError as error:
        return is_outage(error)  # `check_databases` reports it; without the users table nothing is migrated


def check_writable() -> None:
    """Close the bank's files to other users. Raise CommandError if the data folder is not writable."""
    try:
        make_folder(settings.DATA_DIR)
        data_files.close()
        with tempfile.TemporaryFile(dir=settings.DATA_DIR):
            pass
    except OSError as error:
        raise CommandError(
            f"The data folder cannot be written to: {error}. Choose another with BANK_DATA_DIR."
        ) from error


def check_databases() -> None:
    """Raise CommandError with the server's message unless both databases answer. Replicas may start later."""
    for alias in ("default", "projections"):
        try:
            backend_of(alias).check_connection()
        except DatabaseError as error:
            raise CommandError(f"The database '{alias}' does not answer: {error}") from error


@transaction.atomic(using="default")
def make_first_users(with_demo: bool) -> list[tuple[str, str]]:
    """Create a teller and an administrator if there is no user. Return their names and password texts.

    `check_first_passwords` has accepted the given passwords.
    """
    if User.objects.exists():
        return []
    passwords = []
    for each in first_users(with_demo):
        given = os.environ.get(each.variable, "")
        password = given or secrets.token_urlsafe(12)
        user = User.objects.create_user(
            each.name, password=password, is_staff=each.is_staff, is_superuser=each.is_superuser
        )
        user.groups.set(Group.objects.filter(name=each.group))
        passwords.append((each.name, f"(from {each.variable})" if given else password))
    return passwords


def close_databases() -> None:
    """Close every connection and pool: web processes are forks, and neither survives a fork."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()


def listen(listener: socket.socket, host: str) -> str:
    """Listen on the socket, and return the address to open in a browser.

    The operator's host joins `ALLOWED_HOSTS`.

    Raises:
        CommandError: another process listens there by now.
    """
    try:
        listener.listen(BACKLOG)
    except OSError as error:
        raise CommandError(f"Cannot serve on {host}: {error}. Choose another with --port.") from error
    address, port = listener.getsockname()[:2]
    ip = ip_address(address.partition("%")[0])
    if ip.is_unspecified:  # all addresses of this machine
        ip = ip_address("::1" if ip.version == 6 else "127.0.0.1")
    else:
        settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, host, bracketed(ip)]
    name = bracketed(ip)
    if not validate_host(name, settings.ALLOWED_HOSTS) and settings.ALLOWED_HOSTS:
        name = settings.ALLOWED_HOSTS[0].lstrip(".")
    if settings.BANK_PUBLIC_URL:
        return f"{settings.BANK_PUBLIC_URL.rstrip('/')}/ (the proxy finds it on {name}:{port})"
    return f"http://{name}:{port}/"


def bracketed(ip: IPv4Address | IPv6Address) -> str:
    return f"[{ip}]" if ip.version == 6 else str(ip)


def serve(listener: socket.socket, workers: int) -> None:
    """Serve until SIGTERM or Ctrl-C, and finish the requests in flight.

    Raises:
        CommandError: no web process can start.
    """
    os.environ["DJANGO_SETTINGS_MODULE"] = settings.SETTINGS_MODULE
    from bank.screens.live import pulse
    from bank.wsgi import application, work_in_background

    def work(ready: Callable[[], None], parent: int) -> None:
        work_in_background()
        limits = settings.WEB_THREADS, settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        server.serve(listener, application, pulse.at_once, *limits, ready, parent)

    gc.freeze()  # web processes share the loaded objects, so the collector skips them
    try:
        Processes(workers, work).run()
    except CannotStart as error:
        raise CommandError("The bank cannot start: a web process failed. The log above says why.") from error
