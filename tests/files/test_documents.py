"""Documents: what is read from a text, a PDF, a saved page or a folder, and what is said of one that cannot be read."""

import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from maieutic.errors import FileError, UsageError
from maieutic.files.documents import SUFFIXES, read_document

PAGE = """<!doctype html>
<html><head><title>The  Moon
 explained</title><style>p { color: red }</style><script>track("you")</script></head>
<body><nav><ul><li>Home</li><li>Shop</li></ul></nav><div role="banner">Buy now</div>
<h1>The Moon</h1><h2>Light</h2>
<p>The Moon shines because it
reflects the <b>light</b> of the Sun.<br>So it is.</p>
<ul><li>One<ul><li>below one</li></ul></li><li><p>Two</p></li></ul><ol><li>first</li><li>second</li></ol>
<table><tr><th>Body</th><th>Days</th></tr><tr><td>Moon</td><td>27</td></tr></table>
<pre>a
  b</pre><!-- a remark --><p hidden>Answer key</p><footer>All rights reserved</footer></body></html>"""


def pdf(path: Path, *pages: str, title: str = "", encrypted: bool = False) -> Path:
    """A PDF written by hand: one line of text a page, or none."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", ""]
    kids = []
    for text in pages:
        lines = text.split("\n")
        shown = " T* ".join(f"({line}) Tj" for line in lines)
        stream = zlib.compress(f"BT /F1 12 Tf 14 TL 72 700 Td {shown} ET".encode("latin-1") if text else b"")
        content = f"<< /Length {len(stream)} /Filter /FlateDecode >>\nstream\n{stream.decode('latin-1')}\nendstream"
        kids.append(f"{len(objects) + 1} 0 R")
        font = "<< /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >> >>"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {len(objects) + 2} 0 R "
            f"/Resources << /Font {font} >> >>"
        )
        objects.append(content)
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(pages)} >>"
    trailer = "/Root 1 0 R"
    if title:
        objects.append(f"<< /Title ({title}) >>")
        trailer += f" /Info {len(objects)} 0 R"
    body, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size, start = len(objects) + 1, len(body)
    body += f"xref\n0 {size}\n0000000000 65535 f \n{table}"
    body += f"trailer\n<< /Size {size} {trailer} >>\nstartxref\n{start}\n%%EOF\n"
    path.write_bytes(body.encode("latin-1"))
    if encrypted:
        _encrypt(path)
    return path


def _encrypt(path: Path) -> None:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(path))
    writer.encrypt("a password", algorithm="RC4-128")
    writer.write(path)


def wrote(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_text_is_taken_as_it_stands(tmp_path: Path) -> None:
    document = read_document(wrote(tmp_path / "moon.txt", "\ufeffThe Moon.\r\n\r\n \r\nIt shines.\r\n"))
    assert (document.title, document.text) == ("moon", "The Moon.\n\nIt shines.")
    assert [(part.title, part.text) for part in document.parts] == [("moon", document.text)]


def test_a_markdown_file_is_called_by_its_first_heading_and_keeps_its_marks(tmp_path: Path) -> None:
    text = "---\ndraft: true\n---\n<!-- for me -->\n# The Moon #\n\n- It *shines*.\n"
    document = read_document(str(wrote(tmp_path / "a.md", text)))
    assert (document.title, document.text) == ("The Moon", "# The Moon #\n\n- It *shines*.")


def test_a_page_is_read_without_what_surrounds_its_text(tmp_path: Path) -> None:
    document = read_document(wrote(tmp_path / "moon.html", PAGE))
    assert document.title == "The Moon explained"
    assert document.text.splitlines() == [
        "# The Moon", "", "## Light", "", "The Moon shines because it reflects the light of the Sun.", "So it is.", "",
        "- One", "  - below one", "- Two", "", "1. first", "2. second", "", "Body | Days", "Moon | 27", "", "a", "  b",
    ]  # fmt: skip


def test_of_a_page_with_a_main_part_only_that_is_read(tmp_path: Path) -> None:
    page = "<body><p>News</p><main><header><h1>Title</h1></header>Text</main></body>"
    document = read_document(wrote(tmp_path / "page.htm", page))
    assert (document.title, document.text) == ("Title", "# Title\n\nText")
    page = "<body><p>News</p><article>Text</article></body>"
    assert read_document(wrote(tmp_path / "page.htm", page)).text == "Text"


def test_a_page_is_decoded_as_it_declares(tmp_path: Path) -> None:
    markup = '<meta charset="{}"><p>Köln für 5 €</p>'
    for charset in ("iso-8859-15", "windows-1252", "utf-8"):
        path = wrote(tmp_path / "page.html", markup.format(charset).encode(charset))
        assert read_document(path).text == "Köln für 5 €", charset
    assert read_document(wrote(tmp_path / "page.html", "<p>Köln</p>".encode("utf-16"))).text == "Köln"


@pytest.mark.parametrize(
    ("declared", "encoding", "text"),
    [
        ("iso-8859-1", "cp1252", "“quoted” – 5 €"),
        ("gb2312", "gb18030", "中文鎔"),
        ("shift_jis", "cp932", "日本①"),
        ("utf-16", "utf-8", "hé"),
    ],
)
def test_a_declared_encoding_is_taken_for_what_browsers_take_it(
    tmp_path: Path, declared: str, encoding: str, text: str
) -> None:
    page = f'<meta charset="{declared}"><p>{text}</p>'
    assert read_document(wrote(tmp_path / "page.html", page.encode(encoding))).text == text


def test_cells_stay_apart_where_end_tags_are_left_out(tmp_path: Path) -> None:
    page = "<table><tr><th>Body<th>Days<tr><td>Moon<td>27</table><p>That is all."
    assert read_document(wrote(tmp_path / "page.html", page)).text == "Body | Days\nMoon | 27\n\nThat is all."


def test_a_power_is_not_a_digit_more_and_a_footnote_no_power(tmp_path: Path) -> None:
    page = '<p>10<sup>6</sup> m and x<sup>−2</sup>, the 1<sup>st</sup> time<sup><a href="#n">3</a></sup></p>'
    assert read_document(wrote(tmp_path / "page.html", page)).text == "10^6 m and x^−2, the 1st time3"


def test_a_form_that_holds_the_whole_page_is_the_page(tmp_path: Path) -> None:
    page = "<form><h1>The Moon</h1><p>It shines.</p><button>Buy</button></form><form>Search <input></form>"
    assert read_document(wrote(tmp_path / "page.html", page)).text == "# The Moon\n\nIt shines."


@pytest.mark.parametrize(
    ("content", "title", "text"),
    [
        ("---\ntitle: 'A name'\n---\n# Head\nWords.", "A name", "# Head\nWords."),
        ("---\ntags: [a]\n---\n# Head\nWords.", "Head", "# Head\nWords."),
        ("---\n\nWords.\n\n---\n\nMore.", "file", "---\n\nWords.\n\n---\n\nMore."),
        ("---\nWords.\n---\nMore.", "file", "---\nWords.\n---\nMore."),
        ("```\n# code\n<!-- kept -->\n```\n<!-- gone -->\n# Head", "Head", "```\n# code\n<!-- kept -->\n```\n\n# Head"),
    ],
    ids=["title", "no title", "rules", "rules at once", "code"],
)
def test_front_matter_is_told_from_rules_and_code_from_text(
    tmp_path: Path, content: str, title: str, text: str
) -> None:
    document = read_document(wrote(tmp_path / "file.md", content))
    assert (document.title, document.text) == (title, text)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_tells_the_encoding(tmp_path: Path, encoding: str) -> None:
    assert read_document(wrote(tmp_path / "moon.txt", "Der Mond schön".encode(encoding))).text == "Der Mond schön"


def test_a_page_nested_as_deep_as_no_one_would_is_read(tmp_path: Path) -> None:
    page = "<div>" * 5000 + "deep" + "</div>" * 5000
    assert read_document(wrote(tmp_path / "page.html", page)).text == "deep"


def test_a_pdf_is_read_page_by_page_and_divided_words_are_joined(tmp_path: Path) -> None:
    path = pdf(
        tmp_path / "moon.pdf", "The Moon re-\nflects the light of the Sun.", "", "Half-\nMoon.", title="On  the Moon"
    )
    document = read_document(path)
    assert document.title == "On the Moon"
    assert [part.title for part in document.parts] == ["page 1", "page 3"]
    assert document.text == "The Moon reflects the light of the Sun.\n\nHalf-\nMoon."


def test_a_pdf_of_another_program_is_read_too(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 2))
    figure.text(0.1, 0.5, "Whales are mammals.")
    figure.savefig(tmp_path / "whales.pdf", metadata={"Title": "Whales"})
    document = read_document(tmp_path / "whales.pdf")
    assert document.title == "Whales"
    assert "Whales are mammals." in document.text


def test_a_folder_is_all_its_documents_under_their_paths(tmp_path: Path) -> None:
    wrote(tmp_path / "b.txt", "Bee.")
    wrote(tmp_path / "a" / "z.md", "# Zed\nZ.")
    wrote(tmp_path / "a" / "picture.png", b"\x89PNG")
    wrote(tmp_path / ".git" / "x.txt", "Not for reading.")
    wrote(tmp_path / "c.html", "<p>Sea.</p>")
    document = read_document(tmp_path)
    assert [(part.title, part.text) for part in document.parts] == [
        ("a/z.md", "# Zed\nZ."),
        ("b.txt", "Bee."),
        ("c.html", "Sea."),
    ]
    assert document.title == tmp_path.name
    assert document.text == "# a/z.md\n\n# Zed\nZ.\n\n# b.txt\n\nBee.\n\n# c.html\n\nSea."


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.txt", None, r"there is no document '.*none\.txt'; name a file or a folder that exists"),
        ("notes.docx", "x", r"notes\.docx has the suffix '\.docx'; documents are \.txt, .*\.pdf.* or a folder"),
        ("README", "x", r"README has no suffix; documents are"),
        ("empty/none.xyz", "x", r"the folder .*empty holds no document"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    path = tmp_path / name
    if content is not None:
        wrote(path, content)
    with pytest.raises(UsageError, match=message):
        read_document(path.parent if name.startswith("empty") else path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("blank.md", b" \n\n", r"blank\.md holds no text"),
        ("page.html", b"<script>x</script>", r"page\.html holds no text"),
        ("notes.txt", b"K\xf6ln", r"notes\.txt is not UTF-8 text: byte 0xF6 at position 1; save it as UTF-8"),
        ("page.html", b'<meta charset="klingon-1">x', r"page\.html declares the unknown encoding 'klingon-1'"),
        ("page.html", b'<meta charset="undefined">x', r"page\.html declares the unknown encoding 'undefined'"),
        (
            "notes.txt",
            "Moon".encode("utf-16-le"),
            r"notes\.txt is not text, or in an encoding without a byte order mark",
        ),
        ("bad.pdf", b"no PDF at all", r"bad\.pdf cannot be read as a PDF: .*; save it anew"),
        (
            "cut.pdf",
            b"%PDF-1.4\n1 0 obj\n<< /Type",
            r"cut\.pdf .* a (damaged )?PDF.*; save it anew",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_remedy(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    with pytest.raises(FileError, match=message):
        read_document(wrote(tmp_path / name, content))


def test_a_scan_and_an_encrypted_pdf_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"scan\.pdf has no text, only pictures of pages; run text recognition"):
        read_document(pdf(tmp_path / "scan.pdf", "", ""))
    with pytest.raises(FileError, match=r"secret\.pdf is encrypted; save a copy without a password"):
        read_document(pdf(tmp_path / "secret.pdf", "The key.", encrypted=True))


def test_a_bad_pdf_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "bad.pdf").write_bytes(b"no PDF at all")
    with pytest.raises(FileError):
        read_document(tmp_path / "bad.pdf")
    assert not caplog.records


@pytest.mark.parametrize(("library", "name"), [("pypdf", "moon.pdf"), ("bs4", "moon.html")])
def test_a_missing_library_is_named_with_its_extra(tmp_path: Path, library: str, name: str) -> None:
    pdf(tmp_path / "moon.pdf", "The Moon.")
    wrote(tmp_path / "moon.html", PAGE)
    code = f"""
import sys
sys.modules[{library!r}] = None
from maieutic.errors import UsageError
from maieutic.files.documents import read_document
try:
    read_document({str(tmp_path / name)!r})
except UsageError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'maieutic[documents]'" in done.stdout


def test_every_suffix_has_a_reader_and_reading_a_text_needs_no_library(tmp_path: Path) -> None:
    assert {".txt", ".md", ".pdf", ".html", ".htm"} <= set(SUFFIXES)
    path = wrote(tmp_path / "a.txt", "A.")
    code = f"""
import sys
from maieutic.files.documents import read_document
read_document({str(path)!r})
print([name for name in ("pypdf", "bs4") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
