"""Data on the command line as a person uses it: real workers from import to export."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from studio.cli.app import main
from studio.paths import settings_file
from studio.services.settings import SettingsService
from tests.helpers.hub_server import HubServer
from tests.process.test_cli import ROOT, TIMEOUT_S, Said, start

PHONE = "13812345678"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "workspace"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Sixty good rows, one of them twice, one with markup, one with a phone number, and one without an answer."""
    lines = [
        "question,answer",
        *(f"Where is order number {n}?,Order {n} was sent yesterday by post." for n in range(60)),
    ]
    lines += [lines[1], "<p>Do you ship abroad?</p>,Yes to all countries of the world.", "And this one?,"]
    lines.append(f"How can I return it to you?,Call my colleague at {PHONE} before noon.")
    path = tmp_path / "商店.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


Call = Callable[..., Said]


@pytest.fixture
def studio(place: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """A verb in this process, its workers in processes of their own."""

    def run(*arguments: str) -> Said:
        capsys.readouterr()
        code = main([*arguments, "--workspace", str(place), "--json"])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


def good(said: Said) -> Said:
    assert said.code == 0, said.err
    assert "Traceback" not in said.err
    return said


@pytest.mark.slow
def test_from_import_to_export(studio: Call, shop: Path, tmp_path: Path) -> None:
    first = good(studio("import", str(shop), "--licence", "CC0")).data
    assert (first["rows"], first["rejected"], first["number"]) == (63, 1, 1)

    report = good(studio("data", "doctor")).data
    found = {finding["kind"]: finding for finding in report["findings"]}
    assert found["exact_duplicates"]["rows"] >= 1
    assert found["markup"]["rows"] == 1
    assert found["private_data"]["details"]["kinds"] == {"phone": 1}

    tried = good(studio("data", "fix", "--dry-run", "markup")).data
    assert tried["steps"][0]["preview"]["changed"] == 1
    fixed = good(studio("data", "fix", "exact_duplicates", "markup", "private_data=mask")).data
    assert (fixed["number"], fixed["rows"], fixed["parent_id"]) == (2, 62, first["id"])
    edited = good(studio("data", "edit", "--set", "1:response=Here it is.", "--remove", "2")).data
    assert (edited["number"], edited["rows"]) == (3, 61)
    split = good(studio("data", "split", "--validation", "0.2", "--test", "0.2")).data
    assert split["splits"]["train"] < edited["splits"]["train"]

    diff = good(studio("data", "compare", f"{edited['id']}", f"{fixed['id']}")).data
    assert (diff["changed"], diff["removed"], diff["added"]) == (1, 1, 0)
    assert good(studio("data", "undo")).data["id"] == edited["id"]
    assert good(studio("data", "redo")).data["id"] == split["id"]
    back = good(studio("data", "restore", "2")).data
    assert (back["number"], back["rows"], back["content_sha256"]) == (5, 62, fixed["content_sha256"])
    numbers = [version["number"] for version in good(studio("data", "versions")).data["versions"]]
    assert numbers == [5, 4, 3, 2, 1]
    assert len(good(studio("data", "list")).data["datasets"]) == 1

    figures = good(studio("data", "statistics")).data
    assert figures["rows"] == 62
    card = good(studio("data", "card")).data["card"]
    assert PHONE not in card
    assert "CC0" in card

    out = tmp_path / "out.jsonl"
    good(studio("data", "export", "--out", str(out)))
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 62
    assert PHONE not in out.read_text(encoding="utf-8")
    again = good(studio("import", str(out), "--name", "Again")).data
    assert again["rows"] == 62


@pytest.mark.slow
def test_every_format_goes_out_and_comes_back(studio: Call, shop: Path, tmp_path: Path) -> None:
    first = good(studio("import", str(shop))).data
    for format_ in ("csv", "jsonl", "xlsx", "parquet"):
        out = tmp_path / f"out.{format_}"
        said = good(studio("data", "export", first["id"], "--format", format_, "--out", str(out)))
        assert said.data["size_bytes"] == out.stat().st_size
        again = good(studio("import", str(out))).data
        assert (again["rows"], again["shape"]) == (first["rows"], first["shape"])


@pytest.mark.slow
def test_a_recipe_repeats_on_a_zip_of_files(studio: Call, shop: Path, tmp_path: Path) -> None:
    good(studio("import", str(shop), "--map", "prompt=question", "--map", "response=answer"))
    good(studio("data", "fix", "markup", "exact_duplicates"))
    recipe = good(studio("data", "recipe", "save", "Clean")).data
    assert recipe["roles"] == {"question": "prompt", "answer": "response"}
    packed = tmp_path / "both.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(shop, "a/one.csv")
        archive.write(shop, "two.csv")
    made = good(studio("import", str(packed), "--recipe", "Clean")).data
    assert (made["number"], made["note"], len(made["sources"])) == (2, "Clean", 2)
    assert made["rows"] == 62  # each row of the second file repeats one of the first


def test_pasted_text_comes_from_a_pipe(place: Path) -> None:
    rows = "".join(f"What is {n}?\t{n} is a number.\n" for n in range(20))
    done = subprocess.run(
        [sys.executable, "-m", "studio", "import", "-", "--name", "Pasted", "--workspace", str(place), "--json"],
        input="question\tanswer\n" + rows, capture_output=True, text=True, encoding="utf-8", timeout=TIMEOUT_S,
        cwd=ROOT, env={**os.environ, "PYTHONUTF8": "1", "STUDIO_LANGUAGE": "en"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert (data["rows"], data["name"], data["shape"]) == (20, "Pasted", "prompt-response")


def test_a_hubs_dataset_comes_on_consent_and_is_told(studio: Call, shop: Path, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    with HubServer(tmp_path / "models", "owner/shop") as hub:
        hub.dataset = {
            "data/train.csv": shop.read_bytes(),
            "README.md": b"# Shop",
            "evil.py": b"raise SystemExit",
        }
        settings = SettingsService(settings_file())
        settings.update(hub="mirror", hub_mirror=hub.url)
        refused = studio("import", "--hub", "owner/shop")
        assert (refused.code, refused.data["error"]["code"]) == (2, "hub.no_consent")
        assert hub.requests == []
        made = good(studio("import", "--hub", "owner/shop", "--allow-downloads")).data
    assert (made["rows"], made["name"], made["spec"]["licence"]) == (63, "shop", "apache-2.0")
    assert made["spec"]["origin"] == {"kind": "hub", "address": "owner/shop"}
    assert "`owner/shop`" in good(studio("data", "card")).data["card"]
    assert not list(Path(made["spec"]["source"]).rglob("*.py"))


def test_ctrl_c_leaves_what_was_there(studio: Call, place: Path, shop: Path, tmp_path: Path) -> None:
    good(studio("import", str(shop)))
    large = tmp_path / "large.csv"
    with large.open("w", encoding="utf-8") as file:
        file.write("question,answer\n")
        for n in range(1_500_000):
            file.write(f"What is the number {n} of this long list?,It is the number {n} of all.\n")
    process = start(place, "import", str(large))
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("Reading the rows"):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, json.loads(out)["error"]["code"]) == (130, "job.cancelled"), err
    (left,) = good(studio("data", "list")).data["datasets"]
    assert [path.name for path in (place / "datasets").iterdir() if path.name != "images"] == [left["id"]]


def test_bad_input_is_explained_and_changes_nothing(studio: Call, shop: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_bytes(b"")
    for arguments in (
        ("import", str(tmp_path / "empty.csv")),
        ("import", str(tmp_path / "none.csv")),
        ("data", "doctor"),
        ("data", "export", "--out", str(tmp_path / "x.csv")),
    ):
        said = studio(*arguments)
        assert said.code == 2, arguments
        assert said.data["error"]["message"]
        assert said.data["error"]["hint"]
    good(studio("import", str(shop)))
    for arguments in (
        ("data", "edit", "--set", "9999:response=x"),
        ("data", "edit", "--set", "1:nonsense=x"),
        ("data", "replace", "(", "x", "--regex"),
        ("data", "split", "--group", "nonsense"),
    ):
        said = studio(*arguments)
        assert said.code == 2, (arguments, said.err)
        assert "Traceback" not in said.err
    assert len(studio("data", "versions").data["versions"]) == 1


@pytest.mark.slow
def test_data_that_does_not_suit_the_product_comes_with_a_command(studio: Call, tmp_path: Path) -> None:
    good(studio("matrix", "create", "Shop", "--core", "Assistant"))
    ratings = tmp_path / "ratings.csv"
    ratings.write_text("user,item,rating\n" + "".join(f"u{n % 9},i{n % 7},{1 + n % 5}\n" for n in range(60)))
    said = good(studio("import", str(ratings), "--as", "ratings", "--product", "Assistant"))
    assert "there is no text to answer" in said.err
    (offer,) = said.data["advice"]["offers"]
    assert offer["command"] in said.err
    changed = good(studio(*offer["command"].split()[1:]))
    assert changed.data["task"] == "recommend"
    again = good(studio("import", str(ratings), "--as", "ratings", "--product", "Assistant"))
    assert again.data["advice"] == {"fits": True, "message": "", "offers": []}
    assert "Not for" not in again.err


@pytest.mark.slow
def test_plain_texts_become_rows_to_label(studio: Call, tmp_path: Path) -> None:
    texts = tmp_path / "texts.csv"
    texts.write_text("text\n" + "".join(f"This is text number {n} of many.\n" for n in range(40)))
    first = good(studio("import", str(texts), "--as", "text", "--licence", "CC0")).data
    good(studio("data", "edit", "--remove", "3"))
    good(studio("matrix", "create", "Shop", "--core", "Sorter", "--task", "classify_text"))
    made = good(studio("data", "to-label", first["id"], "--product", "Sorter")).data
    assert (made["shape"], made["rows"], made["labels"]) == ("text-label", 40, {"": 40})
    newest = good(studio("data", "to-label", "texts")).data  # the version without the removed row
    assert (newest["name"], newest["rows"]) == ("texts (to label)", 39)
    assert newest["spec"]["licence"] == "CC0"
    assert made["advice"]["fits"]
    labelled = good(studio("data", "edit", made["id"], "--set", "2:label=news")).data
    assert labelled["labels"] == {"": 39, "news": 1}
    refused = studio("data", "to-label", made["id"])
    assert (refused.code, refused.data["error"]["code"]) == (2, "dataset.no_plain_texts")


@pytest.mark.slow
def test_pictures_go_into_an_archive_by_its_name(studio: Call, tmp_path: Path) -> None:
    for name, colour in {"cat/1.png": "red", "cat/2.png": "green", "dog/3.png": "blue"}.items():
        path = tmp_path / "pets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 6), colour).save(path)
    good(studio("import", str(tmp_path / "pets")))
    out = tmp_path / "pics.zip"
    said = good(studio("data", "export", "--out", str(out))).data
    assert (said["format"], said["size_bytes"]) == ("csv", out.stat().st_size)
    with zipfile.ZipFile(out) as archive:
        assert len([name for name in archive.namelist() if name.startswith("images/cat/")]) == 2
        assert "labels.csv" in archive.namelist()
