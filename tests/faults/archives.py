"""Archives and folders as nobody should make them: each a file or folder, and what must come of it."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

GOOD = {"good.csv": b"question,answer\na,b\n"}


def archive(path: Path, members: Mapping[str, bytes]) -> Path:
    """A ZIP with these members, whatever their names."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def slipping(path: Path, target: Path) -> Path:
    """Members whose paths lead out: upwards, absolute, by a Windows drive, by backslashes."""
    evil = b"question,answer\nevil,evil\n"
    names = ("../slip.csv", "a/../../slip.csv", str(target), "C:/slip.csv", "..\\slip.csv")
    return archive(path, {**GOOD, **dict.fromkeys(names, evil)})


def with_link(path: Path, target: Path) -> Path:
    """A member that is a symbolic link, and one that would be written through it."""
    with zipfile.ZipFile(path, "w") as file:
        link = zipfile.ZipInfo("door")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, str(target))
        file.writestr("door/inside.csv", "question,answer\nevil,evil\n")
        file.writestr("good.csv", GOOD["good.csv"])
    return path


def bomb(path: Path, megabytes: int = 300) -> Path:
    """Zeros without end, a thousandth of the size when packed."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open("zeros.csv", "w") as member:
        for _part in range(megabytes):
            member.write(b"0" * (1 << 20))
    return path


def lying_bomb(path: Path, megabytes: int = 300) -> Path:
    """The same, but its directory says that it is small."""
    bomb(path, megabytes)
    data = bytearray(path.read_bytes())
    central = data.rindex(b"PK\x01\x02")
    data[central + 24 : central + 28] = (1000).to_bytes(4, "little")
    path.write_bytes(data)
    return path


def many_entries(path: Path, count: int) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for number in range(count):
            file.writestr(f"{number}.csv", "")
    return path


def nested(path: Path) -> Path:
    """An archive in an archive."""
    inner = archive(path.with_suffix(".inner.zip"), GOOD)
    archive(path, {**GOOD, "more.zip": inner.read_bytes(), "old.tar.gz": b"\x1f\x8b\x08"})
    inner.unlink()
    return path


def encrypted(path: Path) -> Path:
    """A member that is marked as encrypted."""
    archive(path, GOOD)
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    path.write_bytes(data)
    return path


def loop_folder(folder: Path) -> Path:
    """Links to the folder itself, to its parent, to each other, to nowhere; and the same file twice."""
    (folder / "sub").mkdir(parents=True)
    (folder / "a.csv").write_bytes(GOOD["good.csv"])
    (folder / "sub" / "b.csv").write_bytes(b"question,answer\nc,d\n")
    os.symlink(folder, folder / "sub" / "up")
    os.symlink(folder / "sub", folder / "sub" / "self")
    os.symlink(folder / "two", folder / "one")
    os.symlink(folder / "one", folder / "two")
    os.symlink(folder / "nothing", folder / "nowhere")
    os.symlink(folder / "a.csv", folder / "z_again.csv")
    return folder
