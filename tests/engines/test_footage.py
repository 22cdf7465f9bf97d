"""Footage: the right picture at each time, whole and upright; each decoded and looked at once; each window shown its own."""

import gc
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from media.filming import RED, film
from torch import Tensor

from reelscore.engines.vidmuse import footage
from reelscore.engines.vidmuse.footage import Picture, conditions, pictures_at, plan_for
from reelscore.engines.vidmuse.windows import Reach, plan_windows
from reelscore.errors import MediaError
from reelscore.media import Clip, probe, stills
from reelscore.models.visual import Visual, VisualConfig

SIDE = 32
STEPS = 9  # shades of each of three colours, so that 729 pictures can be told apart


def colour(number: int) -> tuple[int, int, int]:
    return tuple(20 + 27 * (number // STEPS**place % STEPS) for place in range(3))


def told(rgb: np.ndarray) -> int:
    """The number that a picture of the film shows in the colour of its middle."""
    middle = rgb[rgb.shape[0] * 2 // 5 : rgb.shape[0] * 3 // 4, rgb.shape[1] * 2 // 5 : rgb.shape[1] * 3 // 4]
    shades = [round((float(middle[..., place].mean()) - 20) / 27) for place in range(3)]
    return sum(shade * STEPS**place for place, shade in enumerate(shades))


def numbered(path: Path, count: int, rate: Fraction | int = 25, **more) -> Clip:
    """A film whose picture n shows the number n."""
    return probe(film(path, [(colour(number), 1) for number in range(count)], rate=rate, **more))


def by_second(path: Path, seconds: int, rate: int = 4) -> Clip:
    """A film that shows in each second the number of that second."""
    return probe(film(path, [(colour(second), rate) for second in range(seconds)], rate=rate, size=(48, 32)))


class Onlooker:
    """A visual side whose features are what it was shown: the number in the picture. A window's tokens are those, and the film's."""

    def __init__(self, attends: str = "patches") -> None:
        self.config = SimpleNamespace(image_size=SIDE, attends=attends)
        self.looked_at: list[int] = []
        self.local_times: list[Tensor] = []
        self.overall_times: list[Tensor | None] = []

    def features(self, pixels: Tensor) -> Tensor:
        assert pixels.dtype == torch.uint8
        assert pixels.shape[1:] == (SIDE, SIDE, 3)
        numbers = [told(each) for each in pixels.numpy()]
        self.looked_at += numbers
        return torch.tensor(numbers, dtype=torch.float32)[:, None, None]

    def local_tokens(self, features: Tensor, times: Tensor) -> Tensor:
        self.local_times.append(times)
        return features

    def overall_tokens(self, features: Tensor, times: Tensor | None = None) -> Tensor:
        self.overall_times.append(times)
        return features

    def fused(self, local: Tensor, overall: Tensor) -> Tensor:
        return torch.cat([local, overall]).flatten(1)


def windows_seen(clip: Clip, onlooker: Onlooker, **asked) -> Iterator[tuple[list[int], list[int]]]:
    """The numbers that each window is shown of its own footage and of the whole film."""
    plan = plan_for(clip, clip.duration, **asked)
    given = conditions(clip, onlooker, plan, as_published=asked.get("as_published", False))
    for window, tokens in zip(plan.windows, given, strict=True):
        count = len(window.pictures)
        yield tokens[:count, 0].int().tolist(), tokens[count:, 0].int().tolist()


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The times of all frames that were decoded so far."""
    times: list[float] = []
    real = stills._decoded

    def counting(*given, **asked) -> Iterator[stills._Shown]:
        for shown in real(*given, **asked):
            times.append(shown.time)
            yield shown

    monkeypatch.setattr(stills, "_decoded", counting)
    return times


RATES = [Fraction(24_000, 1001), 25, Fraction(30_000, 1001), 30, 15, 60]


@pytest.mark.parametrize("rate", RATES, ids=lambda rate: f"{float(rate):.3f}")
def test_two_pictures_a_second_whatever_the_frame_rate(tmp_path: Path, rate: Fraction | int) -> None:
    clip = numbered(tmp_path / "a.mp4", round(8 * rate), rate)
    (window,) = plan_windows(8.0).windows
    assert list(window.pictures) == [number / 2 for number in range(16)]
    found = list(pictures_at(clip, window.pictures, SIDE))
    assert [told(picture.rgb) for picture in found] == [int(number * rate / 2) for number in range(16)]


def test_a_varying_frame_rate_is_taken_by_time(tmp_path: Path) -> None:
    gaps = np.random.default_rng(4).choice([17, 33, 40, 100, 400, 900], 60)
    ticks = [0, *np.cumsum(gaps).tolist()]
    clip = numbered(tmp_path / "a.mkv", len(ticks), ticks=ticks)
    (window,) = plan_windows(min(clip.duration, 30.0)).windows
    found = list(pictures_at(clip, window.pictures, SIDE))
    assert [told(picture.rgb) for picture in found] == [
        bisect_right(ticks, 1000 * time) - 1 for time in window.pictures
    ]


@pytest.mark.parametrize(("frames", "seen"), [(2, [0]), (13, [0, 12]), (25, [0, 12]), (26, [0, 12, 25])])
def test_the_shortest_films_have_pictures(tmp_path: Path, frames: int, seen: list[int]) -> None:
    clip = numbered(tmp_path / "a.mp4", frames)
    ((local, overall),) = windows_seen(clip, Onlooker())
    assert local == seen
    assert (len(overall), overall[0], overall[-1]) == (32, 0, seen[-1])


@pytest.mark.parametrize("as_published", [False, True])
@pytest.mark.parametrize(("rotation", "corner"), [(0, (0, 0)), (90, (1, 0)), (180, (1, 1)), (270, (0, 1))])
def test_pictures_are_whole_upright_and_in_the_right_colours(
    tmp_path: Path, rotation: int, corner: tuple[int, int], as_published: bool
) -> None:
    # The white corner takes a quarter of each side, of the film and so of the square.
    clip = probe(film(tmp_path / "a.mp4", [(RED, 10)], size=(640, 160), rotation=rotation))
    (picture,) = pictures_at(clip, [0.1], as_published=as_published)
    assert (picture.rgb.shape, picture.rgb.dtype) == ((224, 224, 3), np.uint8)
    white = picture.rgb.min(axis=2) > 150
    rows, columns = (np.flatnonzero(white.any(axis=axis)) for axis in (1, 0))
    for places, far in zip((rows, columns), corner, strict=True):
        first, behind = (168, 224) if far else (0, 56)
        assert abs(places[0] - first) <= 3
        assert abs(places[-1] + 1 - behind) <= 3
    assert np.abs(picture.rgb[100:120, 100:120].mean((0, 1)) - RED).max() < 12


def test_as_published_a_pixel_comes_from_the_four_nearest(clips: Path) -> None:
    clip = probe(clips / "sam2_dog.mp4")
    captured = cv2.VideoCapture(str(clip.path))
    whole = captured.read()[1][:, :, ::-1].astype(np.float64)
    places = [(np.arange(224) + 0.5) * size / 224 - 0.5 for size in whole.shape[:2]]
    (top, up), (left, along) = ((np.floor(place).astype(int), place % 1) for place in places)
    across = [
        whole[row][:, left] * (1 - along)[:, None] + whole[row][:, left + 1] * along[:, None] for row in (top, top + 1)
    ]
    expected = across[0] * (1 - up)[:, None, None] + across[1] * up[:, None, None]
    sampled, averaged = (next(pictures_at(clip, [0.0], as_published=way)).rgb for way in (True, False))
    assert np.abs(sampled - expected).max() < 3.0
    assert np.abs(averaged - expected).mean() > 3.0
    fine = cv2.resize(whole, (224, 224), interpolation=cv2.INTER_AREA)
    assert np.abs(averaged - fine).mean() < 2.5


def test_every_window_sees_its_own_footage(tmp_path: Path, decoded: list[float]) -> None:
    clip, onlooker = by_second(tmp_path / "a.mp4", 75), Onlooker()
    seen = list(windows_seen(clip, onlooker))
    for (local, overall), start in zip(seen, (0, 15, 30, 45), strict=True):
        assert local == [start + number // 2 for number in range(60)]
        assert overall == [int(number * 149 / 31 + 0.5) // 2 for number in range(32)]
    assert len(decoded) == clip.frames == 300
    assert onlooker.looked_at == sorted(onlooker.looked_at[:32]) + sorted(onlooker.looked_at[32:])
    assert len(onlooker.looked_at) == 150


def test_as_published_the_last_window_sees_footage_from_too_early(tmp_path: Path, decoded: list[float]) -> None:
    clip, onlooker = by_second(tmp_path / "a.mp4", 45), Onlooker()
    seen = list(windows_seen(clip, onlooker, as_published=True))
    assert [local for local, _ in seen] == [
        [number // 2 for number in range(60)],
        [15 + number // 2 for number in range(31)],
    ]
    assert seen[0][1] == [179 * number // 31 // 4 for number in range(32)]
    assert len(decoded) == 180


def test_a_picture_that_stays_is_looked_at_once(tmp_path: Path) -> None:
    clip = probe(film(tmp_path / "a.mkv", [(colour(n), 1) for n in range(5)], ticks=[0, 4000, 12_000, 29_000, 40_000]))
    onlooker = Onlooker()
    seen = list(windows_seen(clip, onlooker))
    assert seen[0][0] == [0] * 8 + [1] * 16 + [2] * 34 + [3] * 2
    assert onlooker.looked_at == list(range(len(onlooker.looked_at)))


def test_a_long_film_is_skipped_through_and_little_of_it_is_held(tmp_path: Path, decoded: list[float]) -> None:
    seconds = 450
    clip, onlooker = by_second(tmp_path / "a.mp4", seconds, rate=2), Onlooker()
    given = windows_seen(clip, onlooker)
    local, overall = next(given)
    assert local == [number // 2 for number in range(60)]
    assert overall == [int(number * 899 / 31 + 0.5) // 2 for number in range(32)]
    # A key picture every 12: each of the 32 costs as many at the most, and the first window its own.
    assert len(decoded) <= 32 * 13 + 62
    plan, most, most_known = plan_windows(float(seconds)), 0, 0
    for number, (local, _) in enumerate(given, 1):
        first = plan.windows[number].start // 25
        assert local == [(first + half) // 2 for half in range(60)]
        if number % 4 == 0:
            most = max(most, sum(type(each) is Picture for each in gc.get_objects()))
            known = [len(each._known) for each in gc.get_objects() if type(each) is footage._Eye]
            most_known = max([most_known, *known])
    assert number + 1 == len(plan.windows)
    assert 60 < most <= 60 + 32 + 2
    assert 60 < most_known <= 60 + 32
    assert len(onlooker.looked_at) == 900
    assert len(decoded) <= 32 * 13 + 900


def test_of_a_long_film_little_is_held_wherever_its_overall_pictures_lie(tmp_path: Path) -> None:
    """As published they are counted, not timed: of a film of varying rate they may all lie where it is fast."""
    clip = by_second(tmp_path / "a.mp4", 450, rate=2)
    plan = replace(plan_windows(450.0), overall=tuple(number / 2 for number in range(32)))
    given = conditions(clip, Onlooker(), plan)
    next(given)
    assert sum(type(each) is Picture for each in gc.get_objects()) <= 60 + 32


def test_times_are_counted_from_the_start_of_the_window(tmp_path: Path) -> None:
    onlooker = Onlooker("time")
    list(windows_seen(by_second(tmp_path / "a.mp4", 45), onlooker))
    local, overall = onlooker.local_times[1], onlooker.overall_times[1]
    assert local.tolist() == [number / 2 for number in range(60)]
    assert (overall[0].item(), overall[-1].item()) == (-15.0, 29.5)


def test_what_the_film_says_is_made_once_where_no_time_counts(tmp_path: Path) -> None:
    onlooker = Onlooker()
    clip = by_second(tmp_path / "a.mp4", 75)
    assert len(list(windows_seen(clip, onlooker))) == 4
    assert len(onlooker.local_times) == 4
    assert onlooker.overall_times == [None]


def test_a_film_shorter_than_the_music_shows_its_last_picture_to_the_end(tmp_path: Path) -> None:
    clip = numbered(tmp_path / "a.mp4", 50)
    (tokens,) = conditions(clip, Onlooker(), plan_for(clip, 4.0))
    assert tokens[:8, 0].tolist() == [0, 12, 25, 37, 49, 49, 49, 49]


def test_a_film_cut_off_shows_its_last_picture_to_the_end(tmp_path: Path) -> None:
    clip = numbered(tmp_path / "a.ts", 250)
    clip.path.write_bytes(clip.path.read_bytes()[: clip.path.stat().st_size // 2])
    ((local, _),) = windows_seen(clip, Onlooker())
    assert local == sorted(local)
    assert 60 < local[-1] == local[-6] < 190


def test_a_film_that_is_gone_or_spoilt_since_is_one_sentence(tmp_path: Path) -> None:
    clip = numbered(tmp_path / "a.mp4", 50)
    plan = plan_for(clip, clip.duration)
    whole = clip.path.read_bytes()
    first, behind = whole.index(b"mdat") + 4, whole.index(b"moov") - 4
    clip.path.write_bytes(whole[:first] + bytes(behind - first) + whole[behind:])
    with pytest.raises(MediaError, match="can be decoded any more"):
        next(conditions(clip, Onlooker(), plan))
    clip.path.unlink()
    with pytest.raises(MediaError, match="does not exist"):
        next(conditions(clip, Onlooker(), plan))


def small_visual(attends: str = "patches") -> Visual:
    torch.manual_seed(0)
    sizes = {"clip_layers": 1, "clip_heads": 2, "clip_inner": 16, "depth": 1, "heads": 2, "head_dim": 4, "inner": 16}
    return Visual(
        VisualConfig(dim=12, width=8, image_size=SIDE, patch_size=16, fusion_heads=2, attends=attends, **sizes)
    ).eval()


@pytest.mark.parametrize("attends", ["patches", "time"])
def test_tokens_are_those_of_the_model_that_sees_window_and_film(tmp_path: Path, attends: str) -> None:
    clip, visual = numbered(tmp_path / "a.mp4", 100), small_visual(attends)
    plan = plan_for(clip, clip.duration, Reach(pictures=4, overall=3), context=1.0)
    assert [window.pictures[0] for window in plan.windows] == [0.0, 1.0, 2.0]
    given = list(conditions(clip, visual, plan))
    for window, tokens in zip(plan.windows, given, strict=True):
        local, film_wide = (
            torch.from_numpy(np.stack([picture.rgb for picture in pictures_at(clip, times, SIDE)]))
            for times in (window.pictures, plan.overall)
        )
        start = window.pictures[0]
        expected = visual.embed(
            visual.features(local),
            visual.features(film_wide),
            local_times=torch.tensor(window.pictures) - start,
            overall_times=torch.tensor(plan.overall) - start,
        )
        assert torch.allclose(tokens, expected, atol=1e-5)
        assert not tokens.requires_grad
    assert not torch.allclose(given[0], given[1], atol=1e-3)


@pytest.mark.parametrize("as_published", [False, True])
@pytest.mark.parametrize("attends", ["patches", "time"])
@torch.no_grad()
def test_without_a_film_every_window_sees_black(attends: str, as_published: bool) -> None:
    visual = small_visual(attends)
    plan = plan_for(None, 45.3, as_published=as_published)
    assert plan.length == 2265
    for window, tokens in zip(plan.windows, conditions(None, visual, plan), strict=True):
        assert torch.equal(tokens, visual.null(len(window.pictures)))


def test_progress_runs_while_the_first_pictures_come(tmp_path: Path) -> None:
    clip, heard = numbered(tmp_path / "a.mp4", 100), []
    next(conditions(clip, Onlooker(), plan_for(clip, 4.0), progress=lambda *given: heard.append(given)))
    assert {stage for stage, _ in heard} == {"looking"}
    fractions = [fraction for _, fraction in heard]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)


def test_every_real_clip_is_seen(clips: Path) -> None:
    for path in sorted(each for each in clips.iterdir() if each.suffix in (".mp4", ".mkv", ".webm"))[::3]:
        clip = probe(path)
        plan = plan_for(clip, min(clip.duration, 3.0))
        found = list(footage.pictures_at(clip, plan.windows[0].pictures))
        assert len(found) == len(plan.windows[0].pictures), path
        assert all(
            0 <= time - picture.time < 0.5 for time, picture in zip(plan.windows[0].pictures, found, strict=True)
        )
