"""Template tag of the inspector's lists."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext

register = template.Library()


@register.simple_tag
def labelled(row: Iterable[str], headers: Sequence[Mapping[str, Any]]) -> SafeString:
    """Return the cells of a row, each with the heading of its column, which narrow screens show in the cell."""
    return mark_safe("".join(_labelled(cell, str(header["text"])) for cell, header in zip(row, headers, strict=False)))  # noqa: S308  # the cells are Django's


def _labelled(cell: str, heading: str) -> str:
    if "<" in heading:  # the box that checks all rows
        return cell
    for text, translated in (("True", gettext("Yes")), ("False", gettext("No"))):  # Django's icons have English texts
        cell = cell.replace(f'alt="{text}"', f'alt="{translated}"')
    tag, space, rest = cell.partition(" ")
    return format_html('{} data-label="{}"{}{}', mark_safe(tag), capfirst(heading), space, mark_safe(rest))  # noqa: S308
