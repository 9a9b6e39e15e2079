"""`manage.py backup DIR [--with-keys]`"""

import re
import shlex
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections

from bank.operations import backup
from eventstore import store
from eventstore.backends import backend_of
from eventstore.progress import ProgressBar

NOT_DONE = 2
"""The exit code if another program has to make the backup."""


class Command(BaseCommand):
    help = (
        "Copy the write side of a bank on SQLite into a new folder, while the bank is open, and verify the copy. "
        "For a bank on PostgreSQL, print what to run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", metavar="DIR", type=Path, help="the folder to create; it must not exist")
        parser.add_argument("--with-keys", action="store_true", help="include the keys, for anyone who has the backup")

    def handle(self, *args: Any, folder: Path, with_keys: bool, **options: Any) -> None:
        if not backend_of().file:
            self._say_what_to_run(folder)
        try:
            pages = ProgressBar(self.stdout, backup.page_count(), "pages")
            events = ProgressBar(self.stdout, store.count_events())
            with pages, events:
                head = backup.back_up(folder, keys=with_keys, copied=pages.update, verified=events.update)
        except (backup.NoBackup, DatabaseError) as error:
            raise CommandError(f"No backup was made: {error}") from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted. No backup was made.") from None
        self.stdout.write(
            f"{folder} has {head.events:,} events up to position {head.position}, verified, and their head."
        )
        self.stdout.write(
            "The keys are in it as well: keep it as safe as the PINs."
            if with_keys
            else "The keys are not in it. Without PIN_KEYS no PIN is right, without SEAL_KEYS nothing can be verified: "
            "keep them elsewhere, or take a backup --with-keys."
        )

    def _say_what_to_run(self, folder: Path) -> None:
        config = connections[store.WRITE_SIDE].settings_dict
        user, host, name = (quote(str(config[key]), safe="") for key in ("USER", "HOST", "NAME"))
        place = f"{host}:{config['PORT']}" if config["PORT"] else host
        schema = re.search(r"search_path=(\w+)", str(config["OPTIONS"].get("options")))
        only = f"--schema={schema[1]} " if schema else ""
        url = f"postgresql://{f'{user}@' if user else ''}{place}/{name}"
        self.stdout.write(
            f"umask 077 && mkdir {shlex.quote(str(folder))}\n"
            f"uv run manage.py export_head > {shlex.quote(f'{folder}/head.json')}\n"
            f"pg_dump --format=custom --no-owner --no-privileges {only}"
            f"--file={shlex.quote(f'{folder}/bank.dump')} "
            f"{shlex.quote(url)}"
        )
        raise CommandError(
            "No backup was made: on PostgreSQL it is for pg_dump to make. The above does it, beside the open bank; the "
            "password comes from ~/.pgpass or PGPASSWORD. The keys are not in it.",
            returncode=NOT_DONE,
        )
