"""What a model hub has of a model, and what of it the studio takes: weights as safetensors, tokenizer, configuration.

Two kinds of hub: Hugging Face's and every mirror that speaks its API (``/api/models/{repo}?blobs=true`` and
``/{repo}/resolve/{revision}/{file}``), and ModelScope's (``/api/v1/models/{repo}/repo/files`` and ``/repo?FilePath=``).
Asked with a plain HTTP client: huggingface_hub 2.4 contacts its own host for telemetry even when a mirror is wanted,
obeys the offline mode that the rest of the studio runs in, and cannot resume a download in a new process.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2

from studio.errors import StudioError
from studio.i18n import _

ENDPOINTS = {"huggingface": "https://huggingface.co", "modelscope": "https://modelscope.cn"}
# Whatever is asked for, nothing else is taken: no pickles, no programs, no second copies in other formats.
TAKEN = (
    "model*.safetensors", "model.safetensors.index.json", "config.json", "generation_config.json", "tokenizer.json",
    "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "vocab.txt", "merges.txt", "chat_template.jinja", "chat_template.json", "LICENSE*", "LICENCE*", "NOTICE*",
)  # fmt: skip
_PROGRAMS = (".py", ".bin", ".pt", ".pth", ".pkl", ".sh", ".so", ".exe", ".dll")
REPO_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class RemoteFile:
    """A file of a model on a hub. sha256 or git_oid (SHA-1 of a git blob) tell whether it arrived whole."""

    path: str
    size: int
    url: str
    sha256: str = ""
    git_oid: str = ""


@dataclass(frozen=True)
class Listing:
    """The files to fetch of one revision of a model."""

    hub: str
    repo: str
    revision: str
    licence: str
    files: tuple[RemoteFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def new_client(on_host: Callable[[str], None]) -> httpx2.Client:
    """An HTTP client that tells each host before it contacts it, redirects included, and never waits for ever."""

    def tell(request: httpx2.Request) -> None:
        on_host(request.url.host)

    return httpx2.Client(
        event_hooks={"request": [tell]},
        follow_redirects=True,
        timeout=httpx2.Timeout(30, connect=10),
        headers={"user-agent": "product-matrix-studio"},
    )


def list_model(
    hub: str, endpoint: str, repo: str, allow: Sequence[str], on_host: Callable[[str], None]
) -> Listing:
    """What to fetch of ``repo``. endpoint: address of the hub, empty for the hub's own; allow: file name patterns.
    on_host hears each host before it is contacted.

    Raises StudioError ``hub.bad_name``, ``hub.no_mirror``, ``hub.not_found``, ``hub.no_access``,
    ``hub.unreachable``, ``hub.answer``, ``model.no_weights``.
    """
    if not REPO_NAME.fullmatch(repo):
        raise StudioError(
            "hub.bad_name",
            _("“{name}” is not the name of a model on a hub.").format(name=repo[:100]),
            _("Names look like publisher/model."),
        )
    address = address_of(hub, endpoint)
    with hub_errors(repo, urlsplit(address).hostname or address):
        if hub == "modelscope":
            revision, licence, files = _modelscope(address, repo, on_host)
        else:
            revision, licence, files = huggingface(
                f"{address}/api/models/{repo}", f"{address}/{repo}/resolve", on_host
            )
    files = [file for file in files if _is_taken(file.path, allow)]
    if not any(file.path.endswith(".safetensors") for file in files):
        raise StudioError(
            "model.no_weights",
            _("The model {name} has no weights in the safetensors format on this hub.").format(name=repo),
            _("Choose another model; other formats can run programs and are not fetched."),
        )
    return Listing(hub, repo, revision, licence, tuple(files))


def _is_taken(path: str, allow: Sequence[str]) -> bool:
    """Only plain names in the top folder: no way out of the target, no variants in sub-folders."""
    if "/" in path or "\\" in path or path.startswith(".") or path.lower().endswith(_PROGRAMS):
        return False
    wanted = not allow or any(fnmatch(path, pattern) for pattern in allow)
    return wanted and any(fnmatch(path, pattern) for pattern in TAKEN)


def address_of(hub: str, endpoint: str) -> str:
    """Where this hub is asked. Raises StudioError ``hub.no_mirror``."""
    address = (endpoint or ENDPOINTS.get(hub, "")).rstrip("/")
    if not address.startswith(("https://", "http://")):
        raise StudioError("hub.no_mirror", _("No mirror address is set."), _("Enter it in the settings."))
    return address


def huggingface(api: str, resolve: str, on_host: Callable[[str], None]) -> tuple[str, str, list[RemoteFile]]:
    """(revision, licence, files) of a repository. api: where it is described; resolve: where its files are."""
    with new_client(on_host) as client:
        response = client.get(api, params={"blobs": "true"})
    response.raise_for_status()
    info = response.json()
    revision = str(info["sha"])
    files = [_huggingface_file(f"{resolve}/{quote(revision)}", file) for file in info["siblings"]]
    licence = (info.get("cardData") or {}).get("license") or ""
    return revision, ", ".join(map(str, licence)) if isinstance(licence, list) else str(licence), files


def _huggingface_file(base: str, file: dict[str, Any]) -> RemoteFile:
    path, large = str(file["rfilename"]), file.get("lfs") or {}
    return RemoteFile(
        path,
        int(file.get("size") or large.get("size") or 0),
        f"{base}/{quote(path)}",
        sha256=str(large.get("sha256") or ""),
        git_oid="" if large else str(file.get("blobId") or ""),
    )


def _modelscope(address: str, repo: str, on_host: Callable[[str], None]) -> tuple[str, str, list[RemoteFile]]:
    base = f"{address}/api/v1/models/{repo}/repo"
    with new_client(on_host) as client:
        response = client.get(f"{base}/files", params={"Revision": "master", "Recursive": "true"})
    response.raise_for_status()
    answer = response.json()
    if answer.get("Code", 200) != 200:  # an unknown model is told so, with status 200
        raise not_found(repo)
    files = [
        RemoteFile(
            str(file["Path"]),
            int(file["Size"]),
            f"{base}?Revision={quote(str(file.get('Revision') or 'master'))}&FilePath={quote(str(file['Path']))}",
            sha256=str(file.get("Sha256") or ""),
        )
        for file in answer["Data"]["Files"]
        if file.get("Type") != "tree"
    ]
    newest = answer["Data"].get("LatestCommitter") or {}
    return str(newest.get("Id") or "master"), "", files


@contextmanager
def hub_errors(repo: str, host: str) -> Iterator[None]:
    """Turn what the network and the hub raise into sentences."""
    try:
        yield
    except httpx2.HTTPStatusError as error:
        status, code = error.response.status_code, error.response.headers.get("x-error-code", "")
        if (
            status == 404 or code == "RepoNotFound"
        ):  # Hugging Face sends 401 and this code for an unknown model
            raise not_found(repo) from error
        if status in (401, 403):
            raise _no_access(repo) from error
        raise unreachable(host, f"HTTP {status}") from error
    except httpx2.HTTPError as error:
        raise unreachable(host, str(error) or type(error).__name__) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StudioError(
            "hub.answer",
            _("The hub {host} answered something that the studio does not understand.").format(host=host),
            _("Check the address of the hub in the settings."),
        ) from error


def unreachable(host: str, reason: str) -> StudioError:
    """StudioError ``hub.unreachable``."""
    return StudioError(
        "hub.unreachable",
        _("The hub {host} cannot be reached: {reason}").format(host=host, reason=reason[:200]),
        _("Check the connection, or choose another hub in the settings. What was fetched so far is kept."),
    )


def not_found(repo: str) -> StudioError:
    return StudioError(
        "hub.not_found",
        _("The hub has nothing named {name}.").format(name=repo),
        _("Check the name, or choose another hub in the settings."),
    )


def _no_access(repo: str) -> StudioError:
    return StudioError(
        "hub.no_access",
        _("The publisher of {name} gives it only to people who have signed in and agreed.").format(name=repo),
        _("Choose another one, or download it yourself and add its folder."),
    )
