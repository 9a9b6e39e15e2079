"""A teller at a browser without JavaScript: forms with their hidden fields, cookies, and redirects one at a time.

It speaks HTTP to a separate web process, and knows the paths and words of the screens.
"""

import re
from http.client import HTTPConnection, HTTPException
from typing import NamedTuple
from urllib.parse import urlencode

from tests.support.programs import PATIENCE, Web, cookies_of

HIDDEN = re.compile(r'<input type="hidden" name="([a-z_]+)" value="([^"]+)"')
FORM = "application/x-www-form-urlencoded"


class Answer(NamedTuple):
    """An answer. `location` is empty unless it is a redirect."""

    status: int
    text: str
    location: str

    @property
    def words(self) -> str:
        """The text of the page without tags and style sheets."""
        return re.sub(r"\s+", " ", re.sub(r"<style.*?</style>|<[^>]+>", " ", self.text, flags=re.DOTALL))


class Teller:
    """A teller at a browser.

    Args:
        port: the port of the web process on this machine; `move` changes it.
        patience: the seconds that an answer may take.
        stays: whether to keep one connection open until `close`. Otherwise each request opens its own.

    Each request may raise OSError or HTTPException, as the network does. The next request connects again.
    """

    def __init__(self, port: int, patience: float = PATIENCE, stays: bool = False) -> None:
        self.port, self.patience, self.stays = port, patience, stays
        self.cookies: dict[str, str] = {}
        self.hidden: dict[str, str] = {}
        self.path = ""
        """The current path of the browser."""
        self._connection: HTTPConnection | None = None

    def move(self, port: int) -> None:
        """Continue at another web process with the same cookies."""
        self.close()
        self.port = port

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def request(self, method: str, path: str, body: str = "", **headers: str) -> Answer:
        if self._connection is None:
            self._connection = HTTPConnection("127.0.0.1", self.port, timeout=self.patience)
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            text = response.read().decode()
        except (OSError, HTTPException):
            self.close()
            raise
        if not self.stays:
            self.close()
        self.cookies |= cookies_of(response.headers.get_all("Set-Cookie", []))
        return Answer(response.status, text, response.headers.get("Location", ""))

    def get(self, path: str) -> Answer:
        """Fetch a page, and store the hidden fields of its forms."""
        self.path = path
        answer = self.request("GET", path)
        self.hidden |= dict(HIDDEN.findall(answer.text))
        return answer

    def post(self, path: str, **fields: object) -> Answer:
        """Post a form. The hidden fields of the last page are included unless they are given."""
        values = {**self.hidden, **fields}
        return self.request("POST", path, urlencode(values), **{"Content-Type": FORM})

    def fill_in(self, path: str, **fields: object) -> Answer:
        """Fetch the form of a path, and post it."""
        page = self.get(path)
        assert page.status == 200, page.words
        return self.post(path, **fields)

    def log_in(self, name: str, password: str) -> None:
        answer = self.fill_in("/login/", username=name, password=password)
        assert answer.status == 302, answer.words

    # The tasks

    def open_account(self, account_id: int, holder: str = "Josh", pin: int = 1234) -> Answer:
        fields = {"account_id": account_id, "account_holder": holder, "pin": f"{pin:04}"}
        return self.receipt_of(self.fill_in("/accounts/open/", **fields))

    def deposit(self, account_id: int, amount: str) -> Answer:
        return self.receipt_of(self.fill_in(f"/accounts/{account_id}/deposit/", amount=amount))

    def withdraw(self, account_id: int, amount: str, pin: int = 1234) -> Answer:
        return self.receipt_of(self.fill_in(f"/accounts/{account_id}/withdraw/", amount=amount, pin=f"{pin:04}"))

    def transfer(self, account_id: int, to_account_id: int, amount: str, pin: int = 1234) -> Answer:
        fields = {"to_account_id": to_account_id, "amount": amount}
        form = f"/accounts/{account_id}/transfer/?{urlencode(fields)}"
        return self.receipt_of(self.fill_in(form, pin=f"{pin:04}", **fields))

    def receipt_of(self, answer: Answer) -> Answer:
        """Follow a task's redirect to its receipt."""
        assert answer.status == 303, answer.words
        receipt = self.get(answer.location)
        assert receipt.status == 200, receipt.words
        return receipt


def logged_in(web: Web, name: str, password: str) -> Teller:
    """Return a browser that is logged in."""
    teller = Teller(web.port)
    teller.log_in(name, password)
    return teller
