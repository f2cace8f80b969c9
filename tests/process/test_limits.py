"""The limits of data jobs bite: memory, time, files, no network; and only the child ends."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

import pytest

from studio.protocol.codec import decode_event
from studio.protocol.events import Event, Failed
from studio.worker.io import EventWriter
from studio.worker.limits import JOB_LIMITS, Limits, Watch, isolate

WAIT_S = 60
linux = pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
PREFACE = """
import sys, time
from studio.worker.io import EventWriter
from studio.worker.limits import Limits, Watch, restrict, isolate
"""


def run_child(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PREFACE + code],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        start_new_session=True,
        check=False,
    )


def events(text: str) -> list[Event]:
    found = [decode_event(line) for line in text.splitlines()]
    return [event for event in found if event is not None]


def test_a_memory_hog_is_ended_with_a_sentence() -> None:
    done = run_child("""
Watch(EventWriter(1), Limits(memory_bytes=200 << 20)).start()
hog = []
while True:
    hog.append(bytearray(b"x") * (4 << 20))
    time.sleep(0.002)
""")
    (failed,) = events(done.stdout)
    assert isinstance(failed, Failed)
    assert failed.code == "import.out_of_memory"
    assert "200 MB" in failed.message
    assert done.returncode == 1


@linux
def test_a_hog_faster_than_the_watch_meets_the_wall() -> None:
    done = run_child("""
restrict(Limits(memory_bytes=200 << 20))
try:
    bytearray(2 << 30)
except MemoryError:
    print("refused")
""")
    assert done.stdout == "refused\n"


@linux
def test_polars_lives_within_the_wall_of_an_import() -> None:
    done = run_child("""
from studio.worker.limits import JOB_LIMITS
restrict(JOB_LIMITS["import"])
import polars as pl
print(pl.DataFrame({"a": range(3_000_000)}).with_columns(pl.col("a").cast(pl.String).alias("b"))["b"].n_unique())
""")
    assert done.stdout == "3000000\n", done.stderr


def test_a_job_that_takes_too_long_is_ended() -> None:
    done = run_child("""
Watch(EventWriter(1), Limits(wall_s=0.3)).start()
time.sleep(30)
""")
    (failed,) = events(done.stdout)
    assert isinstance(failed, Failed)
    assert failed.code == "import.too_slow"


def watch(limits: Limits) -> Watch:
    return Watch(EventWriter(None), limits)


def test_a_stall_is_told_from_work() -> None:
    idle = watch(Limits(stall_s=5.0))
    now = time.monotonic()
    assert idle.broken_limit(0, now) is None
    failed = idle.broken_limit(0, now + 6.0)
    assert isinstance(failed, Failed)
    assert failed.code == "import.stalled"

    busy = watch(Limits(stall_s=5.0))
    assert busy.broken_limit(0, now) is None
    busy.seen_at = now + 4.0
    assert busy.broken_limit(0, now + 4.0) is None
    assert busy.broken_limit(0, now + 8.0) is None


@linux
def test_files_and_core_dumps_are_limited() -> None:
    done = run_child("""
import resource, tempfile, errno
restrict(Limits(open_files=64, file_bytes=1 << 20))
print(resource.getrlimit(resource.RLIMIT_CORE)[1], resource.getrlimit(resource.RLIMIT_NOFILE)[1])
with tempfile.TemporaryFile(buffering=0) as file:
    try:
        while True:
            file.write(bytes(1 << 16))
    except OSError as error:
        print(errno.errorcode[error.errno], file.tell())
import os
print(os.nice(0) >= 10)
""")
    assert done.stdout.split() == ["0", "64", "EFBIG", str(1 << 20), "True"], done.stderr


CONNECT = """
import socket
isolate("{job}")
try:
    socket.create_connection(("127.0.0.1", {port}), 5).close()
    print("connected")
except PermissionError as error:
    print("refused")
"""


@pytest.mark.parametrize("job", sorted(JOB_LIMITS))
def test_only_the_fetching_job_reaches_the_network(job: str) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        done = run_child(CONNECT.format(job=job, port=server.getsockname()[1]))
    assert done.stdout.strip() == ("connected" if job == "fetch-dataset" else "refused"), done.stderr


@linux
def test_native_code_is_held_by_the_system_where_it_can_be() -> None:
    """A C library does not ask Python's audit hooks; the network namespace holds it all the same."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        done = run_child(f"""
import ctypes, os, struct
from studio.worker.isolation import leave_network
held = leave_network()
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.socket(2, 1, 0)
address = struct.pack("<H", 2) + struct.pack(">H", {server.getsockname()[1]}) + bytes([127, 0, 0, 1]) + bytes(8)
print(held, libc.connect(fd, address, 16), os.getuid())
""")
    held, connected, user = done.stdout.split()
    if held == "False":
        pytest.skip("this system gives no network namespace")
    assert connected == "-1"
    assert int(user) == os.getuid()


def test_other_jobs_are_let_be() -> None:
    isolate("train")  # would refuse this process its sockets for ever
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))


def test_every_data_job_has_limits() -> None:
    from studio.worker.main import JOBS

    models = {"train", "estimate", "chat", "convert", "fetch", "predict"}
    assert set(JOB_LIMITS) == set(JOBS) - models
