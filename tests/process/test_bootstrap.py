"""bootstrap.py as a newcomer calls it: by path, from anywhere, before anything is installed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from installer.runner import Runner

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 120


def call(root: Path, *arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "DISPLAY")}
    # -S -I: nothing but the standard library can be imported, as on a bare machine.
    return subprocess.run(
        [sys.executable, "-I", "-S", str(root / "installer" / "bootstrap.py"), *arguments],
        cwd=cwd,
        env={**environment, "STUDIO_LANGUAGE": "en", "PYTHONUTF8": "1", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A source tree with the installer and the project file alone."""
    root = tmp_path / "编辑 copy"
    shutil.copytree(ROOT / "installer", root / "installer")
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


def test_help_needs_the_standard_library_alone(tmp_path: Path) -> None:
    answer = call(ROOT, "--help", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "{run,test,setup}" in answer.stdout
    chinese = call(ROOT, "--help", cwd=tmp_path, STUDIO_LANGUAGE="zh_CN")
    assert "安装产品矩阵工作室" in chinese.stdout


def test_failing_step_is_named_with_cause_advice_and_record(copy: Path, tmp_path: Path) -> None:
    # A file where the environment's folder should be: venv cannot be made, whoever runs this.
    (copy / ".venv").write_text("in the way", encoding="utf-8")
    answer = call(copy, "setup", "--headless", cwd=tmp_path, STUDIO_HOME=str(tmp_path / "home"))
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert "The step “Python and its private environment (.venv)” failed." in answer.stdout
    assert "What to do: " in answer.stdout
    record = copy / "build" / "setup" / "setup.log"
    assert f"Full record: {record}" in answer.stdout
    assert "-m venv" in record.read_text(encoding="utf-8")
    assert "Traceback" not in answer.stdout + answer.stderr
    assert not (tmp_path / "home").exists()


def test_unsupported_python_is_told_what_to_install(tmp_path: Path) -> None:
    code = (
        "import runpy, sys; sys.version_info = (3, 9, 2); sys.argv = ['bootstrap.py', 'run'];"
        f"runpy.run_path({str(ROOT / 'installer' / 'bootstrap.py')!r}, run_name='__main__')"
    )
    answer = subprocess.run(
        [sys.executable, "-I", "-S", "-X", "utf8", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert answer.returncode == 2
    assert "Python 3.9; the studio needs 3.11, 3.12 or 3.13" in answer.stderr


def test_runner_keeps_the_record_and_the_last_lines(tmp_path: Path) -> None:
    runner = Runner(tmp_path / "a" / "setup.log", tmp_path)
    outcome = runner.run([sys.executable, "-c", "for n in range(50): print(n)\nraise SystemExit(3)"])
    assert outcome.code == 3
    assert outcome.tail == tuple(str(number) for number in range(38, 50))
    assert "\n0\n1\n" in runner.record.read_text(encoding="utf-8")


def test_runner_reports_a_missing_tool(tmp_path: Path) -> None:
    outcome = Runner(tmp_path / "setup.log", tmp_path).run(["no-such-tool-anywhere"])
    assert not outcome.ok
    assert "no-such-tool-anywhere" in outcome.tail[0]


def test_child_does_not_see_another_pythons_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    code = "import os, sys; print(os.environ.get('PYTHONPATH'), sys.stdin.read() == '')"
    assert Runner(tmp_path / "log", tmp_path).run([sys.executable, "-c", code]).tail == ("None True",)


def is_running(pid: int) -> bool:
    """False for a finished process, also while nobody has collected it (PID 1 may be slow)."""
    try:
        os.kill(pid, 0)
        return " Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (ProcessLookupError, FileNotFoundError):
        return False


def ended(pid: int, within_s: float = 20.0) -> bool:
    """A signal that was sent is not yet a process that is gone: a busy machine takes its time."""
    until = time.monotonic() + within_s
    while is_running(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not is_running(pid)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_interrupt_ends_the_child_first(tmp_path: Path) -> None:
    def interrupt(line: str) -> bool:
        if line:
            raise KeyboardInterrupt
        return False

    # As venv does: the tool starts a tool of its own, which must not go on alone.
    inner = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    started_at = time.monotonic()
    runner = Runner(tmp_path / "log", tmp_path)
    pids: list[int] = []

    def remember(line: str) -> bool:
        if line:
            pids.append(int(line))
        return interrupt(line)

    with pytest.raises(KeyboardInterrupt):
        runner.run([sys.executable, "-c", code], remember)
    assert time.monotonic() - started_at < 60
    assert ended(pids[0])


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_says_one_sentence(copy: Path, tmp_path: Path) -> None:
    # The first tool that set-up starts is replaced by one that takes for ever.
    slow = "from installer.environment import Environment\nimport time\n"
    slow += "def for_ever(self):\n    print('waiting', flush=True)\n    time.sleep(600)\n"
    slow += "Environment.create = for_ever\n"
    bootstrap = copy / "installer" / "bootstrap.py"
    text = bootstrap.read_text(encoding="utf-8")
    hook = "    from installer.command import run_command\n"
    assert hook in text
    indented = "".join(f"    {line}\n" for line in slow.splitlines())
    bootstrap.write_text(text.replace(hook, indented + hook), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(bootstrap), "setup", "--headless"],
        cwd=tmp_path,
        env={**os.environ, "STUDIO_LANGUAGE": "en"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 130
    assert rest.strip() == "Stopped. What is finished is kept; run the same command again to go on."
