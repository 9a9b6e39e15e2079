"""Hypothesis strategies of requests: half of the input is valid, so that requests pass the first validation."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote
from uuid import UUID

from hypothesis import strategies as st

from tests.system.fuzz.routes import Field, Gap, Route

USED = [UUID(int=number, version=4) for number in range(1, 7)]
"""Command ids that are used repeatedly."""
KEYS = ["1", "2", "bank_account-1", "accounts", "totals", "2026-03-01", *(str(each) for each in USED[:3]), "auth",
        "eventstore", "event", "user", "add", "password"]  # fmt: skip
NASTY = [
    "", " ", "\0", "1\0", "\ud800", "\udfff1", "\x1b[2J", "\r\nSet-Cookie: x=1", "\u202e", "\u2028", "%00", "%", "_00",
    "_ED_A0_80", "-1", "0", "-0", "+1", "1e309", "NaN", "Infinity", "0x10", "1_000", "\uff11\uff12", "\u0663", "½",
    "9" * 19, "9" * 30, "9" * 5000, "1.005", "1,2,3", ".", "..", "../../etc/passwd", "' OR 1=1 --", "<script>", "{{7}}",
    "a\u0301" * 90, "\U0001f3e6" * 101, "ß" * 300, "[]", "{}", "null", "True", "2026-02-30", "9999-12-31", "0000-00-00",
    "bank_account-", "bank_account-x", "None", "a" * 70_000,
]  # fmt: skip
STRANGE = [
    *NASTY, str(2**31), str(2**63 - 1), str(2**63), str(2**64), str(-(2**63) - 1), "1" * 19, "1e400", "nan", "1,2",
    "inf", "infinity", "-infinity", "epoch", "today", "0001-01-01", "10000-01-01", "-0001-01-01", "2026-W01-1",
    "+", "(", "*", "\\", "bank_account-" + "9" * 30, "x:y", "pk", "-pk", "id", "password", "user__password", "\x85",
]  # fmt: skip
"""Values of parameters and keys in the admin: none of them may reach a database that cannot take it."""
SENSIBLE = {
    "amount": ["5", "0.01", "1,000.00", "99999"],
    "pin": ["1234", "4321", "0000"],
    "account_id": ["1", "2", "3", "8", "9"],
    "to_account_id": ["1", "2", "3", "99"],
    "account_holder": ["Josh", "Zoë", " Ada "],
    "username": ["tina", "x"],
    "reason": ["Typed twice", " Zoë's slip "],
    "reference": ["1", "2", "9"],
    "q": ["Josh", "1", "zoe"],
    "from": ["2026-03-01", "1 Mar 2026", ""],
    "to": ["2026-03-02", ""],
}
METHODS = [
    "GET",
    "GET",
    "GET",
    "POST",
    "POST",
    "POST",
    "POST",
    "HEAD",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "X",
]
HEADERS = [
    "HTTP_HX_REQUEST", "HTTP_HX_TARGET", "HTTP_HX_TRIGGER", "HTTP_HX_TRIGGER_NAME", "HTTP_HX_PROMPT", "HTTP_HX_BOOSTED",
    "HTTP_HX_CURRENT_URL", "HTTP_HX_CURRENT_URL_URI_AUTOENCODED", "HTTP_HX_HISTORY_RESTORE_REQUEST", "HTTP_ACCEPT",
    "HTTP_HX_TRIGGERING_EVENT", "HTTP_TRIGGERING_EVENT", "HTTP_HOST", "HTTP_REFERER", "HTTP_ORIGIN", "HTTP_RANGE",
    "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_ACCEPT_LANGUAGE",
    "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_NONE_MATCH", "HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_ENCODING", "HTTP_BANK_POLL",
    "HTTP_USER_AGENT", "HTTP_AUTHORIZATION", "HTTP_X_CSRFTOKEN", "HTTP_EXPECT", "REMOTE_ADDR",
]  # fmt: skip
PARAMETERS = [
    "q",
    "closed",
    "amount",
    "reference",
    "after",
    "before",
    "from",
    "to",
    "kind",
    "next",
    "p",
    "o",
    "e",
    "day",
    "type",
    "_popup",
    "_to_field",
    "all",
    "ended",
    "to_account_id",
    "amount",
    "edit",
]
COOKIES = ["bank_position", "csrftoken", "messages", "known_device", "device", "x"]
TYPES = [
    "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-16",
    "application/x-www-form-urlencoded; charset=nonsense", "multipart/form-data", "multipart/form-data; boundary=b",
    "multipart/form-data; boundary=\"", "multipart/form-data; boundary=b; charset=utf-7", "application/json",
    "text/plain", "", "x", "application/x-www-form-urlencoded; charset=idna", "multipart/mixed; boundary=b",
]  # fmt: skip

anything = st.one_of(
    st.sampled_from(NASTY),
    st.text(alphabet=st.characters(exclude_categories=()), max_size=40),
    st.integers(-(10**40), 10**40).map(str),
    st.floats().map(str),
)


class Request(NamedTuple):
    """One request of a client. `query` and `body` are raw."""

    method: str
    path: str
    query: str
    body: bytes
    content_type: str
    headers: dict[str, str]
    cookies: list[tuple[str, str]]


def on_the_wire(text: str) -> str:
    """Return percent-encoded text, with lone surrogates as their three invalid bytes."""
    return quote(text.encode(errors="surrogatepass"), safe="")


def _mostly(sensible: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(sensible, sensible, sensible, anything)


def _gap(gap: Gap) -> st.SearchStrategy[str]:
    match gap.kind:
        case "int":
            return st.one_of(st.sampled_from(["1", "2", "3", "007", "0"]), st.integers(0, 10**40).map(str))
        case "uuid":
            return st.one_of(st.sampled_from(USED).map(str), st.uuids().map(str))
        case _:
            return _mostly(st.sampled_from(KEYS)).map(on_the_wire)


@st.composite
def paths(draw: st.DrawFn, known: Sequence[Route]) -> str:
    """Draw the path of a known route with drawn values; rarely an unknown one."""
    if draw(st.integers(0, 19)) == 0:
        return "/" + on_the_wire(draw(anything))[:2000]
    route = draw(st.sampled_from(known))
    return "".join(piece if isinstance(piece, str) else draw(_gap(piece)) for piece in route)[:8000]


@st.composite
def _pairs(draw: st.DrawFn, fields: Sequence[Field]) -> list[tuple[str, str]]:
    """Draw the content of a form: valid, or with one or two fields spoilt, missing or doubled."""
    spoilt = draw(st.sets(st.sampled_from(fields), max_size=2)) if fields else set()
    pairs: list[tuple[str, str]] = []
    for field in fields:
        value = draw(_sensible(field))
        if field in spoilt:
            pairs += [(field.name, draw(st.one_of(st.just(value), anything)))] * draw(st.sampled_from([1, 1, 0, 2]))
        else:
            pairs.append((field.name, value))
    if draw(st.integers(0, 5)) == 0:
        pairs.append((draw(anything), draw(anything)))
    return pairs


def _sensible(field: Field) -> st.SearchStrategy[str]:
    if field.name == "command_id":
        return st.one_of(st.uuids(version=4).map(str), st.sampled_from(USED).map(str))
    return st.sampled_from(SENSIBLE.get(field.name, [field.value]))


def _multipart(pairs: Sequence[tuple[str, str]], file_name: str) -> bytes:
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"{file_name}\r\n\r\n{value}\r\n' for name, value in pairs
    ]
    return "".join([*parts, "--b--\r\n"]).encode(errors="surrogatepass")


@st.composite
def _bodies(draw: st.DrawFn, fields: Sequence[Field]) -> tuple[bytes, str]:
    pairs = draw(_pairs(fields))
    encoded = "&".join(f"{on_the_wire(name)}={on_the_wire(value)}" for name, value in pairs).encode()
    match draw(st.sampled_from(["form", "form", "form", "form", "multipart", "broken", "raw", "typed"])):
        case "form":
            return encoded, TYPES[0]
        case "multipart":
            return _multipart(
                pairs, draw(st.sampled_from(["", "", '; filename="x"']))
            ), "multipart/form-data; boundary=b"
        case "broken":
            whole = _multipart(
                pairs, draw(st.sampled_from(["", '; filename="', "\r\nContent-Transfer-Encoding: base64"]))
            )
            return whole[: draw(st.integers(0, len(whole)))], draw(st.sampled_from(TYPES))
        case "raw":
            return draw(st.binary(max_size=200)), draw(st.sampled_from(TYPES))
        case _:
            return encoded, draw(st.one_of(st.sampled_from(TYPES), anything))


def _header_value(text: str) -> str:
    """Return text as a server passes a header value: without line breaks, each character one byte."""
    return text.encode(errors="surrogatepass").decode("latin-1").replace("\r", "").replace("\n", "")[:4000]


@st.composite
def requests(draw: st.DrawFn, known: Sequence[Route], forms: Mapping[str, Sequence[Field]]) -> Request:
    """Draw a request to a known route, or one that sends a known form."""
    where = draw(st.sampled_from(["task", "task", "form", "route", "route"] if forms else ["route"]))
    if where == "route":
        path, method = draw(paths(known)), draw(st.sampled_from(METHODS))
    else:
        tasks = [path for path, fields in forms.items() if any(field.name == "command_id" for field in fields)]
        path = draw(st.sampled_from(sorted(tasks if tasks and where == "task" else forms)))
        method = draw(st.sampled_from(["POST"] * 9 + METHODS))
    body, content_type = draw(_bodies(forms.get(path, []))) if method not in ("GET", "HEAD") else (b"", "")
    parameters = draw(st.lists(st.tuples(_mostly(st.sampled_from(PARAMETERS)), anything), max_size=2))
    query = "&".join(f"{on_the_wire(name)}={on_the_wire(value)}" for name, value in parameters)
    headers = {"HTTP_HX_REQUEST": "true"} if draw(st.booleans()) else {}
    if draw(st.booleans()):
        headers[draw(st.sampled_from(HEADERS))] = _header_value(draw(_mostly(st.just("true"))))
    cookies = []
    if draw(st.integers(0, 3)) == 0:
        cookies = [(draw(st.sampled_from([*COOKIES, "sessionid"])), _header_value(draw(anything)))]
    return Request(method, path, query[:6000], body, _header_value(content_type), headers, cookies)
