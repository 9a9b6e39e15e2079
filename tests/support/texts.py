"""The texts of the screens: which are marked for translation, which are not, and the catalogs.

`uv run python -m tests.support.texts` brings the catalogs up to date: it adds new texts, removes unused ones, sorts and
compiles. It says which texts lack a translation.
"""

import ast
import os
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po
from django.template.base import Lexer, TokenType

ROOT = Path(__file__).resolve().parent.parent.parent
ROOMS = "bank", "eventstore", "projections"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
CATALOGS = sorted((ROOT / "bank/locale").glob("*/LC_MESSAGES/django.po"))
HEADER = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Language: {locale}\\n"
"Plural-Forms: nplurals={plurals[0]}; plural={plurals[1]};\\n"

"""

OF_DJANGO = (
    "After you’ve created a user, you’ll be able to edit more user options.",
    "Are you sure you want to delete the %(object_name)s “%(escaped_object)s”? "
    "All of the following related items will be deleted:",
    "- Select an option -",
    "Disable password-based authentication",
    "Disabled",
    "Enable password-based authentication",
    "Enable password-based authentication for this user by setting a password.",
    "Enabled",
    "Pagination %(name)s",
    "Pagination %(name)s entries",
    "Password-based authentication",
    "Password-based authentication was disabled.",
    "Raw passwords are not stored, so there is no way to see the user’s password.",
    "Reset password",
    "Run",
    "Search %(name)s",
    "Set password: %s",
    "This action will <strong>enable</strong> password-based authentication for this user.",
    "Whether the user will be able to authenticate using a password or not. If disabled, they may still be able to "
    "authenticate using other backends, such as Single Sign-On or LDAP.",
)
"""The texts of Django's admin that Django's own catalogs lack."""

type Id = str | tuple[str, ...]


class Text(NamedTuple):
    """A text as the catalogs know it: the id, or the pair of singular and plural, and perhaps a context."""

    id: Id
    context: str | None = None


def all_texts() -> set[Text]:
    """Return every marked text of templates and code, and the sentences of the bank's rejections."""
    templates = (text for path in TEMPLATES for text in texts_of_template(path.read_text()))
    code = (text for path in modules() for text in texts_of_module(path.read_text()))
    return {*templates, *code, *map(Text, OF_DJANGO), *map(Text, names_of_tables())}


def names_of_tables() -> Iterator[str]:
    """Yield the names and hints of the tables and columns that the admin shows."""
    from bank.access.admin_site import own_tables

    for model in own_tables():
        options = model._meta
        yield from (str(options.verbose_name), str(options.verbose_name_plural))
        for field in options.local_fields:
            yield from filter(None, (str(field.verbose_name), str(field.help_text)))


def modules() -> Iterator[Path]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if not {"migrations", "commands", "verification", "verification.py"} & set(path.parts):
                yield path


# Templates

_TAG = re.compile(r"\{[{%#].*?[#%}]\}", re.DOTALL)
_MARKED = re.compile(r"""\b_\((?P<quote>["'])(?P<text>.*?)(?P=quote)\)""")
_TRANSLATE = re.compile(r"""trans(?:late)? (?P<quote>["'])(?P<text>.*?)(?P=quote)(?: context "(?P<context>.*?)")?""")
_BLOCK = re.compile(r"""blocktrans(?:late)?\b(?:.* context "(?P<context>.*?)")?""")
SHOWN = "title", "aria-label", "placeholder", "alt", "label", "summary", "data-does", "data-text"
"""The attributes that browsers or our scripts show."""


def texts_of_template(source: str) -> Iterator[Text]:
    """Yield the marked texts of a template."""
    tokens = iter(Lexer(source).tokenize())
    for token in tokens:
        if token.token_type is TokenType.TEXT:
            continue
        yield from (Text(marked["text"]) for marked in _MARKED.finditer(token.contents))
        if token.token_type is not TokenType.BLOCK:
            continue
        if found := _TRANSLATE.match(token.contents):
            yield Text(found["text"], found["context"])
        elif found := _BLOCK.match(token.contents):
            yield Text(_block(tokens, "trimmed" in token.contents.split()), found["context"])


def _block(tokens: Iterator[Any], is_trimmed: bool) -> Id:
    """Return the text of a `blocktranslate`, and move behind its end."""
    parts = [""]
    for token in tokens:
        if token.token_type is TokenType.BLOCK and token.contents == "plural":
            parts.append("")
        elif token.token_type is TokenType.BLOCK:
            break
        elif token.token_type is TokenType.VAR:
            parts[-1] += f"%({token.contents})s"
        else:
            parts[-1] += token.contents.replace("%", "%%")
    if is_trimmed:
        parts = [re.sub(r"\s*\n\s*", " ", part.strip()) for part in parts]
    return (parts[0], parts[1]) if len(parts) == 2 else parts[0]


def unmarked_in_template(source: str) -> list[str]:
    """Return the texts of a template that nobody can translate."""
    tokens, rest = iter(Lexer(source).tokenize()), ""
    for token in tokens:
        if token.token_type is TokenType.TEXT:
            rest += token.contents
        elif token.token_type is TokenType.BLOCK and _BLOCK.match(token.contents):
            _block(tokens, False)
        elif token.token_type is TokenType.BLOCK and token.contents.startswith(("with ", "include ")):
            rest += "".join(f"<p>{text}</p>" for _, text in re.findall(r"""=(["'])(.*?[A-Z].*?)\1""", token.contents))
    reader = _Reader()
    reader.feed(rest)
    reader.close()
    return reader.found


class _Reader(HTMLParser):
    """Collects the words of a page that a user reads: text between tags, and some attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in ("code", "kbd", "script", "style"):
            self.inside.append(tag)
        shown = [value for name, value in attributes if name in SHOWN]
        if ("type", "submit") in attributes:
            shown += [value for name, value in attributes if name == "value"]
        for value in shown:
            self._add(value or "")

    def handle_endtag(self, tag: str) -> None:
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self._add(data)

    def _add(self, text: str) -> None:
        if re.search(r"[^\W\d_]{2}", text):
            self.found.append(" ".join(text.split()))


# Code

_MARKS = {"gettext": 1, "gettext_lazy": 1, "gettext_noop": 1, "_": 1, "ngettext": 2, "ngettext_lazy": 2}
_LABELS = {"Kind": slice(1, None), "TillKind": slice(1, None), "Group": slice(0, 1)}
"""The texts among the arguments of the classes whose labels are translated where they are shown."""
_IN_CONTEXT = "pgettext", "pgettext_lazy"


def texts_of_module(source: str) -> Iterator[Text]:
    """Yield the marked texts of a module, and the sentences of the rejections that it raises."""
    from bank.domain.errors import REJECTIONS
    from bank.screens.rejections import shape

    rejections = {each.__name__ for each in REJECTIONS.values()} | {"rejection"}
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if name in _MARKS and len(texts) >= _MARKS[name]:
            yield Text((texts[0], texts[1]) if _MARKS[name] == 2 else texts[0])
        elif name in _IN_CONTEXT and len(texts) == 2:
            yield Text(texts[1], texts[0])
        elif name in _LABELS:
            yield from (Text(text) for text in texts[_LABELS[name]] if text)
        elif name in rejections and node.args and (sentence := _sentence(node.args[0])):
            yield Text(shape(sentence))


_SAYS = "ValidationError", "NotADay", "NotAnAmount", "add_error", "message_user"
_SHOWN_AS = "label", "help_text", "description", "search_help_text"


def unmarked_in_module(source: str) -> list[str]:
    """Return the texts of a module that a form, a message or a column shows as they are."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    shown = [each.value for call in calls for each in call.keywords if each.arg in _SHOWN_AS]
    for call in calls:
        if getattr(call.func, "attr", getattr(call.func, "id", "")) in _SAYS:
            shown += call.args
    texts = (_sentence(each) for each in shown)
    return [text for text in texts if re.search("[A-Z][a-z]|[a-z] [a-z]", text)]


def _sentence(node: ast.expr) -> str:
    """Return the sentence of a text or an f-string, with 0 for each value."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(each.value) if isinstance(each, ast.Constant) else "0" for each in node.values)
    return str(node.value or "") if isinstance(node, ast.Constant) else ""


# Catalogs


def read_catalog(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.parent.name)


def missing_in(catalog: Catalog, texts: set[Text]) -> list[Id]:
    """Return the texts without a translation, or with one that is only a guess."""
    missing = []
    for text in texts:
        message = catalog.get(text.id, text.context)
        if message is None or message.fuzzy or not all(translations_of(message)):
            missing.append(text.id)
    return sorted(missing, key=str)


def translations_of(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if isinstance(message.string, list | tuple) else (message.string or "",)


def _id(texts: str | list[str] | tuple[str, ...]) -> Id:
    return texts if isinstance(texts, str) else tuple(texts)


def known_to(catalog: Catalog) -> set[Text]:
    """Return the texts of a catalog."""
    return {Text(_id(message.id), message.context) for message in catalog if message.id}


def update(path: Path, texts: set[Text]) -> Catalog:
    """Write a catalog with these texts and the translations that it has of them."""
    old = read_catalog(path)
    new = Catalog(locale=old.locale)
    for text in texts:
        found = old.get(text.id, text.context)
        new.add(text.id, found.string if found else None, context=text.context)
    written = path.with_suffix(".new")
    with written.open("wb") as file:
        file.write(HEADER.format(locale=path.parent.parent.name, plurals=(new.num_plurals, new.plural_expr)).encode())
        write_po(file, new, width=0, omit_header=True, no_location=True, sort_output=True)
    written.replace(path)
    return new


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from bank.operations.catalogs import compile_catalog

    texts, lacking = all_texts(), 0
    for path in CATALOGS:
        missing = missing_in(update(path, texts), texts)
        compile_catalog(path, path.with_suffix(".mo"))
        for each in missing:
            print(f"{path.parent.parent.name} lacks: {each}")
        lacking += len(missing)
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
