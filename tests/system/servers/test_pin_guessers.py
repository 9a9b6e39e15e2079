"""Fifty browsers guess a PIN at once, at several web processes of one bank."""

import copy
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

from tests.support.programs import PASSWORD, PATIENCE, Web, manage
from tests.support.teller import Teller, logged_in

GUESSERS = 50


def test_fifty_at_several_web_processes_get_three_looks_at_the_pin(webs: list[Web]) -> None:
    teller = logged_in(webs[0], "teller", PASSWORD)
    teller.open_account(1, pin=1234)
    teller.deposit(1, "100.00")
    teller.get("/accounts/1/withdraw/")
    gate = Barrier(GUESSERS)

    def guess(number: int) -> str:
        """Guess at the same time as all others, and return the heading of the receipt."""
        browser: Teller = copy.deepcopy(teller)
        browser.move(webs[number % 2].port)
        gate.wait(PATIENCE)
        return try_pin(browser, 2000 + number)

    with ThreadPoolExecutor(GUESSERS) as threads:
        headings = list(threads.map(guess, range(GUESSERS)))

    assert Counter(headings) == {"Refused: wrong PIN": 3, "Refused: withdrawals are locked": GUESSERS - 3}
    for web in webs:
        teller.move(web.port)
        assert try_pin(teller, 1234) == "Refused: withdrawals are locked", "the right PIN is not looked at"
        assert "Withdrawals are locked." in teller.get("/accounts/1/").words
        beginning = teller.get("/accounts/1/?before=7").words
        assert (beginning.count("Refused: wrong PIN"), beginning.count("Withdrawals locked")) == (3, 1)
    output = manage(webs[0].data, "replay_projections", "--check", **webs[0].variables)
    assert "No difference" in output


def try_pin(browser: Teller, pin: int) -> str:
    """Withdraw 1.00 with a PIN, retry with the same command id while the bank is busy, and return the heading."""
    fields = {"command_id": str(uuid4()), "amount": "1.00", "pin": f"{pin:04}"}
    answer = browser.post("/accounts/1/withdraw/", **fields)
    while answer.status == 503:
        answer = browser.post("/accounts/1/withdraw/", **fields)
    receipt = browser.receipt_of(answer)
    heading = re.search("<h1[^>]*>(?:<[^>]+>)*(.*?)<", receipt.text)
    assert heading, receipt.words
    return heading[1]
