"""A saved web page as readable text: headings, paragraphs, lists and tables, without scripts, styles and navigation."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from maieutic.errors import UsageError

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

__all__ = ["charset_of", "text_of_page"]

_CHARSET = re.compile(rb"""<(?:meta|\?xml)\b[^>]*?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_DECLARED_WITHIN = 4096
"""Bytes in which a page declares its encoding."""
_MEANT = {
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin1", "latin-1", "ascii", "us-ascii"), "cp1252"),
    **dict.fromkeys(("gb2312", "gbk", "gb_2312-80", "x-gbk"), "gb18030"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis", "windows-31j"), "cp932"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987"), "cp949"),
    **dict.fromkeys(("utf-16", "utf-16le", "utf-16be", "unicode"), "utf-8"),
    "iso-8859-9": "cp1254",
    "x-user-defined": "cp1252",
}
"""What browsers take a declared encoding for (WHATWG's Encoding Standard): a larger one with the same characters. A
declaration that was found as ASCII does not stand in UTF-16."""
_DROPPED = (
    "script", "style", "noscript", "template", "nav", "footer", "aside", "button", "select", "textarea", "svg",
    "iframe", "object", "canvas", "head", "title", "dialog",
)  # fmt: skip
_DROPPED_ROLES = ("navigation", "banner", "contentinfo", "search", "complementary", "menu")
_TOLD = ("p", "h1", "h2", "h3", "article", "main")
"""What a form holds that is more than a form."""
_POWER = re.compile(r"\s*[+\-\u2212]?(?:\d+|[a-z])\s*")
_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_BLOCKS = frozenset(
    (*_HEADINGS, "p", "div", "section", "article", "main", "header", "ul", "ol", "li", "dl", "dt", "dd", "table", "tr",
     "thead", "tbody", "tfoot", "caption", "blockquote", "figure", "figcaption", "pre", "hr", "address", "details",
     "summary", "body", "html")
)  # fmt: skip
_CLOSE = "/"
_BREAK = "\u2028"
"""A line break that is meant; those of the markup are only spaces."""


def charset_of(raw: bytes) -> str | None:
    """The encoding that a page declares in its head, or None."""
    found = _CHARSET.search(raw[:_DECLARED_WITHIN])
    name = found[1].decode("ascii").lower() if found else None
    return _MEANT.get(name or "", name)


def text_of_page(markup: str) -> tuple[str, str]:
    """Title and text of a page. Where it has a `<main>` (or a single `<article>`), only that is the text.

    Raises:
        UsageError: Beautiful Soup is not installed.
    """
    try:
        from bs4 import BeautifulSoup
    except ImportError as error:
        raise UsageError(
            "Reading web pages needs Beautiful Soup. Install it with: pip install 'maieutic[documents]'"
        ) from error
    soup = BeautifulSoup(markup, "html.parser")
    heading = soup.title or soup.h1
    title = " ".join(heading.get_text(" ").split()) if heading else ""
    _drop(soup)
    return title, _Layout().text(_main(soup))


def _drop(soup: BeautifulSoup) -> None:
    for tag in [tag for tag in soup.find_all(True) if _unwanted(tag)]:
        if not tag.decomposed:
            tag.decompose()


def _unwanted(tag: Tag) -> bool:
    hidden = tag.has_attr("hidden") or tag.get("aria-hidden") == "true"
    asked = tag.name == "form" and tag.find(_TOLD) is None  # some servers put a whole page into one form
    return hidden or asked or tag.name in _DROPPED or tag.get("role") in _DROPPED_ROLES


def _main(soup: BeautifulSoup) -> Tag:
    articles = soup.find_all("article")
    only = articles[0] if len(articles) == 1 else None
    chosen = soup.find("main") or only
    return chosen if chosen is not None and chosen.get_text(strip=True) else soup


@dataclass(slots=True)
class _Layout:
    """Writes down a tree of tags from its first word to its last, without recursion: pages nest as deep as they like.

    Attributes:
        blocks: The blocks so far, each with the number of the list or table that it belongs to, or 0; blocks of one
            list or table stand together.
        line: The words of the block that is being written.
        prefix: What stands before it: the signs of a heading or of an item.
        lists: For every open list the number of its last item, or None where items have no numbers.
        raw: How many <pre> are open.
        group: How many lists and tables were begun.
        cell: Whether the row that is being written has a cell.
    """

    blocks: list[tuple[str, int]] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    prefix: str = ""
    lists: list[int | None] = field(default_factory=list)
    raw: int = 0
    group: int = 0
    cell: bool = False

    def text(self, root: Tag) -> str:
        """The text of everything below a tag."""
        from bs4.element import NavigableString, PreformattedString, Tag

        stack: list[tuple[Any, str]] = [(root, "")]
        while stack:
            node, phase = stack.pop()
            if phase == _CLOSE:
                self._leave(node.name)
            elif isinstance(node, Tag):
                self._enter(node.name)
                if node.name == "sup" and _POWER.fullmatch(node.get_text()) and node.a is None:
                    self.line.append("^")  # 10 to the sixth is not 106; a link is a footnote's
                stack.append((node, _CLOSE))
                stack += [(child, "") for child in reversed(node.contents)]
            elif isinstance(node, NavigableString) and not isinstance(node, PreformattedString):
                self.line.append(str(node))
        self._flush()
        out = ""
        for i, (block, group) in enumerate(self.blocks):
            together = i > 0 and group and group == self.blocks[i - 1][1]
            out += ("" if not i else "\n" if together else "\n\n") + block
        return out

    def _enter(self, name: str) -> None:
        if name == "br":
            self.line.append(_BREAK)
        elif name in ("td", "th"):
            self.line += [" | "] * self.cell
            self.cell = True
        if name not in _BLOCKS:
            return
        self._flush(row=name == "tr" and self.cell)  # the end of a row or cell may be left out
        self.cell = self.cell and name != "tr"
        self.prefix = _HEADINGS.get(name, self.prefix)
        self.group += name == "table" or (name in ("ul", "ol") and not self.lists)
        if name in ("ul", "ol"):
            self.lists.append(0 if name == "ol" else None)
        elif name == "li":
            self.prefix = self._bullet()
        elif name == "pre":
            self.raw += 1

    def _leave(self, name: str) -> None:
        if name not in _BLOCKS:
            return
        self._flush(row=name in ("tr", "table") and self.cell)
        self.cell = self.cell and name not in ("tr", "table")
        self.prefix = ""
        if name in ("ul", "ol") and self.lists:
            self.lists.pop()
        elif name == "pre":
            self.raw -= 1

    def _bullet(self) -> str:
        indent = "  " * max(0, len(self.lists) - 1)
        number = self.lists[-1] if self.lists else None
        if number is None:
            return f"{indent}- "
        self.lists[-1] = number + 1
        return f"{indent}{number + 1}. "

    def _flush(self, *, row: bool = False) -> None:
        words = "".join(self.line)
        self.line = []
        if self.raw:
            block = words.replace(_BREAK, "\n").strip("\n")
        else:
            lines = (" ".join(line.split()) for line in words.split(_BREAK))
            block = "\n".join(line for line in lines if line)
        if block.strip(" |"):
            listed = row or (self.prefix != "" and not self.prefix.startswith("#"))
            self.blocks.append((self.prefix + block, self.group if listed else 0))
            self.prefix = ""
