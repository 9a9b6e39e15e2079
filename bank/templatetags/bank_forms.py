"""The template tag of blank forms."""

from uuid import uuid4

from django import template
from django.forms import Form
from django.template import Context
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from bank.screens.languages import cached_by_language

register = template.Library()
TOKEN, COMMAND_ID = "the token", "the command id"
"""Stand for what differs at each rendering."""


@register.simple_tag(takes_context=True)
def blank_form(context: Context, name: str, form: Form, action: str) -> SafeString:
    """Render a form without entries, with a command id of its own.

    All else is rendered once in each language, which saves a sixth of the account page (docs/performance.md).

    Args:
        name: the name of the template, or of its partial.
        form: a form of `forms.blank` or `forms.blank_target`.
    """
    html = _once(name, form, action).replace(TOKEN, str(context["csrf_token"]))
    return SafeString(html.replace(COMMAND_ID, str(uuid4())))


@cached_by_language
def _once(name: str, form: Form, action: str) -> SafeString:
    return render_to_string(name, {"form": form, "action": action, "csrf_token": TOKEN, "fresh_id": COMMAND_ID})
