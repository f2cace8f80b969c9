"""Commands: imperatives that a worker is given, one JSON object a line."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from studio.domain.sampling import Sampling


class Command(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Stop(Command):
    """Finish the step, save, keep the model; in a chat: end the answer of ``request_id`` (empty: all)."""

    type: Literal["stop"] = "stop"
    request_id: str = ""


class Cancel(Command):
    """Drop the job and what it made."""

    type: Literal["cancel"] = "cancel"


class Pause(Command):
    type: Literal["pause"] = "pause"


class Resume(Command):
    type: Literal["resume"] = "resume"


class Load(Command):
    """Chat and predict: put a model into a slot. adapter_dir: a LoRA adapter over base_dir; threads: None for the
    default. A predictor is one folder, base_dir.

    device: "cpu" while a run has the GPU.
    """

    type: Literal["load"] = "load"
    slot: str
    name: str
    base_dir: str
    adapter_dir: str | None = None
    threads: int | None = None
    device: Literal["auto", "cpu"] = "auto"


class Unload(Command):
    type: Literal["unload"] = "unload"
    slot: str


class ChatMessage(BaseModel):
    model_config = ConfigDict(frozen=True)

    role: Literal["system", "user", "assistant"]
    content: str


class Generate(Command):
    """Chat: answer the conversation with the model in ``slot``. details: send probabilities with each token."""

    type: Literal["generate"] = "generate"
    request_id: str
    slot: str
    messages: list[ChatMessage]
    sampling: Sampling = Sampling()
    details: bool = False


class Predict(Command):
    """Predict: answer each input with the model in ``slot``: {"text"}, {"image": path}, {"audio": path}, {"user",
    "count"}, {"history": [items], "count"}, or {"sample": how many pictures, "seed", "folder"}.
    """

    type: Literal["predict"] = "predict"
    request_id: str
    slot: str
    inputs: list[dict[str, Any]]


class Quit(Command):
    type: Literal["quit"] = "quit"


AnyCommand = Annotated[
    Stop | Cancel | Pause | Resume | Load | Unload | Generate | Predict | Quit, Field(discriminator="type")
]
