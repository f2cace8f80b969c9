"""The store of recordings that all datasets share: what is taken can be decoded from its beginning to its end."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Final

from studio.ingest.dataset.file_store import FileFault, FileStore, content_of, name_of

MAX_SECONDS: Final = 600.0
# What the sound library calls a format -> the ending in the store.
ENDINGS: Final = {
    "WAV": "wav", "WAVEX": "wav", "FLAC": "flac", "OGG": "ogg", "MP3": "mp3", "AIFF": "aiff", "W64": "w64",
    "AU": "au", "CAF": "caf",
}  # fmt: skip
_BLOCK: Final = 1 << 18  # samples decoded at once
_UNKNOWN: Final = 0x7FFF0000  # bytes


def store_recording(path: Path, store: FileStore) -> str:
    """Take the recording into ``store``; its name there, ``<sha256>.<ending>``, the ending by content.

    The bytes are stored unchanged.
    Raises FileFault (audio_missing, audio_too_large, audio_unknown, audio_broken) and OSError of the store.
    """
    import soundfile  # its library is loaded by those who have recordings only

    content = content_of(path, "audio")
    try:
        file = soundfile.SoundFile(BytesIO(content))
    except (soundfile.SoundFileError, RuntimeError, TypeError, ValueError) as error:
        raise FileFault("audio_unknown") from error
    with file:
        ending = ENDINGS.get(file.format)
        if ending is None:
            raise FileFault("audio_unknown")
        name = name_of(content, ending)
        if not store.holds(content, name):
            if _is_cut(content):
                raise FileFault("audio_broken")
            _decode(file)
            store.keep(content, name)
    return name


def _is_cut(content: bytes) -> bool:
    """Whether a WAV file says that it is longer than it is, which the library takes without a word. Programs that
    write into a pipe cannot know the length and put a very large one."""
    said = int.from_bytes(content[4:8], "little")
    return content.startswith(b"RIFF") and said < _UNKNOWN and said + 8 > len(content) + 1


def _decode(file: object) -> None:
    """Every sample once. Raises FileFault."""
    import soundfile

    assert isinstance(file, soundfile.SoundFile)
    if file.frames > MAX_SECONDS * file.samplerate:
        raise FileFault("audio_too_large")
    heard = 0
    try:
        while block := len(file.read(_BLOCK, dtype="float32", always_2d=True)):
            heard += block
            if heard > MAX_SECONDS * file.samplerate:
                raise FileFault("audio_too_large")
    except (soundfile.SoundFileError, RuntimeError) as error:
        raise FileFault("audio_broken") from error
    if not heard or heard < file.frames:
        raise FileFault("audio_broken")
