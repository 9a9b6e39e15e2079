"""Django's `extends` and `include`, which look only once for what cannot change: every page is made of such parts.

To find the blocks of a template anew, on each page, cost as much as a statement's query. The settings put these in the
place of Django's. The templates found are kept as long as Django keeps the one that names them.
"""

from typing import Any

from django import template
from django.template.base import Parser, Template, TextNode, Token
from django.template.loader_tags import (
    BLOCK_CONTEXT_KEY,
    BlockContext,
    BlockNode,
    ExtendsNode,
    IncludeNode,
    do_extends,
    do_include,
)

register = template.Library()


class KnownExtendsNode(ExtendsNode):
    """A template that extends another, whose blocks are known after the first time."""

    known: tuple[Template | None, dict[str, BlockNode]] = None, {}

    def render(self, context: Any) -> Any:
        """Do what Django's does, in the same order."""
        parent: Any = self.get_parent(context)
        blocks = context.render_context.setdefault(BLOCK_CONTEXT_KEY, BlockContext())
        blocks.add_blocks(self.blocks)
        blocks.add_blocks(self._blocks_of(parent))
        with context.render_context.push_state(parent, isolated_context=False):
            return parent._render(context)

    def _blocks_of(self, parent: Template) -> dict[str, BlockNode]:
        """Return the blocks that a parent adds by itself: none where it extends another, which adds them then."""
        found, blocks = self.known
        if found is not parent:
            first = next((node for node in parent.nodelist if not isinstance(node, TextNode)), None)
            nodes = [] if isinstance(first, ExtendsNode) else parent.nodelist.get_nodes_by_type(BlockNode)
            blocks = {node.name: node for node in nodes if isinstance(node, BlockNode)}
            self.known = parent, blocks
        return blocks


class KnownIncludeNode(IncludeNode):
    """An include of a template, or a part of one, whose name the including one says."""

    known: Any = None

    def render(self, context: Any) -> Any:
        if self.known is None:
            self.known = context.template.engine.get_template(self.template.var)
        values = {name: value.resolve(context) for name, value in self.extra_context.items()}
        with context.push(**values):
            return self.known.render(context)


@register.tag
def extends(parser: Parser, token: Token) -> ExtendsNode:
    """Extend another template."""
    node = do_extends(parser, token)
    return KnownExtendsNode(node.nodelist, node.parent_name)


@register.tag
def include(parser: Parser, token: Token) -> IncludeNode:
    """Show another template here."""
    node = do_include(parser, token)
    name = node.template
    if node.isolated_context or name.filters or not isinstance(name.var, str) or name.var.startswith("."):
        return node
    return KnownIncludeNode(name, extra_context=node.extra_context)
