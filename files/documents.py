"""Documents as text: what a lesson is about, read from a text or Markdown file, a PDF, a saved web page or a folder.

PDFs are read by pypdf and web pages by Beautiful Soup, both in the extra `maieutic[documents]` and imported when the
first such file is read.
"""

from __future__ import annotations

import codecs
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maieutic.errors import FileError, UsageError
from maieutic.files.webpage import charset_of, text_of_page

__all__ = ["SUFFIXES", "Document", "Part", "read_document"]

_FRONT = re.compile(
    r"\A---[ \t]*\n(?:(?=[^\n:]+:(?:[ \t]|\n))(?P<data>.*?)\n)?(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL
)
"""What stands between two rules at a file's beginning, if it begins with a key; otherwise a rule is only a rule."""
_TITLE = re.compile(r"^title:[ \t]*([\"']?)(\S.*?)\1[ \t]*$", re.MULTILINE)
_FENCED = re.compile(r"^[ ]{0,3}(```+|~~~+).*?(?:^[ ]{0,3}\1|\Z)", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(rf"(?P<code>{_FENCED.pattern})|<!--.*?-->".replace("\\1", "\\2"), re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6}[ \t]+(\S.*?)[ \t#]*$", re.MULTILINE)
_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u2010\u00ad]\n(?=[a-zß-ÿ])")
_BLANK = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Encodings by byte order marks; that of UTF-32 begins as that of UTF-16 does, and comes first."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a document: a page of a PDF, a file of a folder, or the whole.

    Attributes:
        title: "page 3", a path relative to the folder, or the document's own title.
        text: Its text, never empty.
    """

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """A source as text.

    Attributes:
        title: Its own title if it has one (metadata, `<title>`, first heading), else the file's or folder's name.
        text: All of it; the files of a folder stand under their relative paths as headings.
        parts: The pages with text, the files, or the one whole.
    """

    title: str
    text: str
    parts: tuple[Part, ...]


def read_document(path: Path | str) -> Document:
    """The document in a file, or all documents in a folder and the folders below it, by their relative paths.

    Files and folders in a folder whose names begin with a dot are left out, and so are files with other suffixes.

    Args:
        path: A .txt, .md, .pdf or .html file (see SUFFIXES), or a folder.

    Raises:
        UsageError: There is no such file, its suffix is unknown, a folder holds no document, or a library is missing.
        FileError: It cannot be read as what its suffix says, or holds no text.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return _folder(path)
        if not path.is_file():
            raise UsageError(f"there is no document {str(path)!r}; name a file or a folder that exists")
    except (OSError, ValueError) as error:
        raise UsageError(f"{str(path)!r} cannot be opened: {error}") from error
    read = _READERS.get(path.suffix.lower())
    if read is None:
        what = f"the suffix {path.suffix!r}" if path.suffix else "no suffix"
        raise UsageError(f"{path} has {what}; documents are {', '.join(SUFFIXES)}, or a folder of such files")
    document = read(path)
    if not document.text.strip():
        raise FileError(f"{path} holds no text; give a document that has some")
    return document


def _folder(path: Path) -> Document:
    found = sorted(
        (file.relative_to(path).as_posix(), file)
        for file in path.rglob("*")
        if file.suffix.lower() in _READERS and file.is_file() and not _hidden(file.relative_to(path))
    )
    if not found:
        raise UsageError(f"the folder {path} holds no document; documents are {', '.join(SUFFIXES)}")
    parts = tuple(Part(name, read_document(file).text) for name, file in found)
    return Document(path.resolve().name, "\n\n".join(f"# {part.title}\n\n{part.text}" for part in parts), parts)


def _hidden(relative: Path) -> bool:
    return any(step.startswith(".") for step in relative.parts)


def _whole(title: str, text: str) -> Document:
    text = _BLANK.sub("\n\n", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    return Document(title, text, (Part(title, text),))


def _text(path: Path) -> Document:
    return _whole(path.stem, _decoded(path, path.read_bytes()))


def _markdown(path: Path) -> Document:
    text = _decoded(path, path.read_bytes()).replace("\r\n", "\n").replace("\r", "\n")
    front = _FRONT.match(text)
    text = _COMMENT.sub(lambda found: found["code"] or "", text[front.end() :] if front else text)
    titled = _TITLE.search((front and front["data"]) or "")
    heading = _HEADING.search(_FENCED.sub("", text))
    return _whole(titled[2] if titled else heading[1] if heading else path.stem, text)


def _page(path: Path) -> Document:
    raw = path.read_bytes()
    title, text = text_of_page(_decoded(path, raw, charset_of(raw)))
    return _whole(title or path.stem, text)


def _decoded(path: Path, raw: bytes, charset: str | None = None) -> str:
    """The text of a file: in the encoding of its byte order mark, else the one that it declares, else UTF-8."""
    encoding = next((marked for mark, marked in _MARKS.items() if raw.startswith(mark)), charset or "utf-8")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise FileError(
            f"{path} is not {encoding.upper()} text: byte 0x{raw[error.start]:02X} at position {error.start}; "
            "save it as UTF-8"
        ) from error
    except (LookupError, UnicodeError) as error:  # Python's own "undefined" codec knows no position
        raise FileError(f"{path} declares the unknown encoding {encoding!r}; save it as UTF-8") from error
    if "\0" in text:
        raise FileError(f"{path} is not text, or in an encoding without a byte order mark; save it as UTF-8")
    return text


def _pdf(path: Path) -> Document:
    try:
        from pypdf import PdfReader
        from pypdf.errors import PyPdfError
    except ImportError as error:
        raise UsageError(f"Reading {path} needs pypdf. Install it with: pip install 'maieutic[documents]'") from error
    try:
        with _unlogged("pypdf"):
            reader = PdfReader(path)
            if reader.is_encrypted and not reader.decrypt(""):
                raise FileError(f"{path} is encrypted; save a copy without a password")
            parts = tuple(
                Part(f"page {number}", text)
                for number, page in enumerate(reader.pages, 1)
                if (text := _unbroken(page.extract_text()))
            )
            title = _titled(reader)
    except (PyPdfError, ImportError) as error:  # a cipher that needs a library of its own comes as an ImportError
        raise FileError(f"{path} cannot be read as a PDF: {error}; save it anew, without a password") from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise FileError(f"{path} is a damaged PDF ({type(error).__name__}: {error}); save it anew") from error
    if not parts:
        raise FileError(f"{path} has no text, only pictures of pages; run text recognition (OCR) over it first")
    return Document(title or path.stem, "\n\n".join(part.text for part in parts), parts)


@contextmanager
def _unlogged(library: str) -> Iterator[None]:
    """Keep a library's warnings about what it mended by itself off the terminal."""
    logger = logging.getLogger(library)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _titled(reader: Any) -> str:
    title = reader.metadata.title if reader.metadata else None
    return " ".join(str(title).split()) if title else ""


def _unbroken(text: str) -> str:
    """A page's text with words that were divided at the end of a line put together again."""
    return _BLANK.sub("\n\n", _HYPHEN.sub("", text.replace("\r\n", "\n"))).strip()


_READERS: Mapping[str, Callable[[Path], Document]] = {
    ".txt": _text,
    ".text": _text,
    ".md": _markdown,
    ".markdown": _markdown,
    ".pdf": _pdf,
    ".html": _page,
    ".htm": _page,
    ".xhtml": _page,
}
SUFFIXES = tuple(_READERS)
"""The endings of files that can be read."""
