"""Django's `url` and `static`, which look up an address that cannot change only once.

Every page has ten of them, and to look them up took a sixth of its time. The settings put these in the place of
Django's.
"""

from typing import Any

from django import template
from django.template.base import FilterExpression, Parser, Token
from django.template.context import Context
from django.template.defaulttags import URLNode
from django.template.defaulttags import url as django_url
from django.templatetags.static import StaticNode
from django.urls import get_script_prefix, reverse
from django.utils.html import conditional_escape

register = template.Library()

_ANY_NUMBER = 2**63 - 1


class KnownURLNode(URLNode):
    """The address of a view that takes no arguments."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.known: dict[str, str] = {}

    def render(self, context: Context) -> Any:
        prefix = get_script_prefix()
        if prefix not in self.known:
            self.known[prefix] = super().render(context)
        return self.known[prefix]


class NumberedURLNode(URLNode):
    """The address of a view that takes a number."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.known: dict[str, str] = {}

    def render(self, context: Context) -> Any:
        number = self.args[0].resolve(context)
        if type(number) is not int or number < 0:
            return super().render(context)
        url = self._pattern(get_script_prefix()) % number
        if self.asvar:
            context[self.asvar] = url
            return ""
        return conditional_escape(url) if context.autoescape else url

    def _pattern(self, prefix: str) -> str:
        """Return the address for any number, with a %s in its place."""
        if prefix not in self.known:
            url = reverse(self.view_name.var, args=[_ANY_NUMBER])
            self.known[prefix] = url.replace("%", "%%").replace(str(_ANY_NUMBER), "%s")
        return self.known[prefix]


class KnownStaticNode(StaticNode):
    """The address of a file that the template names."""

    known = ""

    def url(self, context: Context) -> str:
        self.known = self.known or super().url(context)
        return self.known


@register.tag
def url(parser: Parser, token: Token) -> URLNode:
    """Show the address of a view."""
    node = django_url(parser, token)
    name = str(node.view_name.var) if _is_constant(node.view_name) else ""
    if not name or ":" in name or node.kwargs:  # with a colon it depends on the request
        return node
    if len(node.args) == 1:
        return NumberedURLNode(node.view_name, node.args, {}, node.asvar)
    if node.args or node.asvar:
        return node
    return KnownURLNode(node.view_name, [], {}, None)


@register.tag
def static(parser: Parser, token: Token) -> StaticNode:
    """Show the address of a static file."""
    node = StaticNode.handle_token(parser, token)
    return KnownStaticNode(node.varname, node.path) if _is_constant(node.path) else node


def _is_constant(expression: FilterExpression) -> bool:
    return isinstance(expression.var, str) and not expression.filters
