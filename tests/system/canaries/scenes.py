"""Everything that can be done with a PIN on the screens, right and wrong, with and without failures."""

import json
import re
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.test import Client, override_settings

from eventstore.models import CommandRecord, Event
from tests.support.helpers import client_of
from tests.support.statements import watched
from tests.system.canaries.world import Clock, Other, Seen, see_mail

FAULTS = (2, 7, 12, 18)
"""The numbers of the statements of a request that fail, one at a time."""
HTMX = {"HX-Request": "true"}
PAGES = ("/", "/accounts/", "/days/", "/admin/eventstore/event/", "/admin/eventstore/commandrecord/",
         "/admin/eventstore/snapshot/", "/admin/projections/statementline/", "/admin/projections/refusedwithdrawal/",
         "/admin/projections/accountsummary/", "/admin/projections/moneytransfer/", "/admin/projections/checkpoint/",
         "/transfers/", "/tills/", "/tills/1/1/", "/tills/1/2/", "/admin/projections/tillshift/",
         "/admin/projections/tillmovement/")  # fmt: skip


class Fault(RuntimeError):
    """A failure in the middle of a command."""


class Bank:
    """The users of a bank, at their browsers."""

    def __init__(self, seen: Seen, clock: Clock, other: Other) -> None:
        self.seen, self.clock, self.other = seen, clock, other
        self.teller = client_of("tina", "Tellers", date_joined=clock.now)
        self.supervisor = client_of("sue", "Supervisors", date_joined=clock.now)
        self.inspector = client_of("root", is_staff=True, is_superuser=True, date_joined=clock.now)
        for client in (self.teller, self.supervisor, self.inspector):
            client.raise_request_exception = False

    def pin(self, pin: int) -> str:
        """Return the text typed in this world for a PIN."""
        return f"{self.other(pin % 10_000):04}"

    def see(self, response: Any, *, what: str = "answer") -> Any:
        """Record a whole answer. Follow redirects one at a time."""
        cookies = sorted(morsel.OutputString() for morsel in response.cookies.values())
        self.seen.see(what, (response.status_code, sorted(response.headers.items()), cookies, response.content))
        return response

    def send(self, client: Client, path: str, *, see: bool = True, headers: Any = None, **fields: str) -> Any:
        """Fetch a form, send it, and follow the answer."""
        self.clock.forward()
        page = client.get(path)
        found = re.search(r'name="command_id" value="([^"]+)"', page.content.decode())
        command_id = found[1] if found else str(uuid4())
        response = client.post(path, {"command_id": command_id, **fields}, headers=headers or {})
        if see:
            self.see(page)
            self.see(response)
            if where := response.headers.get("Location"):
                self.see(client.get(where))
        see_mail(self.seen)
        return response

    # Scenes

    def business(self, number: int, pin: int) -> None:
        """Open an account, and do everything possible with its PIN."""
        right, wrong, new = self.pin(pin), self.pin(pin + 1), self.pin(pin + 2)
        account = f"/accounts/{number}"
        opening: Any = {"account_id": str(number), "account_holder": "Josh"}
        for mistyped in ("", f"{right}7", right[:3], f"{right[:3]}x", f"-{right}"):
            self.send(self.teller, "/accounts/open/", **opening, pin=mistyped)
        for _ in range(2):  # the second time the account exists
            self.send(self.teller, "/accounts/open/", **opening, pin=right)
        self.send(self.teller, f"{account}/deposit/", amount="1000", pin=right)
        self.send(self.teller, f"{account}/withdraw/", amount="nonsense", pin=right)
        self.send(self.teller, f"{account}/withdraw/", amount="5", pin=f"{right}7", headers=HTMX)
        self.send(self.teller, f"{account}/withdraw/", amount="5", pin=right)
        self.send(self.teller, f"{account}/withdraw/", amount="5000", pin=right, headers=HTMX)
        for headers in ({}, HTMX):
            sends: Any = {"path": f"{account}/transfer/", "to_account_id": "999999", "headers": headers}
            self.send(self.teller, **sends, amount="1x", pin=right)
            self.send(self.teller, **sends, amount="5", pin=f"{right}7")
            self.send(self.teller, **sends, amount="5", pin=right)
        self.wrong_field(account, right)
        self.in_the_address(account, right)
        for _ in range(2):
            self.send(self.teller, f"{account}/withdraw/", amount="5", pin=wrong)
            self.send(self.teller, f"{account}/transfer/", to_account_id="999999", amount="5", pin=wrong)
        self.send(self.teller, f"{account}/withdraw/", amount="5", pin=right)
        self.send(self.supervisor, f"{account}/unlock/")
        self.send(self.supervisor, f"{account}/pin/", pin=new, pin_again=wrong)
        self.send(self.supervisor, f"{account}/pin/", pin=new, pin_again=new)
        self.send(self.teller, f"{account}/withdraw/", amount="5", pin=new)
        if number == 2:
            self.send(self.teller, "/tills/open/", till_id="1", amount="100")
        if number > 1:  # failures are tried at the first account
            self.correct_and_close(account, new, wrong)
        if number == 2:
            self.count_till("/tills/1/1")

    def correct_and_close(self, account: str, right: str, wrong: str) -> None:
        """Reverse the last withdrawal, pay everything out, and close the account."""
        self.send(self.teller, f"{account}/close/", pin=right)  # there is money
        paid = CommandRecord.objects.filter(name="withdraw_money_from_bank_account").latest("position")
        self.send(self.supervisor, f"/receipts/{paid.pk}/reverse/", reason="Typed twice")
        self.send(self.teller, f"{account}/withdraw/", amount="995", pin=right)
        self.send(self.teller, f"{account}/close/", pin=wrong, headers=HTMX)
        self.send(self.teller, f"{account}/close/", pin=f"{right}7")
        self.send(self.teller, f"{account}/close/", pin=right)
        self.send(self.teller, f"{account}/withdraw/", amount="5", pin=right)

    def count_till(self, till: str) -> None:
        """Look at the teller's till, which is short by now, and count and close it."""
        self.see(self.teller.get("/till/"))
        for task in ("bring", "take"):
            self.send(self.teller, f"{till}/{task}/", amount="20")
        for pieces, more in (("3", {"add_up": "1"}), ("a few", {}), ("3", {})):
            fields: Any = {"pieces_100": pieces, **more}
            self.send(self.teller, f"{till}/close/", **fields)

    def wrong_field(self, account: str, right: str) -> None:
        """Type the PIN into the amount field. Only that page may show it again."""
        self.send(self.teller, f"{account}/withdraw/", amount=f"{right}x", pin="", see=False)
        self.send(self.teller, f"{account}/withdraw/", amount=right, pin="", see=False)

    def in_the_address(self, account: str, right: str) -> None:
        """Put the PIN into a URL, as a form sent with GET would."""
        for path in (f"{account}/withdraw/", f"{account}/transfer/", "/accounts/open/", account + "/", "/days/"):
            self.see(self.teller.get(path, {"pin": right, "amount": "5"}))

    def faults(self, number: int, pin: int, at: Sequence[int]) -> int:
        """Fail each statement in turn of each task with a PIN, and record every report. The teller has a till."""
        self.send(self.teller, "/tills/open/", till_id="1", amount="100")
        failed = 0
        right, new = self.pin(pin), self.pin(pin + 2)
        tasks: list[tuple[Client, str, dict[str, str]]] = [
            (self.teller, f"/accounts/{number}/withdraw/", {"amount": "5", "pin": right}),
            (self.teller, f"/accounts/{number}/close/", {"pin": right}),
            (self.teller, f"/accounts/{number}/transfer/", {"to_account_id": "999999", "amount": "5", "pin": right}),
            (self.supervisor, f"/accounts/{number}/pin/", {"pin": new, "pin_again": new}),
            (self.teller, "/accounts/open/", {"account_id": "999", "account_holder": "Josh", "pin": right}),
        ]
        for client, path, fields in tasks:
            for statement in at:
                for debug in (False, True):
                    failed += self.fail(client, path, fields, statement, debug=debug)
        return failed

    def fail(self, client: Client, path: str, fields: dict[str, str], statement: int, *, debug: bool) -> bool:
        """Send a form while its n-th statement fails. Return whether there was such a statement."""
        sent = 0

        def trip(connection: Any, sql: str) -> None:
            nonlocal sent
            sent += 1
            if sent == statement:
                raise Fault("something went wrong")

        self.clock.forward()
        values = {"command_id": str(uuid4()), **fields}
        with override_settings(DEBUG=debug), watched(before=trip):
            for accept in ("text/html", "text/plain"):
                sent = 0
                response = client.post(f"{path}?pin={fields['pin']}", values, headers={"Accept": accept})
                self.see(response, what=f"failure at {statement}")
                if response.status_code != 500:
                    break
        see_mail(self.seen)
        return response.status_code == 500

    def inspect(self) -> None:
        """Open every admin page of the record, and the log as JSON."""
        for path in PAGES:
            self.see(self.inspector.get(path))
        for event in Event.objects.order_by("-position")[:40]:
            self.see(self.inspector.get(f"/admin/eventstore/event/{event.position}/change/"))
            self.seen.see("event", json.dumps([event.data, event.metadata]))
        for record in CommandRecord.objects.order_by("-received_at")[:40]:
            self.see(self.inspector.get(f"/admin/eventstore/commandrecord/{record.pk}/change/"))
            self.seen.see("record", (record.message, record.reason, record.name, str(record)))
        self.seen.see("users", list(User.objects.values_list("username", flat=True)))
