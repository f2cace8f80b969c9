"""Base models: which there are, which the studio knows of, and how another one gets in."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path

from pydantic import TypeAdapter

from studio.domain.architectures import Architecture, architecture_title
from studio.domain.basemodels import BaseModelInfo, BaseSource, CatalogueEntry, base_kind
from studio.domain.datasets import DatasetVersion
from studio.errors import NotFoundError, StudioError
from studio.i18n import _
from studio.paths import DEFAULT_BASE_MODEL, DEFAULT_ENCODER
from studio.protocol.events import Event
from studio.services.changes import ChangeBus, Changes
from studio.services.files import write_atomically
from studio.services.hub_consent import check_consent, endpoint_of
from studio.services.model_folder import inspect_folder, read_config
from studio.services.outbound import OutboundLog
from studio.services.ports import BaseModelRepository, RunJob
from studio.services.settings import SettingsService
from studio.words import listed

SOURCE_FILE = "studio_model.json"  # beside a model that the studio made or fetched: where it came from
FETCHED = [
    "*.safetensors",
    "*.safetensors.index.json",
    "config.json",
    "generation_config.json",
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template*",
    "preprocessor_config.json",
    "LICENSE*",
]
_BUNDLED = (DEFAULT_BASE_MODEL, DEFAULT_ENCODER)
_catalogue: TypeAdapter[list[CatalogueEntry]] = TypeAdapter(list[CatalogueEntry])


class ModelService:
    """Base models in the models folder (shared by all workspaces) and in folders that the user registered."""

    def __init__(
        self,
        repository: BaseModelRepository,
        models_dir: Path,
        catalogue_file: Path,
        settings: SettingsService,
        outbound: OutboundLog,
        changes: ChangeBus,
        run_job: RunJob,
    ) -> None:
        self._repository = repository
        self._models_dir = models_dir
        self._catalogue_file = catalogue_file
        self._settings = settings
        self._outbound = outbound
        self._changes = changes
        self._run_job = run_job

    def catalogue(self) -> list[CatalogueEntry]:
        """Base models that the studio knows of, smallest first."""
        entries = _catalogue.validate_json(self._catalogue_file.read_bytes())
        return sorted(entries, key=lambda entry: entry.parameters)

    def available(self) -> list[BaseModelInfo]:
        """Base models that can be used now: the defaults first, then by size. Broken ones are left out."""
        folders = sorted(self._models_dir.iterdir()) if self._models_dir.is_dir() else []
        found = [info for path in folders if not path.name.startswith(".") and (info := self._try(path))]
        known = self._repository.list()
        registered = [_with_kind(info) for info in known if (Path(info.path) / "config.json").is_file()]
        return sorted(
            [*found, *registered], key=lambda info: (info.source is not BaseSource.BUNDLED, info.parameters)
        )

    def default(self) -> BaseModelInfo | None:
        """The base model that the installer left, or None when it did not run."""
        return self._try(self._models_dir / DEFAULT_BASE_MODEL)

    def first(self, kind: Architecture) -> BaseModelInfo:
        """The base for models of this kind when none is named. Raises NotFoundError ``model.none_of_kind``."""
        fitting = (info for info in self.available() if info.serves(kind))
        found = next(fitting, None)
        if found is None:
            raise NotFoundError(
                "model.none_of_kind",
                _("There is no base model of the kind “{kind}” on this computer.").format(
                    kind=architecture_title(kind)
                ),
                _("Get one on the Train page, or name its folder with --base."),
            )  # fmt: skip
        return found

    def get(self, model_id: str) -> BaseModelInfo:
        """An available base model by id, name or folder. Raises NotFoundError ``model.unknown``."""
        for info in self.available():
            if model_id in (info.id, info.name, info.path):
                return info
        raise NotFoundError(
            "model.unknown", _("There is no base model “{name}” here.").format(name=model_id),
            _("Choose one of those listed, or add its folder first."),
        )  # fmt: skip

    def register_folder(self, path: Path | str) -> BaseModelInfo:
        """Use the model in any folder from now on; it stays where it is. Raises StudioError as inspect_folder does."""
        info = self._described(Path(path).expanduser().absolute(), BaseSource.FOLDER)
        self._repository.add(info)
        self._changes.publish(Changes.MODELS)
        return info

    def unregister(self, model_id: str) -> Changes:
        """Forget a registered folder; its files are not touched."""
        self._repository.remove(model_id)
        return self._changes.publish(Changes.MODELS)

    def register_gguf(
        self,
        path: Path | str,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> BaseModelInfo:
        """Convert a GGUF file into the models folder, once. Blocking; raises StudioError, JobCancelled."""
        file = Path(path).expanduser().absolute()
        if not file.is_file():
            raise NotFoundError("model.no_file", _("There is no file {path}.").format(path=file.name))
        if made := self._made_of(file):
            return made
        target = self._free_folder(file.stem)
        self._run_job(["convert", "--gguf", str(file), "--out", str(target)], None, on_event, cancel)
        return self._arrived(target, BaseSource.GGUF, str(file))

    def fetch(
        self,
        wanted: CatalogueEntry | str,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> BaseModelInfo:
        """Fetch a catalogue entry or a repository id from the hub chosen in the settings. Blocking.

        Raises StudioError ``hub.no_consent``, ``hub.no_mirror``, ``hub.not_there``, and what the child reports;
        JobCancelled. Every host that is contacted is recorded.
        """
        settings = self._settings.current
        check_consent(settings)
        endpoint = endpoint_of(settings.hub, settings.hub_mirror)
        repo = _repository_id(wanted, settings.hub)
        target = self._models_dir / (
            wanted.id if isinstance(wanted, CatalogueEntry) else slug(repo.split("/")[-1])
        )
        if info := self._try(target):
            return info
        payload = {
            "repo": repo, "endpoint": endpoint, "hub": settings.hub,
            "out_dir": str(target), "allow": FETCHED,
        }  # fmt: skip
        purpose = _("Fetching the base model {name}").format(name=repo)
        self._run_job(["fetch"], payload, self._outbound.watching(purpose, on_event), cancel)
        return self._arrived(target, BaseSource.HUB, repo)

    def language_warning(self, base: BaseModelInfo, dataset: DatasetVersion) -> str | None:
        """A sentence when the data is Chinese and the base model is known not to be, with the models that are."""
        if base.knows(dataset.languages):
            return None
        kind = base.kind or Architecture.LANGUAGE_MODEL
        names = listed(
            entry.name for entry in self.catalogue() if "zh" in entry.languages and entry.kind is kind
        )
        if kind is Architecture.ENCODER:
            return _(
                "Your data is Chinese, and {name} hardly knows Chinese: it will tell your texts apart poorly. Choose a "
                "kind of model from scratch, or a base model that knows Chinese: {names}."
            ).format(name=base.name, names=names)
        return _(
            "Your data is Chinese, and {name} hardly knows Chinese: its answers will be poor. "
            "Base models that know Chinese: {names}."
        ).format(name=base.name, names=names)

    def _made_of(self, file: Path) -> BaseModelInfo | None:
        """The model that was converted from this file, unless the file has changed since."""
        for info in self.available():
            record = Path(info.path) / SOURCE_FILE
            if info.source is BaseSource.GGUF and _origin(record) == str(file):
                return info if record.stat().st_mtime >= file.stat().st_mtime else None
        return None

    def _arrived(self, target: Path, source: BaseSource, origin: str) -> BaseModelInfo:
        write_atomically(target / SOURCE_FILE, json.dumps({"source": source.value, "origin": origin}))
        info = self._described(target, source)
        self._changes.publish(Changes.MODELS)
        return info

    def _described(self, path: Path, source: BaseSource) -> BaseModelInfo:
        entry = next((e for e in self.catalogue() if e.id == slug(path.name)), None)
        info = inspect_folder(path, source, entry.languages if entry else (), entry.licence if entry else "")
        if source is BaseSource.FOLDER:
            taken = {other.id for other in self.available() if other.path != info.path}
            info = info.model_copy(update={"id": _unused(slug(info.id), taken)})
        return info.model_copy(update={"name": entry.name}) if entry else info

    def _try(self, path: Path) -> BaseModelInfo | None:
        try:
            return self._described(path, _source_of(path))
        except StudioError:
            return None

    def _free_folder(self, name: str) -> Path:
        self._models_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        taken = {path.name for path in self._models_dir.iterdir()}
        return self._models_dir / _unused(slug(name), taken)


def slug(name: str) -> str:
    """A name as a folder of the models folder: lower case, letters, digits, dots and dashes."""
    return re.sub(r"[^\w.]+", "-", name.lower()).strip("-.")[:80] or "model"


def _unused(name: str, taken: set[str]) -> str:
    candidates = (name if n == 1 else f"{name}-{n}" for n in range(1, len(taken) + 2))
    return next(candidate for candidate in candidates if candidate not in taken)


def _repository_id(wanted: CatalogueEntry | str, hub: str) -> str:
    if isinstance(wanted, str):
        return wanted.strip()
    repo = wanted.hub_ids.get("huggingface" if hub == "mirror" else hub)
    if repo is None:
        raise StudioError(
            "hub.not_there", _("{name} is not on this hub.").format(name=wanted.name),
            _("Choose another hub in the settings."),
        )  # fmt: skip
    return repo


def _with_kind(info: BaseModelInfo) -> BaseModelInfo:
    """Models that were registered before kinds were told apart have none stored."""
    if info.kind is not None:
        return info
    return info.model_copy(update={"kind": base_kind(read_config(Path(info.path)))})


def _source_of(path: Path) -> BaseSource:
    if path.name in _BUNDLED:
        return BaseSource.BUNDLED
    try:
        return BaseSource(json.loads((path / SOURCE_FILE).read_text(encoding="utf-8"))["source"])
    except (OSError, ValueError, KeyError, TypeError):
        return BaseSource.HUB


def _origin(record: Path) -> str:
    try:
        return str(json.loads(record.read_text(encoding="utf-8"))["origin"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
