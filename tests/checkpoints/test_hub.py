"""Models are found here without the network, and fetched from a Hub only when asked: a small Hub on loopback stands for it."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from reelscore.checkpoints import catalogue, default_weights, hub, locate
from reelscore.errors import InputError, MissingError

MODEL = "maker/model"
COMMIT = "c" * 40
FILES = {
    "config.json": b'{"model_type": "tiny"}',
    "tokenizer.json": b"{}",
    "chat_template.jinja": b"{{ messages }}",
    "model-00001-of-00002.safetensors": bytes(3000),
    "model-00002-of-00002.safetensors": bytes(2000),
    "model.safetensors.index.json": b'{"weight_map": {}}',
    "consolidated.safetensors": bytes(5000),
    "pytorch_model.bin": b"pickle",
    "modeling_model.py": b"raise SystemExit('code of others')",
    "original/model.safetensors": bytes(10),
    "modules.json": b"[]",
    "1_Pooling/config.json": b'{"pooling_mode": "mean"}',
    "1_Pooling/model.safetensors": bytes(10),
    "1_Pooling/old/config.json": b"{}",
    "onnx/config.json": b"{}",
    "openvino/model.safetensors": bytes(10),
    "picture.png": b"png",
}
WANTED = {
    name
    for name in FILES
    if name.startswith(("config", "tokenizer", "chat", "model-", "model.", "modules", "1_Pooling/c"))
}


class Hub(BaseHTTPRequestHandler):
    """As much of the Hub's language as a download needs."""

    asked: list[str]
    missing: str | None

    def do_GET(self) -> None:
        self.answer(body=True)

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def answer(self, *, body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.asked.append(path)
        headers = {"X-Repo-Commit": COMMIT}
        if self.missing:
            status = 403 if self.missing == "GatedRepo" else 404
            return self.send(status, b"{}", headers | {"X-Error-Code": self.missing, "X-Error-Message": "no"}, body)
        if path.startswith(f"/api/models/{MODEL}/tree/"):
            tree = [
                {"type": "file", "path": name, "size": len(content), "oid": tag(content)}
                for name, content in FILES.items()
            ]
            return self.send(200, json.dumps(tree).encode(), headers, body)
        if path.startswith(f"/api/models/{MODEL}"):
            siblings = [{"rfilename": name} for name in FILES]
            return self.send(
                200, json.dumps({"id": MODEL, "sha": COMMIT, "siblings": siblings}).encode(), headers, body
            )
        name = path.removeprefix(f"/{MODEL}/resolve/{COMMIT}/")
        if name in FILES:
            return self.send(200, FILES[name], headers | {"ETag": f'"{tag(FILES[name])}"'}, body)
        return self.send(404, b"{}", {"X-Error-Code": "EntryNotFound"}, body)

    def send(self, status: int, content: bytes, headers: dict[str, str], body: bool) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def tag(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    Hub.asked, Hub.missing = [], None
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as serving:
        thread = threading.Thread(target=serving.serve_forever, daemon=True)
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


def asked_of_us(code: str, cache: Path, port: int) -> str:
    """What a process says in which the Hub is at that port; its error is its last line."""
    names = {"PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT"}
    environment = {name: value for name, value in os.environ.items() if name in names} | {
        "HF_ENDPOINT": f"http://127.0.0.1:{port}",
        "HF_HOME": str(cache),
        "HOME": str(cache),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    whole = (
        "from reelscore.checkpoints import get, locate\nfrom reelscore.errors import ReelscoreError\n"
        f"try:\n    {code}\nexcept ReelscoreError as problem:\n    print(type(problem).__name__, problem)\n"
    )
    run = subprocess.run([sys.executable, "-c", whole], env=environment, capture_output=True, text=True, check=True)
    assert run.stderr == ""
    return run.stdout.strip()


def test_a_model_is_fetched_once_and_then_found_without_the_network(
    server: ThreadingHTTPServer, tmp_path: Path
) -> None:
    port = server.server_address[1]
    said = asked_of_us(f"print(locate({MODEL!r}))", tmp_path, port)
    assert said.startswith("MissingError") and f"reelscore models get {MODEL}" in said
    assert not Hub.asked  # looking asks nobody

    told = asked_of_us(f"f = []; print(get({MODEL!r}, lambda stage, part: f.append(part))); print(f)", tmp_path, port)
    folder, fractions = told.splitlines()
    assert {str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file()} == WANTED
    for name in WANTED:
        assert (Path(folder) / name).read_bytes() == FILES[name]
    assert json.loads(fractions)[0] == 0 and json.loads(fractions)[-1] == 1
    assert max(json.loads(fractions)) <= 1
    fetched = {path.partition(f"/resolve/{COMMIT}/")[2] for path in Hub.asked if "/resolve/" in path}
    assert fetched == WANTED  # no pickle and no code was even asked for

    Hub.asked.clear()
    assert asked_of_us(f"print(locate({MODEL!r}))", tmp_path, port) == folder
    assert not Hub.asked


def test_a_model_whose_safetensors_are_another_version_is_fetched_and_found_in_that(
    server: ThreadingHTTPServer, tmp_path: Path
) -> None:
    port = server.server_address[1]
    named = (
        "from dataclasses import replace; from reelscore.checkpoints import catalogue; "
        f"card = replace(catalogue.find('clip-vit-base-patch32'), hub_id={MODEL!r}); catalogue.CATALOGUE = (card,); "
    )
    folder = asked_of_us(named + "print(get(card.name))", tmp_path, port)
    assert (Path(folder) / "config.json").is_file()
    assert f"/api/models/{MODEL}/revision/refs/pr/15" in Hub.asked
    Hub.asked.clear()
    assert asked_of_us(named + "print(locate(card.name))", tmp_path, port) == folder
    assert asked_of_us(f"print(locate({MODEL!r}))", tmp_path, port).startswith(
        "MissingError"
    )  # its main version is not
    assert not Hub.asked


def test_a_download_that_broke_off_is_not_here(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    port = server.server_address[1]
    folder = Path(asked_of_us(f"print(get({MODEL!r}))", tmp_path, port))
    (folder / "model-00002-of-00002.safetensors").unlink()
    assert asked_of_us(f"print(locate({MODEL!r}))", tmp_path, port).startswith("MissingError")


@pytest.mark.parametrize(
    ("missing", "said"),
    [("GatedRepo", "hf auth login"), ("RepoNotFound", "no model maker/model"), ("Other", "cannot be reached")],
)
def test_what_cannot_be_had_is_told_in_a_sentence(
    server: ThreadingHTTPServer, tmp_path: Path, missing: str, said: str
) -> None:
    Hub.missing = missing
    answer = asked_of_us(f"print(get({MODEL!r}))", tmp_path, server.server_address[1])
    assert answer.startswith("MissingError") and said in answer and "\n" not in answer


def test_a_hub_that_is_not_there(tmp_path: Path) -> None:
    answer = asked_of_us(f"print(get({MODEL!r}))", tmp_path, 9)
    assert answer.startswith("MissingError") and "cannot be reached" in answer and "\n" not in answer


def test_what_is_not_on_the_hub_is_fetched_by_hand() -> None:
    with pytest.raises(MissingError, match=r"drive\.google\.com"):
        hub.get("sonique")
    with pytest.raises(MissingError, match=r"clap\.ckpt"):
        locate("clap")


def cached(cache: Path, hub_id: str, *names: str) -> Path:
    """A snapshot in the cache of Hugging Face that holds these files."""
    model = cache / f"models--{hub_id.replace('/', '--')}"
    (model / "refs").mkdir(parents=True)
    (model / "refs" / "main").write_text(COMMIT)
    folder = model / "snapshots" / COMMIT
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_bytes(b"{}")
    return folder


def test_what_the_hub_has_as_pickles_only_is_fetched_by_hand_and_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    for ask in (hub.get, locate):
        with pytest.raises(MissingError, match="hf download facebook/musicgen-medium"):
            ask("musicgen-medium")
    folder = cached(tmp_path, "facebook/musicgen-medium", "config.json")
    assert not hub.is_here(catalogue.find("musicgen-medium"))  # without weights
    (folder / "pytorch_model.bin").write_bytes(b"")
    assert hub.is_here(catalogue.find("musicgen-medium"))
    assert locate("facebook/musicgen-medium") == folder
    assert hub.locate_folder("musicgen-medium", "words to music") == folder


def test_a_snapshot_has_the_card_of_its_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = cached(tmp_path, "facebook/musicgen-stereo-small", "config.json")
    assert hub.card_of_snapshot(folder) is catalogue.find("musicgen-stereo-small")
    monkeypatch.chdir(folder)
    assert hub.card_of_snapshot(Path()) is catalogue.find("musicgen-stereo-small")
    for other in (cached(tmp_path, "maker/model"), folder.parent, tmp_path / "musicgen-small", Path("/")):
        assert hub.card_of_snapshot(other) is None


def test_a_path_that_is_there_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert locate(str(tmp_path)) == tmp_path
    monkeypatch.chdir(tmp_path)
    (tmp_path / "roberta-base").mkdir()
    assert locate("roberta-base") == Path("roberta-base")


def test_a_known_model_that_is_not_here_is_told_with_size_terms_and_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingError) as missing:
        locate("qwen2.5-vl-3b")
    said = str(missing.value)
    for part in ("Qwen/Qwen2.5-VL-3B-Instruct", "7.5 GB", "non-commercial", "reelscore models get qwen2.5-vl-3b"):
        assert part in said
    for card in catalogue.CATALOGUE:
        assert not hub.is_here(card) or card.hub_id is None


def test_a_model_is_asked_for_by_its_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=r"'language model' and not 'sentences'; give one of all-minilm-l6-v2"):
        hub.locate_folder("qwen3-4b", "sentences")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="is a file; give the folder"):
        hub.locate_folder(str(tmp_path / "file"), "sentences")
    assert hub.locate_folder(str(tmp_path), "sentences") == tmp_path
    assert hub.missing_model(str(tmp_path), "sentences") == ()
    (absent,) = hub.missing_model("clip-vit-base-patch32", "pictures and words")
    assert absent.endswith(
        "0.6 GB; MIT (the repository of CLIP)); get it with: reelscore models get clip-vit-base-patch32."
    )


@pytest.mark.parametrize(
    "reference",
    [
        "",
        " ",
        "no-such",
        "../up",
        "a/../b",
        "a/b/c",
        "/absent",
        "http://host/model",
        "a/b\n",
        "x" * 5000,
        "nul\0",
        "é/è",
    ],
)
def test_what_is_no_reference(reference: str) -> None:
    with pytest.raises(InputError) as refused:
        locate(reference)
    assert "id of the Hub" in str(refused.value)


def test_where_converted_weights_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELSCORE_CACHE", str(tmp_path))
    assert default_weights("sonique") == tmp_path / "sonique.safetensors"
    assert not hub.is_here(catalogue.find("sonique"))
    default_weights("sonique").write_bytes(b"")
    assert hub.is_here(catalogue.find("sonique"))
    assert locate("sonique") == default_weights("sonique")
    monkeypatch.delenv("REELSCORE_CACHE")
    assert default_weights("sonique").parts[-3:] == (".cache", "reelscore", "sonique.safetensors")
