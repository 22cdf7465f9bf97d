"""The engine `match`: which track plays for which seed, what keeps a track out, and what the user is told."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_library import MADE, Made, tiny_library
from tiny_towers import tiny_clip, tiny_sentences

from reelscore.brief import Brief, Section, Tags
from reelscore.engines import Music, Request
from reelscore.engines.match import ENGINE, Options
from reelscore.engines.match.shelf import shelf_of, text_by_meaning, text_by_pictures, text_by_words
from reelscore.engines.match.words import sought
from reelscore.errors import InputError, MissingError, ReelscoreError
from reelscore.hardware import Hardware
from reelscore.library import Library, open_library
from reelscore.progress import unseen
from reelscore.spotting import complete

HARBOUR = Brief(duration=4.0, prompt="waves in the harbour")
Playing = Callable[..., Music]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_library(tmp_path_factory.mktemp("made") / "library", duration=12.0)


@pytest.fixture(autouse=True)
def nothing_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No model in any cache of this machine takes part."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def play(library: Path) -> Playing:
    def played(brief: Brief = HARBOUR, seed: int = 0, film: Path | None = None, **options: str) -> Music:
        chosen = Options(**{"library": str(library), **options})
        assert not ENGINE.missing(chosen)
        ENGINE.check(chosen, None, Hardware(device="cpu"))
        request = Request(complete(brief), seed, chosen, film=film, hardware=Hardware(device="cpu"))
        return ENGINE.generate(request, unseen)

    return played


def title(music: Music) -> str:
    """The title of the track that plays."""
    return re.findall("“(.*?)”", music.remarks[0])[0]


def test_the_words_of_the_person_find_the_track(play: Playing) -> None:
    assert title(play()) == "Harbour at Dawn"
    assert title(play(Brief(duration=4.0, prompt="a battle with armies"))) == "Last Stand"
    assert title(play(Brief(duration=4.0, prompt="somebody drives through the city at night"))) == "Neon Mile"


def test_instructions_of_the_sections_find_it_too(play: Playing) -> None:
    sections = (Section(start=0.0, end=4.0, instruction="a cat steals a fish from the kitchen"),)
    assert title(play(Brief(duration=4.0, sections=sections))) == "Slapstick"


def test_a_tempo_that_was_asked_for_outweighs_the_order_of_equals(play: Playing) -> None:
    assert title(play(Brief(duration=4.0, tempo_bpm=140.0))) == "Garage Days"
    assert title(play(Brief(duration=4.0, tempo_bpm=84.0))) == "The Vault"


def test_each_seed_takes_the_next_best_track_until_all_have_played(play: Playing) -> None:
    played = [play(seed=seed) for seed in range(len(MADE))]
    assert len({title(music) for music in played}) == len(MADE)
    assert "Number 3 of 8 tracks" in played[2].remarks[0]
    scores = [float(re.findall(r"score (\d\.\d+)", music.remarks[0])[0]) for music in played]
    assert scores == sorted(scores, reverse=True)
    assert f"Next would be: “{title(played[1])}”" in played[0].remarks[2]


def test_then_they_play_again_from_elsewhere(play: Playing) -> None:
    first, again = play(seed=0), play(seed=len(MADE))
    assert title(again) == title(first)
    assert not np.array_equal(first.audio.samples, again.audio.samples)


def test_takes_together_are_those_made_alone(library: Path, play: Playing) -> None:
    request = Request(complete(HARBOUR), 0, Options(library=str(library)))
    assert ENGINE.takes
    for seed, music in zip((0, 1), ENGINE.takes(request, (0, 1), unseen), strict=True):
        assert np.array_equal(music.audio.samples, play(seed=seed).audio.samples)


def test_the_music_is_the_tracks_own_and_stays_stereo(play: Playing) -> None:
    music = play()
    assert music.audio.duration == pytest.approx(4.0)
    assert np.abs(music.audio.samples[0] - music.audio.samples[1]).max() > 0.01
    assert re.search(r"Heard of it: .* s", music.remarks[1])


# ── Rights ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_only_tracks_under_the_named_licences_play(play: Playing) -> None:
    played = [play(seed=seed, licence="cc0,CC-BY") for seed in range(3)]
    assert {title(music) for music in played} == {"Harbour at Dawn", "Long Way Home", "Neon Mile"}
    assert {music.licence for music in played} == {"cc0", "cc-by"}
    assert title(play(seed=3, licence="cc0,CC-BY")) in {title(music) for music in played}


def test_a_filter_that_leaves_nothing_says_what_there_is(play: Playing, tmp_path: Path) -> None:
    unknown = tiny_library(tmp_path / "library", [replace(MADE[0], licence=""), MADE[3]], duration=4.0)
    with pytest.raises(InputError, match=r"cc0") as refused:
        play(library=str(unknown), licence="cc0,cc-by")
    assert "1 cc-by-nc" in str(refused.value) and "1 of unknown licence" in str(refused.value)


def test_rights_are_told(play: Playing) -> None:
    by = play(Brief(duration=4.0, prompt="a cheerful walk through autumn fields"))
    assert by.licence == "cc-by"
    assert "Long Way Home" in by.attribution and "Ada" in by.attribution and "CC BY 4.0" in by.attribution
    unknown = play(Brief(duration=4.0, prompt="ice and silence in the mountains"))
    assert unknown.licence == "" and unknown.attribution == ""
    assert any("No licence is written down" in remark for remark in unknown.remarks)
    unpaid = play(Brief(duration=4.0, prompt="loud broken amplifier"))
    assert any("non-commercial" in remark for remark in unpaid.remarks)
    assert not any("licence" in remark.lower() for remark in play().remarks)


# ── What cannot play ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_avoided_never_plays(play: Playing) -> None:
    brief = Brief(duration=4.0, prompt="loud broken amplifier", tags=Tags(avoid=("drums", "strings")))
    played = [play(brief, seed=seed) for seed in range(len(MADE))]
    assert not {"Garage Days", "The Vault"} & {title(music) for music in played}
    assert any("Garage Days” has drums" in remark for remark in played[0].remarks)


def test_where_everything_is_avoided_one_sentence_says_so(play: Playing, tmp_path: Path) -> None:
    loud = tiny_library(tmp_path / "library", MADE[3:4], duration=4.0)
    with pytest.raises(InputError, match="Garage Days” has drums"):
        play(Brief(duration=4.0, tags=Tags(avoid=("drums",))), library=str(loud))


def test_a_file_that_is_gone_or_changed_gives_way_to_the_next(play: Playing, tmp_path: Path) -> None:
    shaken = tiny_library(tmp_path / "library", duration=4.0)
    next_best = title(play(seed=2, library=str(shaken)))
    with open_library(shaken) as opened:
        paths = {track.title: track.path for track in opened.tracks()}
    first, second = (title(play(seed=seed, library=str(shaken))) for seed in (0, 1))
    paths[first].unlink()
    paths[second].write_bytes(paths[next_best].read_bytes())
    music = play(library=str(shaken))
    assert title(music) == next_best
    assert any(str(paths[first]) in remark and str(paths[second]) in remark for remark in music.remarks)


def test_a_file_that_cannot_be_read_after_all_gives_way_too(
    play: Playing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shaken = tiny_library(tmp_path / "library", MADE[:3], duration=4.0)
    monkeypatch.setattr(Library, "intact", lambda *_: True)
    (shaken / "tracks" / "0.flac").write_bytes((shaken / "tracks" / "0.flac").read_bytes()[:4000])
    music = play(library=str(shaken))
    assert title(music) != "Harbour at Dawn"
    assert any("cannot be read as it was" in remark for remark in music.remarks)
    for path in (shaken / "tracks").iterdir():
        path.write_bytes(b"no music")
    with pytest.raises(InputError, match="No track"):
        play(library=str(shaken))


# ── The library and its models ────────────────────────────────────────────────────────────────────────────────────────


def test_an_absent_or_empty_library_is_one_sentence_with_the_command(tmp_path: Path) -> None:
    for folder in (tmp_path / "absent", tmp_path / "empty"):
        if folder.name == "empty":
            with open_library(folder, create=True):
                pass
        (sentence,) = ENGINE.missing(Options(library=str(folder)))
        assert re.fullmatch(r"[^\n]*reelscore library add FOLDER[^\n]*", sentence)
        assert str(folder) in sentence


def test_a_damaged_library_is_one_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "tracks.sqlite").write_bytes(b"no database at all, only words" * 100)
    (sentence,) = ENGINE.missing(Options(library=str(broken)))
    assert "\n" not in sentence and str(broken) in sentence


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"by": "description", "clip": "clip-vit-base-patch32"}, "reelscore models get clip-vit-base-patch32"),
        ({"sentences": "all-minilm-l6-v2"}, "reelscore models get all-minilm-l6-v2"),
        ({"sentences": "nothing there"}, "nothing there"),
        ({"by": "title", "sentences": "all-minilm-l6-v2"}, "--sentences"),
        ({"clip": "clip-vit-base-patch32"}, "--clip"),
    ],
)
def test_models_that_are_not_here_or_have_no_effect_are_told(
    options: dict[str, str], named: str, library: Path
) -> None:
    with pytest.raises(ReelscoreError, match=r"^[^\n]*$") as refused:
        ENGINE.check(Options(library=str(library), **options), None, Hardware(device="cpu"))
    assert named in str(refused.value)
    assert isinstance(refused.value, MissingError) == ("models get" in named)


@pytest.mark.parametrize(
    ("by", "prompt", "found"), [("description", "steals", "Slapstick"), ("title", "vault", "The Vault")]
)
def test_without_a_clip_words_are_looked_up_and_that_is_said(by: str, prompt: str, found: str, play: Playing) -> None:
    music = play(Brief(duration=4.0, prompt=prompt), by=by)
    assert title(music) == found
    assert any("no film to look at" in remark for remark in music.remarks)
    other = play(Brief(duration=4.0, prompt=prompt), by=by, film=Path("never opened.mp4"))
    assert any("reelscore models get clip-vit-base-patch32" in remark for remark in other.remarks)


def test_titles_and_descriptions_are_looked_up_apart(library: Path) -> None:
    words = sought(complete(Brief(duration=4.0, prompt="vault")))
    with open_library(library) as opened:
        by_title, by_description = (
            text_by_words(shelf_of(opened, by, None, unseen), words) for by in ("title", "description")
        )
    assert by_title[2] > 0.5
    assert by_description[2] < by_title[2]


def test_sentences_are_compared_by_a_model(play: Playing, tmp_path: Path) -> None:
    music = play(sentences=str(tiny_sentences(tmp_path / "sentences")))
    assert any("compared the brief with the tracks' words" in remark for remark in music.remarks)


def test_the_film_is_looked_at_by_a_clip(play: Playing, tmp_path: Path) -> None:
    from running import film

    clip, source = str(tiny_clip(tmp_path / "clip")), film(tmp_path / "film.mp4", (1.0, 1.4))
    for by in ("description", "title"):
        music = play(Brief(duration=2.4), film=source, by=by, clip=clip)
        assert any("compared the film with the tracks' words" in remark for remark in music.remarks)


class Reader:
    """A model to which each text means a direction of its own, and nothing else in the library."""

    name = key = "a made model"

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        vectors = np.zeros((len(texts), 64), np.float32)
        for place, text in enumerate(texts):
            vectors[place, len(text) % 64] = 1.0
        return vectors


def test_what_is_seen_and_what_is_said_is_compared_with_each_text(tmp_path: Path) -> None:
    folder = tiny_library(tmp_path / "library", [MADE[0], MADE[1], Made("Nameless", "", (), 90.0, "")], duration=4.0)
    reader = Reader()
    with open_library(folder) as opened:
        shelf = shelf_of(opened, "description", reader, unseen)
        _, texts = opened.texts("description")
        seen = reader.texts([texts[1]])[0]
        fit = text_by_pictures(shelf, seen)
        assert fit.tolist() == [0.0, 1.0, 0.0]
        said = replace(sought(complete(HARBOUR)), wished=texts[0], whole="", sections=())
        assert text_by_meaning(shelf, said)[0] == 1.0


def test_a_melody_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"melody .*tune\.mid"):
        ENGINE.check(Options(), tmp_path / "tune.mid", Hardware())
