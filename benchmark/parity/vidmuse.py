"""VidMuse's visual side, decoder, loop and windows beside the published ones, on a fixture folder.

Besides io.safetensors, keys.tsv and published_keys.txt the folder holds config.json: the sizes of CLIP (`clip`), of the
decoder (`decoder`) and the layers of each stream (`depth`). Batch, frames and steps are read from the tensors:

    frames.local, frames.global (b, 3, n, 7, 7)    uint8 RGB, one pixel for every square of CLIP
    video_embedding (2 b, n, dim)                  what the decoder attends to: the films', then as often the black film's
    tokens, logits                                 the decoder's answer to each row of the embedding, without the delay pattern
    greedy (b, codebooks, n)                       the likeliest tokens, guidance 3
    sampled… (b, codebooks, n)                     drawn in the release's random state: top-k 250, temperature 1, guidance 3,
                                                   or as the name says: sampled_top_k20_top_p0.9_temperature0.7_guidance1.5
    continued_from_N, sampled…_continued_from_N    `greedy`, or the sampled tensor of the same name, gone on with from its
                                                   first N frames
    film_D.…                                       a film of D seconds, window after window as published: frames.local (two
                                                   a second) and frames.global, windows (first frame of music, frames, those
                                                   of them that are there already, first picture, pictures), sampled tokens
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmark.parity.comparing import TOLERANCE, told, told_outputs, told_tokens
from benchmark.parity.loading import loaded, told_published_keys
from benchmark.parity.recipe import shapes_of, vidmuse_weight
from reelscore.checkpoints.filling import frame
from reelscore.checkpoints.reading import read_json, read_weights
from reelscore.checkpoints.vidmuse import fitting
from reelscore.engines.vidmuse.windows import Plan, Reach, published_plan
from reelscore.errors import InputError
from reelscore.models.choosing import Sampling, guided, published_generator
from reelscore.models.codebooks import to_steps
from reelscore.models.codec import CodecConfig
from reelscore.models.configurations import integer, shown
from reelscore.models.continuing import generate
from reelscore.models.remembering import Condition
from reelscore.models.token_decoder import TokenDecoderConfig
from reelscore.models.vidmuse import VidMuse, VidMuseConfig
from reelscore.models.visual import PICTURES_PER_SECOND, VisualConfig

GUIDANCE = 3.0
MUSIC_RATE = 50
_INPUTS = re.compile(r"tokens|(film_\d+\.)?frames\.(local|global)")
_FILM = re.compile(r"(?P<film>film_(?P<seconds>\d{1,4}))\.(?P<what>windows|tokens)")
_CHOSEN = re.compile(
    r"(?P<way>greedy|sampled(_top_k(?P<top_k>\d+))?(_top_p(?P<top_p>[\d.]+))?"
    r"(_temperature(?P<temperature>[\d.]+))?(_guidance(?P<guidance>[\d.]+))?)(_continued_from_(?P<known>\d{1,6}))?"
)
_SIZES: dict[str, dict[str, str]] = {
    "clip": {
        "hidden_size": "width",
        "intermediate_size": "clip_inner",
        "num_hidden_layers": "clip_layers",
        "num_attention_heads": "clip_heads",
    },
    "decoder": {
        "dim": "dim",
        "num_heads": "heads",
        "num_layers": "layers",
        "codebooks": "codebooks",
        "cardinality": "cardinality",
    },
}
"""Their names in config.json and ours."""


# --- the fixture --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fixture:
    """One folder, read: its tensors, the salt of its weights being spent on the model."""

    tensors: Mapping[str, Tensor]
    model: VidMuse
    keys: int

    @cached_property
    def conditions(self) -> list[Tensor]:
        """What the decoder attends to for each film of the batch: (frames * places, dim)."""
        return self.embedded("frames.local", "frames.global")

    @property
    def null(self) -> Tensor:
        """What it attends to for the black film."""
        return self.model.visual.null()

    def embedded(self, local: str, overall: str) -> list[Tensor]:
        """The conditions of the films in the batch that two tensors hold."""
        seen, overall_seen = self.seen(local), self.seen(overall)
        if len(seen) != len(overall_seen):
            raise InputError(f"{local} holds {len(seen)} films and {overall} {len(overall_seen)}; give the same ones.")
        return [self.model.visual.embed(*film) for film in zip(seen, overall_seen, strict=True)]

    def seen(self, name: str) -> list[Tensor]:
        """CLIP's features (n, places, width) of each film in the batch that a tensor of frames holds."""
        visual = self.model.visual
        pixels = self.frames(name).permute(0, 2, 3, 4, 1)
        for axis in (2, 3):
            pixels = pixels.repeat_interleave(visual.config.patch_size, axis)
        return [visual.features(film) for film in pixels]

    def frames(self, name: str) -> Tensor:
        """A tensor of frames (b, 3, n, 7, 7) as it is stored. Raises InputError for anything else."""
        config, frames = self.model.visual.config, self.tensors[name]
        squares = config.image_size // config.patch_size
        shaped = frames.ndim == 5 and frames.shape[1] == 3 and frames.shape[3:] == (squares, squares)
        if not shaped or not frames.numel() or frames.dtype != torch.uint8:
            found = f"{frames.dtype} {tuple(frames.shape)}".removeprefix("torch.")
            raise InputError(f"{name} is {found}; give frames, uint8 (b, 3, n, {squares}, {squares}).")
        return frames


def read_vidmuse(folder: Path) -> Fixture:
    """The fixture of a folder, its weights loaded through the strict loader, from a file like any other."""
    stored = read_weights(folder / "io.safetensors")
    config = config_of(folder / "config.json")
    salt = stored.header.get("salt", "reelscore")
    weights = {name: vidmuse_weight(name, shape, salt) for name, shape in shapes_of(folder / "keys.tsv").items()}
    model = loaded(frame(VidMuse, config), weights, fitting, lambda name: name.startswith("codec."))
    return Fixture({name: stored.read(name) for name in stored.shapes}, model, len(weights))


def config_of(file: Path) -> VidMuseConfig:
    """The configuration in config.json. Raises InputError, naming the field, for any other document."""
    document = read_json(file)
    try:
        sizes = {part: _sizes_of(document, part) for part in _SIZES}
        decoder = sizes["decoder"]
        dim, codebooks, cardinality = decoder["dim"], decoder["codebooks"], decoder["cardinality"]
        depth = integer(_entry(document, "depth", ""), "depth")
        return VidMuseConfig(
            VisualConfig(
                **sizes["clip"], dim=dim, depth=depth, heads=decoder["heads"], inner=4 * sizes["clip"]["width"]
            ),
            TokenDecoderConfig(**decoder, inner=4 * dim, delays=tuple(range(codebooks))),
            # Fixtures end with tokens; this codec makes no sound of them and takes no room.
            CodecConfig(codebooks=codebooks, cardinality=cardinality, filters=2),
        )
    except ValueError as problem:
        raise InputError(f"{file} is no configuration that is known here: {problem}") from problem


def _sizes_of(document: object, part: str) -> dict[str, int]:
    written = _entry(document, part, "")
    return {
        ours: integer(_entry(written, theirs, f"{part}."), f"{part}.{theirs}") for theirs, ours in _SIZES[part].items()
    }


def _entry(written: object, name: str, at: str) -> Any:
    if not isinstance(written, dict):
        raise ValueError(f"{at.rstrip('.') or 'the document'} is {shown(written)}; it must be an object.")
    if name not in written:
        raise ValueError(f"{at}{name} is missing.")
    return written[name]


# --- our answers --------------------------------------------------------------------------------------------------------


def expected(fixture: Fixture) -> list[str]:
    """The names of all tensors that are outputs, known to us or not."""
    return sorted(name for name in fixture.tensors if not _INPUTS.fullmatch(name))


def check(fixture: Fixture, name: str) -> bool:
    """Prints how far our answer to one expected tensor is from it; whether it is near enough."""
    theirs = fixture.tensors[name]
    numbers: dict[str, Callable[[Fixture], Tensor | None]] = {"video_embedding": _embedding, "logits": _logits}
    if name in numbers:
        return told(name, numbers[name](fixture), theirs)
    if found := _FILM.fullmatch(name):
        film, seconds = found["film"], int(found["seconds"])
        answers = {"windows": _windows, "tokens": _music}
        return told_tokens(name, answers[found["what"]](fixture, film, seconds), theirs)
    if found := _CHOSEN.fullmatch("greedy_" + name if name.startswith("continued_") else name):
        return _check_chosen(fixture, name, found)
    return told(name, None, theirs)


def _embedding(fixture: Fixture) -> Tensor:
    """The films', then as often the black one's, whose tokens repeat for every frame."""
    films = torch.stack(fixture.conditions)
    frames = films.shape[1] // len(fixture.null)
    return torch.cat([films, fixture.null.repeat(len(films), frames, 1)])


def _logits(fixture: Fixture) -> Tensor | None:
    conditions = [*map(Condition, fixture.conditions), Condition(fixture.null, len(fixture.conditions))]
    codes = fixture.tensors["tokens"]
    if not _are_codes(codes, fixture) or len(codes) != 2 * len(fixture.conditions):
        return None
    decoder = fixture.model.decoder
    return decoder(codes.long(), decoder.remember(conditions))


def _check_chosen(fixture: Fixture, name: str, found: re.Match[str]) -> bool:
    """Tokens that are gone on with step by step by the loop that makes music."""
    theirs, known = fixture.tensors[name], int(found["known"] or 0)
    if not _are_codes(theirs, fixture) or known >= theirs.shape[2] or len(theirs) > len(fixture.conditions):
        return told_tokens(name, None, theirs)
    sampling, takes = _sampling(name, found), len(theirs)
    ours = generate(
        fixture.model.decoder,
        fixture.conditions[:takes],
        fixture.null,
        length=theirs.shape[2],
        generators=_published_chance(fixture, "frames.global", takes),
        prompt=_prompt(fixture, name, found["way"], known) if known else None,
        sampling=sampling,
    )
    return told_tokens(name, ours, theirs, _first_difference(fixture, ours, theirs, sampling))


def _prompt(fixture: Fixture, name: str, way: str, known: int) -> Tensor:
    """The first `known` frames of the tokens that `name` goes on with."""
    whole, wanted = fixture.tensors[way], (*fixture.tensors[name].shape[:2], known)
    if not _are_codes(whole, fixture) or whole[..., :known].shape != wanted:
        raise InputError(
            f"{name} cannot go on from {way}, which is {tuple(whole.shape)} and should begin with {wanted}."
        )
    return whole[..., :known].long()


def _sampling(name: str, found: re.Match[str]) -> Sampling:
    if found["way"] == "greedy":
        return Sampling(temperature=0.0, guidance_scale=GUIDANCE)
    try:
        return Sampling(
            temperature=float(found["temperature"] or 1),
            top_k=int(found["top_k"] or 250),
            top_p=float(found["top_p"] or 0),
            guidance_scale=float(found["guidance"] or GUIDANCE),
        )
    except ValueError as problem:
        raise InputError(f"{name} cannot be sampled: {problem}.") from problem


def _published_chance(fixture: Fixture, overall: str, takes: int) -> list[torch.Generator]:
    """The random state in which the release begins to sample, which all rows of a batch share."""
    side = fixture.model.visual.config.image_size
    rows, channels, frames, *_ = fixture.frames(overall).shape
    return [published_generator((rows, channels, frames, side, side))] * takes


def _are_codes(codes: Tensor, fixture: Fixture) -> bool:
    config = fixture.model.decoder.config
    if codes.ndim != 3 or codes.shape[1] != config.codebooks or codes.is_floating_point() or not codes.numel():
        return False
    return int(codes.min()) >= 0 and int(codes.max()) <= config.cardinality


def _first_difference(fixture: Fixture, ours: Tensor, theirs: Tensor, sampling: Sampling) -> str:
    """Where the first token differs, and how much higher we score ours after the same tokens before: a hair is a tie."""
    places, config = (ours != theirs).nonzero(), fixture.model.decoder.config
    if not len(places):
        return ""
    steps = places[:, 2] + torch.tensor(config.delays)[places[:, 1]]
    row, book, at = places[steps.argmin()].tolist()
    mine, other = int(ours[row, book, at]), int(theirs[row, book, at])
    where = f"first in row {row}, codebook {book}, frame {at}: {mine} for {other}"
    if sampling.draws != "never":
        return where
    before = to_steps(theirs[row : row + 1].long(), config.delays, config.cardinality)[..., : 1 + int(steps.min())]
    memory = fixture.model.decoder.remember([Condition(fixture.conditions[row]), Condition(fixture.null)])
    conditional, null = fixture.model.decoder(before.repeat(2, 1, 1), memory, last_only=True)[:, book, -1]
    preferred = guided(conditional, null, sampling.guidance_scale)
    margin = float(preferred[mine] - preferred[other])
    return f"{where}, scored {margin:.1e} higher{', a near tie' if abs(margin) <= TOLERANCE else ''}"


def _plan(fixture: Fixture, film: str, seconds: int) -> Plan:
    pictures = fixture.frames(f"{film}.frames.local").shape[2]
    shown = [number / PICTURES_PER_SECOND for number in range(pictures)]
    return published_plan(seconds, PICTURES_PER_SECOND, shown, Reach(music_rate=MUSIC_RATE))


def _windows(fixture: Fixture, film: str, seconds: int) -> Tensor:
    return torch.tensor(
        [
            (window.start, window.end - window.start, window.context, _number(window.pictures[0]), len(window.pictures))
            for window in _plan(fixture, film, seconds).windows
        ]
    )


def _number(time: float) -> int:
    """Of the picture that is shown at that time."""
    return round(time * PICTURES_PER_SECOND)


def _music(fixture: Fixture, film: str, seconds: int) -> Tensor:
    """The tokens of a film, window after window, each to the pictures that the published way shows it."""
    model, overall = fixture.model, f"{film}.frames.global"
    seen, seen_overall = fixture.seen(f"{film}.frames.local")[0], fixture.seen(overall)[0]
    codes = torch.empty(1, model.decoder.config.codebooks, 0, dtype=torch.int64)
    for window in _plan(fixture, film, seconds).windows:
        played = generate(
            model.decoder,
            model.visual.embed(seen[[*map(_number, window.pictures)]], seen_overall),
            fixture.null,
            length=window.end - window.start,
            generators=_published_chance(fixture, overall, 1),
            prompt=codes[..., window.start :],
            sampling=Sampling(),
        )
        codes = torch.cat([codes[..., : window.start], played], dim=-1)
    return codes


# --- the report ---------------------------------------------------------------------------------------------------------


def check_vidmuse(folder: Path) -> bool:
    """Prints every error and every difference; whether all tensors are near enough and all keys have a place."""
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}; give one of parity fixtures.")
    fixture = read_vidmuse(folder)
    print(f"{fixture.keys} keys of the fixture mapped, name by name and shape by shape")
    good = told_outputs(folder / "io.safetensors", expected(fixture), partial(check, fixture))
    return check_published_keys(folder / "published_keys.txt") and good


def check_published_keys(table: Path) -> bool:
    """Whether the names and shapes of the released checkpoint map strictly onto the published configuration."""
    return told_published_keys(table, frame(VidMuse, VidMuseConfig()), fitting, "the others being unread")
