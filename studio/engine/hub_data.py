"""Fetches a dataset from a hub: data files of known kinds and the card that names the licence, nothing that could run.

Hugging Face's interface and that of its mirrors: ``/api/datasets/{repo}?blobs=true`` and
``/datasets/{repo}/resolve/{revision}/{file}``. ModelScope's: ``/api/v1/datasets/{repo}`` for the number of the dataset,
``/api/v1/datasets/{number}/repo/tree`` page by page, and ``/api/v1/datasets/{repo}/repo?FilePath=``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx2

from studio.engine.folders import note_source, publish
from studio.engine.hub_listing import (
    REPO_NAME,
    Listing,
    RemoteFile,
    address_of,
    hub_errors,
    huggingface,
    new_client,
    not_found,
)
from studio.engine.hub_transfer import Transfer
from studio.engine.weights import INFO_FILE, read_json
from studio.errors import StudioError
from studio.i18n import _

DATA_FOLDER = "data"  # of a fetched dataset; what is beside it tells of the data
MAX_BYTES = 20 * 10**9
MAX_FILES = 10_000
KINDS = frozenset({
    ".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".arrow", ".txt", ".md", ".zip", ".xlsx",
})  # fmt: skip
_CARDS = r"README\.md|LICEN[SC]E[\w.-]*"
_NO_DATA = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "requirements.txt")
_PAGE = 100
_LICENCE = re.compile(r"^licen[sc]e:[ \t]*(?:\[?[ \t]*(\S[^\]\n]*)|\n[ \t]*-[ \t]*(\S.*))", re.MULTILINE)


@dataclass(frozen=True)
class FetchedData:
    """folder: where the data files are; files: their paths in it."""

    folder: Path
    licence: str
    files: list[str]


class DataFetcher:
    """One dataset, from listing to published folder; the arguments are those of Transfer."""

    def __init__(
        self,
        target: Path,
        *,
        on_host: Callable[[str], None],
        on_progress: Callable[[int, int], None],
        check: Callable[[], None],
    ) -> None:
        self._target = target
        self._on_host = on_host
        self._transfer = Transfer(target, on_host=on_host, on_progress=on_progress, check=check)

    def fetch(self, hub: str, endpoint: str, repo: str, allow: Sequence[str] = ()) -> FetchedData:
        """Fetch and publish; a revision that is here already is not fetched again, a newer one goes beside it.

        Raises StudioError as list_dataset, and what Transfer.run raises.
        """
        listing = list_dataset(hub, endpoint, repo, allow, self._on_host)
        here = next((path for path in self._places(listing) if _holds(path, listing)), None)
        if here is not None:
            return _told(here, listing)
        return self._transfer.run(lambda: listing, self._publish)

    def _places(self, listing: Listing) -> tuple[Path, Path]:
        mark = re.sub(r"\W", "", listing.revision)[:12]
        return self._target, self._target.with_name(f"{self._target.name}-{mark}")

    def _publish(self, parts: Path, listing: Listing) -> FetchedData:
        licence = listing.licence or _licence_in(parts / "README.md")
        note_source(
            parts,
            format="hub-dataset",
            source=listing.repo,
            hub=listing.hub,
            revision=listing.revision,
            licence=licence,
        )
        target = next((path for path in self._places(listing) if not path.exists()), self._target)
        publish(parts, target)
        return _told(target, listing)


def list_dataset(
    hub: str, endpoint: str, repo: str, allow: Sequence[str], on_host: Callable[[str], None]
) -> Listing:
    """What to fetch of ``repo``; the paths of data files begin with DATA_FOLDER. The arguments are list_model's.

    Raises StudioError ``hub.bad_name``, ``hub.no_mirror``, ``hub.not_found``, ``hub.no_access``,
    ``hub.unreachable``, ``hub.answer``, ``hub.no_data``, ``hub.too_large``.
    """
    if not REPO_NAME.fullmatch(repo):
        raise StudioError(
            "hub.bad_name",
            _("“{name}” is not the name of a dataset on a hub.").format(name=repo[:100]),
            _("Names look like publisher/dataset."),
        )
    address = address_of(hub, endpoint)
    with hub_errors(repo, urlsplit(address).hostname or address):
        if hub == "modelscope":
            revision, licence, files = _modelscope(address, repo, on_host)
        else:
            revision, licence, files = huggingface(
                f"{address}/api/datasets/{repo}", f"{address}/datasets/{repo}/resolve", on_host
            )
    data = [replace(f, path=f"{DATA_FOLDER}/{f.path}") for f in files if _is_data(f.path, allow)]
    if not data:
        raise StudioError(
            "hub.no_data",
            _(
                "The dataset {name} has no file that can be read (CSV, JSON, Parquet, text and the like)."
            ).format(name=repo),
            _("Choose another dataset; programs that make data are not fetched or run."),
        )
    cards = [f for f in files if re.fullmatch(_CARDS, f.path)]
    listing = Listing(hub, repo, revision, licence, tuple(cards + data))
    _check_size(listing)
    return listing


def _check_size(listing: Listing) -> None:
    if listing.size > MAX_BYTES or len(listing.files) > MAX_FILES:
        raise StudioError(
            "hub.too_large",
            _(
                "The dataset {name} has {count} files of {size} GB in all; at most {most} GB are fetched."
            ).format(
                name=listing.repo,
                count=len(listing.files),
                size=round(listing.size / 10**9, 1),
                most=MAX_BYTES // 10**9,
            ),
            _("Choose a smaller one, or download the part that you need yourself."),
        )


def _is_data(path: str, allow: Sequence[str]) -> bool:
    """A file of a known kind with a path that stays inside the folder, and that names nothing hidden."""
    parts = path.split("/")
    if "\\" in path or ":" in path or any(not part or part.startswith(".") for part in parts):
        return False
    if path in ("README.md", *_NO_DATA) or parts[-1] in _NO_DATA:
        return False
    wanted = not allow or any(fnmatch(path, pattern) for pattern in allow)
    return wanted and PurePosixPath(path).suffix.lower() in KINDS


def _modelscope(address: str, repo: str, on_host: Callable[[str], None]) -> tuple[str, str, list[RemoteFile]]:
    base = f"{address}/api/v1/datasets"
    with new_client(on_host) as client:
        about = _answer(client.get(f"{base}/{repo}"), repo)
        entries: list[dict[str, Any]] = []
        for page in range(1, MAX_FILES // _PAGE + 2):
            asked: dict[str, str | int] = {
                "Revision": "master",
                "Root": "/",
                "Recursive": "True",
                "PageNumber": page,
                "PageSize": _PAGE,
            }
            found = _answer(client.get(f"{base}/{about['Id']}/repo/tree", params=asked), repo)["Files"]
            entries += found
            if len(found) < _PAGE:
                break
    files = [
        RemoteFile(
            str(entry["Path"]), int(entry["Size"]), _url(base, repo, entry), str(entry.get("Sha256") or "")
        )
        for entry in entries
        if entry.get("Type") != "tree"
    ]
    newest = max((str(entry.get("CommittedDate") or "") for entry in entries), default="")
    return newest or "master", str(about.get("License") or ""), files


def _url(base: str, repo: str, entry: dict[str, Any]) -> str:
    asked = {"Source": "SDK", "Revision": "master", "FilePath": str(entry["Path"])}
    return f"{base}/{repo}/repo?{urlencode(asked, quote_via=quote)}"


def _answer(response: httpx2.Response, repo: str) -> dict[str, Any]:
    response.raise_for_status()
    answer = response.json()
    if answer.get("Code", 200) != 200:  # an unknown dataset is told so, with status 200
        raise not_found(repo)
    data: dict[str, Any] = answer["Data"]
    return data


def _holds(folder: Path, listing: Listing) -> bool:
    """Whether this very revision of these files was published there."""
    if not (folder / INFO_FILE).is_file():
        return False
    facts = read_json(folder / INFO_FILE)
    same = (facts.get("source"), facts.get("hub"), facts.get("revision"))
    whole = all(
        (folder / file.path).is_file() and (folder / file.path).stat().st_size == file.size
        for file in listing.files
    )
    return whole and same == (listing.repo, listing.hub, listing.revision)


def _told(folder: Path, listing: Listing) -> FetchedData:
    files = [file.path.partition("/")[2] for file in listing.files if file.path.startswith(f"{DATA_FOLDER}/")]
    return FetchedData(folder / DATA_FOLDER, str(read_json(folder / INFO_FILE).get("licence") or ""), files)


def _licence_in(card: Path) -> str:
    """The licence in the card's front matter, "" for none."""
    if not card.is_file():
        return ""
    text = card.read_text(encoding="utf-8", errors="replace")[:65536].replace("\r\n", "\n")
    front = text[4:].partition("\n---")[0] if text.startswith("---\n") else ""
    found = _LICENCE.search(front)
    return (found[1] or found[2]).strip().strip("\"'") if found else ""
