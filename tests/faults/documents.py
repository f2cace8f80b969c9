"""Documents that are meant to harm, or that cannot be read: each a file, and the code of what comes of it."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import docx
import pypdf

MB = 1 << 20
_BOMB = "<!DOCTYPE w [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9)
) + "]>"  # fmt: skip
_EXTERNAL = "<!DOCTYPE w [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"


def _docx(folder: Path, name: str, replaced: dict[str, bytes]) -> Path:
    """A Word document with some of its parts replaced."""
    document = docx.Document()
    document.add_heading("Top", 1)
    document.add_paragraph("A paragraph.")
    plain = BytesIO()
    document.save(plain)
    path = folder / name
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            new.writestr(item.filename, replaced.pop(item.filename, None) or old.read(item))
        for extra, content in replaced.items():
            new.writestr(extra, content)
    return path


def _part(doctype: str, text: str, encoding: str = "utf-8") -> bytes:
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = (
        f'<w:document xmlns:w="{space}"><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>'
    )
    return f'<?xml version="1.0" encoding="{encoding}"?>{doctype}{body}'.encode(encoding)


def dtd_bomb(folder: Path) -> Path:
    return _docx(folder, "bomb.docx", {"word/document.xml": _part(_BOMB, "&i;")})


def external_entity(folder: Path) -> Path:
    return _docx(folder, "entity.docx", {"word/document.xml": _part(_EXTERNAL, "&x;")})


def hidden_dtd(folder: Path) -> Path:
    """In UTF-16, where looking for the bytes of <!DOCTYPE finds nothing."""
    return _docx(folder, "hidden.docx", {"word/document.xml": _part(_BOMB, "&i;", "utf-16")})


def zip_bomb(folder: Path) -> Path:
    path = folder / "zipbomb.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("word/document.xml", "w", force_zip64=True) as part:
            for _portion in range(300):
                part.write(b" " * MB)
    return path


def lying_zip(folder: Path) -> Path:
    """Its directory says 100 bytes where 150 MB come out."""
    path = folder / "lying.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b" " * (150 * MB))
    data = path.read_bytes()
    path.write_bytes(data.replace(struct.pack("<I", 150 * MB), struct.pack("<I", 100)))
    return path


def truncated_docx(folder: Path) -> Path:
    path = _docx(folder, "cut.docx", {})
    path.write_bytes(path.read_bytes()[:-400])
    return path


def external_link(folder: Path, address: str) -> Path:
    """Its picture, its template and a link all name a server."""
    space = "http://schemas.openxmlformats.org"
    kinds = ("image", "attachedTemplate", "hyperlink")
    links = "".join(
        f'<Relationship Id="r{kind}" Type="{space}/officeDocument/2006/relationships/{kind}" '
        f'Target="{address}/{kind}" TargetMode="External"/>'
        for kind in kinds
    )
    relations = f'<Relationships xmlns="{space}/package/2006/relationships">{links}</Relationships>'
    parts = {
        "word/_rels/document.xml.rels": relations.encode(),
        "word/document.xml": _part("", "Linked."),
    }
    return _docx(folder, "linked.docx", parts)


def pdf(pages: list[str], *, more: str = "", catalog: str = "", content: bytes | None = None) -> bytes:
    """A PDF with one line of text on each page. more: further objects; content: compressed content of all pages."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R {catalog} >>".encode(),
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, text in enumerate(pages):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents {5 + 2 * number} 0 R "
            f"/Resources << /Font << /F 3 0 R >> >> >>".encode()
        )
        drawn = f"BT /F 12 Tf 50 700 Td ({text}) Tj ET".encode() if text else b"0 0 m 9 9 l S"
        if content is not None:
            objects.append(
                b"<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(content) + content + b"\nendstream"
            )
        else:
            objects.append(b"<< /Length %d >>\nstream\n" % len(drawn) + drawn + b"\nendstream")
    if more:
        objects.append(more.encode())
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(out)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table
    return out + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)


def _written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def xref_loop(folder: Path) -> Path:
    """The table of objects names itself as the one before."""
    data = pdf(["A line."])
    start = data.rindex(b"xref\n0")
    return _written(folder, "xref.pdf", data.replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev %d" % start))


def page_loop(folder: Path) -> Path:
    """The tree of pages holds itself."""
    data = pdf(["A line."])
    return _written(folder, "pages.pdf", data.replace(b"/Kids [4 0 R]", b"/Kids [2 0 R]"))


def xmp_bomb(folder: Path) -> Path:
    packet = f"<?xml version='1.0'?>{_BOMB}<x:xmpmeta xmlns:x='adobe:ns:meta/'>&i;</x:xmpmeta>"
    stream = f"<< /Type /Metadata /Subtype /XML /Length {len(packet)} >>\nstream\n{packet}\nendstream"
    return _written(folder, "xmp.pdf", pdf(["A line."], more=stream, catalog="/Metadata 6 0 R"))


def content_bomb(folder: Path) -> Path:
    """A page whose drawing unpacks to 256 MB."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b" " * MB) for _portion in range(256)) + packer.flush()
    return _written(folder, "content.pdf", pdf(["x"], content=packed))


def encrypted(folder: Path, password: str = "secret") -> Path:
    writer = pypdf.PdfWriter(BytesIO(pdf(["A line."])))
    writer.encrypt(password, "owner", algorithm="RC4-128")
    path = folder / f"encrypted-{password or 'open'}.pdf"
    writer.write(path)
    return path


def scan_only(folder: Path) -> Path:
    return _written(folder, "scan.pdf", pdf(["", ""]))


def truncated_pdf(folder: Path) -> Path:
    return _written(folder, "cut.pdf", b"%PDF-1.7\n" + bytes(200))


def deep_html(folder: Path) -> Path:
    return _written(folder, "deep.html", b"<!doctype html>" + b"<div>" * 300_000 + b"x")


HOSTILE: list[tuple[Callable[[Path], Path], str, str, int]] = [
    (dtd_bomb, "docx", "import.dtd", 0),
    (external_entity, "docx", "import.dtd", 0),
    (hidden_dtd, "docx", "import.dtd", 0),
    (zip_bomb, "docx", "import.too_large", 0),
    (lying_zip, "docx", "import.too_large", 0),
    (truncated_docx, "docx", "import.broken", 0),
    (xref_loop, "pdf", "", 1),
    (page_loop, "pdf", "import.broken", 0),
    (xmp_bomb, "pdf", "", 1),
    (content_bomb, "pdf", "import.no_text", 0),
    (encrypted, "pdf", "import.locked", 0),
    (scan_only, "pdf", "import.no_text", 0),
    (truncated_pdf, "pdf", "import.broken", 0),
    (deep_html, "html", "import.too_large", 0),
]
