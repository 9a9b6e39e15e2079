"""`manage.py reset_second_factor USER`: for a lost phone, if nobody else can reset it in the admin."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from bank.access import second_factor, security_log


class Command(BaseCommand):
    help = "Remove a user's second factor and end all of the user's sessions."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username!r}.")
        had_one = second_factor.reset(user)
        security_log.log("Second factor reset by a command", None, username)
        self.stdout.write(
            f"{username} has no second factor now; all sessions are ended."
            if had_one
            else f"{username} had no second factor; all sessions are ended."
        )
