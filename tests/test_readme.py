"""What the README shows works as it is written there: its commands and its Python, in order, in one folder."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BLOCKS = re.findall(r"```(sh|python)\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def test_every_block_runs(tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples" / "film.mp4", tmp_path / "film.mp4")
    ran = 0
    for language, text in BLOCKS:
        commands = [["-c", text]] if language == "python" else [shlex.split(line) for line in text.splitlines()]
        for command in commands:
            if command[0] == "make":
                continue
            run = subprocess.run(
                [sys.executable, *(["-m"] if command[0] == "reelscore" else []), *command],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
                env=os.environ,
            )
            assert run.returncode == 0, f"{command}\n{run.stderr}"
            ran += 1
    assert ran >= 7
    assert {"scored.mp4", "piano.mp4", "piano.json", "piano.png", "edited.mp4", "music.wav", "music.mid"} <= {
        p.name for p in tmp_path.iterdir()
    }


def test_the_make_commands_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    wanted = re.findall(r"^make (\w+)", "\n".join(text for language, text in BLOCKS if language == "sh"), re.MULTILINE)
    assert wanted == ["demo", "test"]
    for target in wanted:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)h#][^)]*)\)", (ROOT / "README.md").read_text(encoding="utf-8")))
def test_every_link_of_the_readme_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()
