"""What several tests need."""

import re
from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client

PASSWORD = "correct horse"


def make_user(name: str, group: str = "", **extra: Any) -> User:
    """Make a user of a group, which a copied bank has already."""
    user = User.objects.create_user(name, password=PASSWORD, **extra)
    if group:
        user.groups.add(Group.objects.get(name=group))
    return user


def client_of(name: str, group: str = "", **extra: Any) -> Client:
    """Return a browser in which a new user of a group is logged in."""
    client = Client()
    client.force_login(make_user(name, group, **extra))
    return client


def text_of(response: Any) -> str:
    """Return what a page says, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def command_id_in(response: Any) -> str:
    """Return the command id of the first form on a page."""
    found = re.search(r'name="command_id" value="([^"]+)"', response.content.decode())
    assert found, "the page has a form with a command id"
    return found[1]
