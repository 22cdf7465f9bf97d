"""From a plan to pieces of sound in their places: scene after scene, all takes of a batch together, each on its own beats.

Codes are int64 (takes, codebooks, frames). A scene goes on from the codes before it under its own words. Its sound is made
with some of the codes before it, its lead-in; beats are looked for in it near the scene's end, and there the next scene takes
over. Music that goes on from the tail of the scene before is one stream of codes, cut and gone on from at that beat. Other
music is laid with a beat of its own on it. A take's chance in a scene is its own, whatever was played before and beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from reelscore.audio import Samples
from reelscore.checkpoints.musicgen import Opened
from reelscore.engines import Request
from reelscore.engines.musicgen.joins import Meeting, beat_near
from reelscore.engines.musicgen.options import Options
from reelscore.engines.musicgen.plan import LEARNED, Plan
from reelscore.engines.musicgen.prompts import Prompt, avoided
from reelscore.engines.musicgen.tunes import Tune
from reelscore.finish.joining import Laid
from reelscore.models.choosing import Sampling
from reelscore.models.continuing import generate
from reelscore.progress import Progress
from reelscore.tokens import chance, even_starts, sounding, telling

LEAD = 4.0  # seconds of a piece's lead-in: for the cross-fade, and for beats before the join
_THEME = 0  # the place of the theme's chance; scenes count from 1


@dataclass(eq=False)
class Take:
    """One take as it grows: its pieces so far, at which sample of the film the next one takes over, and what that goes on from.

    `before` are codes (codebooks, frames), and `theme_start` is where they begin in the theme's own time, if they are of a theme.
    `moved` says of each join by how many seconds it lies behind the film's turn; None where no beat was near.
    """

    seed: int
    tune: Tune | None
    before: Tensor
    theme_start: float = 0.0
    at: int = 0
    laid: list[Laid] = field(default_factory=list)
    moved: list[float | None] = field(default_factory=list)


class Player:
    """Plays a plan with an open model: so many takes in so many batches. It tells how far the music is."""

    def __init__(
        self, opened: Opened, request: Request, plan: Plan, takes: int, batches: int, progress: Progress
    ) -> None:
        self._model, self._codec = opened.model, opened.model.codec
        self._tokenizer = opened.tokenizer
        self._request, self._plan, self._progress = request, plan, progress
        self._options: Options = request.options
        self._total, self._done = plan.total * batches, 0
        self._pieces, self._heard = takes * (len(plan.parts) + (plan.theme is not None)), 0
        shunned = "" if self._options.as_published else avoided(request.brief)
        self._shunned = self._ids(shunned) if shunned else None

    @torch.no_grad()
    def play(self, seeds: Sequence[int], tunes: Sequence[Tune | None]) -> list[Take]:
        """The takes of these seeds, together."""
        nothing = torch.empty(self._codec.codebooks, 0, dtype=torch.long)
        takes = [Take(seed, tune, nothing) for seed, tune in zip(seeds, tunes, strict=True)]
        if self._plan.theme:
            self._take_up_theme(takes)
        for number, part in enumerate(self._plan.parts):
            made = self._continued(takes, part.scene.prompt, part.known, part.made, number + 1)
            for take, codes in zip(takes, made, strict=True):
                self._lay(take, codes, number)
        return takes

    def _take_up_theme(self, takes: Sequence[Take]) -> None:
        """Makes the theme of each take and cuts it before a beat, so that what goes on from it begins on one."""
        theme = self._plan.theme
        assert theme is not None
        rate, hop = self._codec.sample_rate, self._codec.hop_samples
        for take, codes in zip(takes, self._continued(takes, theme.prompt, 0, theme.made, _THEME), strict=True):
            sound = self._sound(codes)
            stop = round(self._beat(sound, theme.length * hop).time * rate / hop)
            start = stop - self._plan.parts[0].known
            take.before, take.theme_start = codes[:, start:stop], start * hop / rate

    def _continued(self, takes: Sequence[Take], prompt: Prompt, known: int, made: int, place: int) -> Tensor:
        """The last `known` codes of each take and `made` more, (takes, codebooks, known + made), in windows that the model knows."""
        length = known + made
        codes = torch.empty(len(takes), self._codec.codebooks, length, dtype=torch.long)
        codes[..., :known] = torch.stack([take.before[:, take.before.shape[1] - known :] for take in takes])
        generators = [chance(take.seed, place) for take in takes]
        ids, there = self._ids(prompt.text), known
        told = None if self._led(takes) else self._model.condition(ids)
        for start in even_starts(length, self._plan.learned, self._plan.learned - self._plan.context):
            end = min(start + self._plan.learned, length)
            continued = generate(
                self._model.decoder,
                self._led_by_tunes(takes, ids, start - known) if told is None else told,
                self._null,
                length=end - start,
                generators=generators,
                prompt=codes[..., start:there],
                sampling=self._sampling,
                watch=telling(self._progress, self._done - (there - start), self._total, self._request.brief.duration),
            )
            codes[..., there:end] = continued[..., there - start :].cpu()
            self._done += end - there
            there = end
        return codes

    def _led(self, takes: Sequence[Take]) -> bool:
        """Whether the model follows melodies and the takes have them."""
        return self._model.config.melody is not None and takes[0].tune is not None

    def _led_by_tunes(self, takes: Sequence[Take], ids: Tensor, first: int) -> list[Tensor]:
        """What the decoder is told for each take in a window that begins `first` frames after the takes' place."""
        melody = self._model.config.melody
        heard = [take.tune.chroma(self._times(take, first), melody) for take in takes if melody and take.tune]
        return [self._model.condition(ids, chroma) for chroma in heard]

    def _times(self, take: Take, first: int) -> list[tuple[float, float]]:
        """The film time of such a window, from and to in seconds; codes of a theme have the theme's own time."""
        rate = self._codec.frame_rate
        now, begins = take.at / self._codec.sample_rate, first / rate
        if self._plan.theme and begins < 0:
            behind = take.theme_start + self._plan.parts[0].known / rate
            return [(behind + begins, behind), (now, now + LEARNED + begins)]
        return [(now + begins, now + begins + LEARNED)]

    @cached_property
    def _null(self) -> Tensor | None:
        """What guidance leads away from: the words that are to be avoided, or silence."""
        if self._options.guidance == 1:
            return None
        return self._model.null() if self._shunned is None else self._model.condition(self._shunned)

    @property
    def _sampling(self) -> Sampling:
        options = self._options
        return Sampling(options.temperature, options.top_k, options.top_p, options.guidance)

    def _ids(self, words: str) -> Tensor:
        return self._tokenizer(words).to(self._model.decoder.norm.weight.device)

    def _lay(self, take: Take, codes: Tensor, number: int) -> None:
        """Puts the sound of a scene's codes in its place, and finds where the next scene takes over."""
        part, hop = self._plan.parts[number], self._codec.hop_samples
        lead = min(round(LEAD * self._codec.frame_rate), part.known)
        sound = self._sound(codes[:, part.known - lead :])
        anchor = lead * hop
        if self._options.as_published:
            take.laid.append(Laid(sound, 0, take.at))
            take.at += sound.shape[1]
            return
        if number and self._options.carried != "tail":
            anchor = round(self._beat(sound, anchor).time * self._codec.sample_rate)
        take.laid.append(Laid(sound, anchor, take.at))
        if number + 1 < len(self._plan.parts):
            self._end(take, codes[:, part.known :], part.scene.end)

    def _end(self, take: Take, new: Tensor, turn: float) -> None:
        """Ends the last piece, whose `new` codes are those behind its lead-in, on the beat nearest to the film's turn."""
        piece, rate, hop = take.laid[-1], self._codec.sample_rate, self._codec.hop_samples
        found = self._beat(piece.sound, round(turn * rate) - piece.begins)
        end = round(found.time * rate) + piece.begins
        if self._options.carried == "tail":
            frames = round((end - piece.at) / hop)  # within a hundredth of a second of the beat
            end = piece.at + frames * hop
            take.before = torch.cat([take.before, new[:, :frames]], dim=1)[:, -self._plan.context :]
        take.moved.append(end / rate - turn if found.on_beat else None)
        take.at = end

    def _sound(self, codes: Tensor) -> Samples:
        """The sound of one take's codes; the work is told as a share of that for all pieces of all takes."""
        before, self._heard = self._heard, self._heard + 1

        def telling_share(stage: str, fraction: float, _told: str = "", /) -> None:
            self._progress(stage, (before + fraction) / self._pieces)

        return sounding(self._codec, codes[None], telling_share)

    def _beat(self, sound: Samples, place: int) -> Meeting:
        """Where a join near that sample of a sound had better lie."""
        rate = self._codec.sample_rate
        return beat_near(sound, rate, place / rate, self._request.brief.tempo_bpm)
