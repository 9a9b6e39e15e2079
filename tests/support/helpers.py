"""Helpers of several tests."""

import re
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Group, User
from django.test import Client

PASSWORD = "correct horse"
HTMX = {"HX-Request": "true"}


def make_user(name: str, group: str = "", **extra: Any) -> User:
    """Create a user in a group that a copied bank already has."""
    user = User.objects.create_user(name, password=PASSWORD, **extra)
    if group:
        user.groups.add(Group.objects.get(name=group))
    return user


def client_of(name: str, group: str = "", **extra: Any) -> Client:
    """Return a client that is logged in as a new user of a group."""
    client = Client()
    client.force_login(make_user(name, group, **extra))
    return client


def log_in(client: Client, name: str = "tina", password: str = PASSWORD) -> Any:
    """Send the log-in form, and return the answer."""
    return client.post("/login/", {"username": name, "password": password})


def key_of(client: Client) -> str:
    """Return the key of a client's session."""
    return str(client.cookies["sessionid"].value)


def text_of(response: Any) -> str:
    """Return the text of a page without tags and styles."""
    return re.sub(r"\s+", " ", re.sub(r"<style.*?</style>|<[^>]+>", " ", response.content.decode(), flags=re.DOTALL))


def command_id_in(response: Any) -> str:
    """Return the command id of the first form on a page."""
    found = re.search(r'name="command_id" value="([^"]+)"', response.content.decode())
    assert found, "the page has a form with a command id"
    return found[1]


def send(client: Client, url: str, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    """Send a form with a new command id unless one is given."""
    return client.post(url, {"command_id": str(uuid4()), **fields}, headers=headers or {})


def open_till(client: Client, till_id: str = "7", amount: str = "500") -> Any:
    return send(client, "/tills/open/", till_id=till_id, amount=amount)
