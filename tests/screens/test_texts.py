"""Every text of the screens is marked for translation, and every catalog has it."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.template import engines
from django.utils import translation

from bank.screens.rejections import in_users_language
from tests.support.texts import (
    CATALOGS,
    ROOT,
    TEMPLATES,
    all_texts,
    known_to,
    missing_in,
    modules,
    read_catalog,
    texts_of_template,
    translations_of,
    unmarked_in_module,
    unmarked_in_template,
)

UPDATE = "run `uv run python -m tests.support.texts`, and translate what it lists"
TEXTS = all_texts()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_each_text_of_a_template_is_marked(path: Path) -> None:
    assert unmarked_in_template(path.read_text()) == []


def test_each_text_that_a_module_shows_is_marked() -> None:
    found = {path.name: unmarked_in_module(path.read_text()) for path in modules() if "models" not in path.name}
    assert {name: texts for name, texts in found.items() if texts} == {}


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.parent.parent.name)
def test_each_catalog_translates_each_text(path: Path) -> None:
    catalog = read_catalog(path)
    assert missing_in(catalog, TEXTS) == [], UPDATE
    assert known_to(catalog) - TEXTS == set(), UPDATE


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.parent.parent.name)
def test_a_translation_has_the_values_of_its_text(path: Path) -> None:
    values = re.compile(r"%\(\w+\)s|\{\w*}")
    for message in read_catalog(path):
        texts = [message.id] if isinstance(message.id, str) else list(message.id)
        strings = translations_of(message)
        wanted = {value for text in texts for value in values.findall(text)}
        for string in strings if message.id else ():
            assert set(values.findall(string)) <= wanted, string
            assert string.count("{}") in (0, texts[0].count("{}")), string


@pytest.mark.parametrize(
    ("source", "unmarked"),
    [
        ("<p>Deposit</p>", ["Deposit"]),
        ("<p>{% if a %}Deposit{% endif %}</p>", ["Deposit"]),
        ('<nav aria-label="Main"></nav>', ["Main"]),
        ('<input type="submit" value="Send">', ["Send"]),
        ('{% include "x.html" with title="Not carried out" %}', ["Not carried out"]),
        ('{% include "x.html" with title=_("Not carried out") label=name %}', []),
        ('<p>{% translate "Deposit" %} {{ amount }} · <kbd>4022 d</kbd></p>', []),
        ('<p class="card" data-x="Some text">{# Deposit #}</p>', []),
        ("{% blocktranslate count n=n %}One line{% plural %}{{ n }} lines{% endblocktranslate %}", []),
    ],
)
def test_a_text_without_a_mark_is_found(source: str, unmarked: list[str]) -> None:
    assert unmarked_in_template(source) == unmarked


@pytest.mark.parametrize(
    ("source", "unmarked"),
    [
        ('CharField(label="Amount")', ["Amount"]),
        ('raise ValidationError(f"No {day}")', ["No 0"]),
        ('form.add_error("from", "There is no such day.")', ["There is no such day."]),
        ('form.add_error("from", gettext("There is no such day."))', []),
    ],
)
def test_a_text_of_a_module_without_a_mark_is_found(source: str, unmarked: list[str]) -> None:
    assert unmarked_in_module(source) == unmarked


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ('{% translate "Deposit" %}', [("Deposit", None)]),
        ('<p title="{% translate "Deposit" context "a day" %}">', [("Deposit", "a day")]),
        ('{% include "x.html" with title=_("Not carried out") %}', [("Not carried out", None)]),
        (
            "{% blocktranslate trimmed %}\n  50% of {{ n }}\n  lines\n{% endblocktranslate %}",
            [("50%% of %(n)s lines", None)],
        ),
        (
            "{% blocktranslate count n=n %}One{% plural %}{{ n }}{% endblocktranslate %}",
            [(("One", "%(n)s"), None)],
        ),
    ],
)
def test_a_marked_text_is_found(source: str, texts: list[Any]) -> None:
    assert list(texts_of_template(source)) == texts


def test_a_rejection_is_translated_with_its_values() -> None:
    with translation.override("de"):
        assert in_users_language("Account 7 is closed.") == "Konto 7 ist geschlossen."
        assert in_users_language("No catalog knows this.") == "No catalog knows this."
    assert in_users_language("Account 7 is closed.") == "Account 7 is closed."


@pytest.mark.parametrize(
    ("tag", "english", "german"),
    [
        ('{% translate "Account" %}', "Account", "Konto"),
        ('{% translate "No such text <b>" %}', "No such text <b>", "No such text <b>"),
        ('{% translate "100% of it" %}', "100% of it", "100% of it"),
        ("{% translate word %}", "Account", "Konto"),
        ('{% translate "Account" as name %}[{{ name }}]', "[Account]", "[Konto]"),
        ('{% translate "Account" noop %}', "Account", "Account"),
        ('{% translate "by" context "a receipt" %}', "by", "durch"),
        ('{% translate "Account"|upper %}', "ACCOUNT", "KONTO"),
    ],
)
def test_a_text_of_a_template_is_in_the_readers_language_each_time(tag: str, english: str, german: str) -> None:
    template = engines["django"].from_string("{% load i18n %}" + tag)
    for _ in range(2):
        for language, expected in (("en", english), ("de", german)):
            with translation.override(language):
                assert template.render({"word": "Account"}) == expected
