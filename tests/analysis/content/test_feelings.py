"""People and their feelings: what is asked, of which pictures, and what an answer is worth; and BLIP-2, which gives them."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from filmmaking import Scene, shot, write_film
from running import reelscore
from tiny_captioner import blip2, smolvlm

from reelscore.analysis import Analysis, analyze
from reelscore.analysis.content import describe
from reelscore.analysis.content.blip2 import Blip2Captioner
from reelscore.analysis.content.feelings import FEELING_QUESTIONS, PEOPLE_QUESTION, Answering, answers, people_in
from reelscore.analysis.content.frames import Frame
from reelscore.analysis.content.loading import open_captioner
from reelscore.hardware import Hardware
from reelscore.spotting.telling import _OF_PEOPLE
from reelscore.vocabulary import MOODS

CPU = Hardware(device="cpu")
FEELINGS = tuple(FEELING_QUESTIONS.values())
WALLS = [Scene(11, colour=(0.5, 0.9, 1.3)), Scene(12, speed=-0.1, colour=(1.3, 1.0, 0.5))]


def frame(level: int = 100) -> Frame:
    return Frame(0.04 * level, np.full((112, 63, 3), level, np.uint8))


class Model:
    """Says to each question what is written for the level of the picture; yes to everything, as much as `bias` says, besides."""

    def __init__(self, said: dict[int, dict[str, float]], bias: float = 0.0):
        self.blank = frame(128)
        self.biases: dict[str, float] = {}
        self.said, self.bias = said, bias
        self.asked: list[tuple[int, Sequence[str]]] = []

    def log_odds(self, frame: Frame, questions: Sequence[str]) -> list[float]:
        level = int(frame.rgb[0, 0, 0])
        self.asked.append((level, tuple(questions)))
        return [self.said.get(level, {}).get(question, -4.0) + self.bias for question in questions]


def told(model: Model, *levels: int):
    parts: list[float] = []
    people = people_in(model, [frame(level) for level in levels], parts.append)
    assert parts == sorted(parts) and parts[-1] == 1.0
    return people


def share(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def test_feelings_are_asked_about_only_where_people_are_seen() -> None:
    sad = {PEOPLE_QUESTION: 3.0, FEELING_QUESTIONS["sad"]: 2.0}
    model = Model({1: {}, 2: sad, 3: sad | {FEELING_QUESTIONS["sad"]: 1.0}})
    people = told(model, 1, 2, 3)
    assert people.seen == round(share(3.0), 3)
    assert people.feelings["sad"] == pytest.approx((share(2.0) + share(1.0)) / 2, abs=1e-3)
    assert set(people.feelings) == set(FEELING_QUESTIONS) and people.feelings["happy"] < 0.05
    about_feelings = [level for level, questions in model.asked if questions == FEELINGS]
    assert about_feelings == [128, 2, 3]
    nobody = told(Model({}), 1, 2, 3)
    assert nobody.seen < 0.05 and nobody.feelings == {}


def test_who_says_yes_to_everything_says_nothing() -> None:
    eager = Model({level: dict.fromkeys((PEOPLE_QUESTION, *FEELINGS), 0.0) for level in (1, 2, 128)}, bias=5.0)
    people = told(eager, 1, 2)
    assert people.seen == 0.5 and people.feelings == {}


def test_what_speaks_for_yes_without_a_picture_is_taken_off() -> None:
    mourners = {PEOPLE_QUESTION: 4.0, **dict.fromkeys(FEELINGS, 0.0), FEELING_QUESTIONS["sad"]: 2.0}
    nothing = dict.fromkeys((PEOPLE_QUESTION, *FEELINGS), 0.0)
    fair, eager = told(Model({1: mourners, 128: nothing}), 1), told(Model({1: mourners, 128: nothing}, bias=5.0), 1)
    assert fair == eager
    assert eager.feelings["sad"] == round(share(2.0), 3)
    assert all(sure == 0.5 for name, sure in eager.feelings.items() if name != "sad")


def test_nothing_is_added_where_a_blank_is_rightly_denied() -> None:
    # To a blank this model says no with −9; to this picture with −2, which is still a no.
    wary = Model({1: {PEOPLE_QUESTION: -2.0}, 128: {PEOPLE_QUESTION: -9.0}})
    assert told(wary, 1).seen == round(share(-2.0), 3)


def test_a_blank_is_asked_about_once() -> None:
    model = Model({1: {PEOPLE_QUESTION: 3.0}})
    for _ in range(3):
        told(model, 1, 1)
    assert [questions for level, questions in model.asked if level == 128] == [(PEOPLE_QUESTION,), FEELINGS]


def test_answers_are_numbers_from_0_to_1_whatever_the_odds() -> None:
    model = Model({1: {"a": 1e6, "b": -1e6, "c": 0.0}, 128: {"a": 0.0, "b": 0.0, "c": 0.0}})
    assert answers(model, frame(1), ("a", "b", "c")) == [1.0, 0.0, 0.5]


def test_every_feeling_has_a_mood_of_the_vocabulary() -> None:
    assert _OF_PEOPLE.keys() == FEELING_QUESTIONS.keys()
    assert set(_OF_PEOPLE.values()) <= MOODS.keys()


# ── BLIP-2 ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module", params=["opt", "t5"])
def captioner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Blip2Captioner:
    folder = tmp_path_factory.mktemp(request.param)
    opened = open_captioner(str(blip2(folder, on=request.param)), CPU)
    assert isinstance(opened, Blip2Captioner) and isinstance(opened, Answering)
    return opened


def picture(seed: int) -> Frame:
    return Frame(1.0, np.random.default_rng(seed).integers(0, 256, (63, 112, 3), np.uint8))


def published_way(captioner: Blip2Captioner, of: Frame, text: str, most: int):
    """What transformers' own processor and generate give for one picture and one text."""
    from reelscore.analysis.content.chat import picture as prepared

    processor, model = captioner._processor, captioner._model
    inputs = processor(images=prepared(of.rgb, processor.image_processor), text=text, return_tensors="pt")
    inputs["input_ids"] = inputs["input_ids"].long()
    with torch.inference_mode():
        return model.generate(
            **inputs, max_new_tokens=most, do_sample=False, output_logits=True, return_dict_in_generate=True
        )


def test_its_answers_are_those_of_the_published_way(captioner: Blip2Captioner) -> None:
    questions = ("Is it dark?", "Are there people in the picture?", "Yes?")
    for seed in (1, 2):
        found = captioner.log_odds(picture(seed), questions)
        for question, odds in zip(questions, found, strict=True):
            logits = published_way(captioner, picture(seed), f"Question: {question} Answer:", 1).logits[0][0]
            tokenizer = captioner._processor.tokenizer
            yes, no = (
                torch.logsumexp(torch.stack([logits[each] for each in words(tokenizer, word)]), 0)
                for word in ("yes", "no")
            )
            assert odds == pytest.approx(float(yes - no), abs=1e-4)
    assert captioner.log_odds(picture(1), questions) != captioner.log_odds(picture(2), questions)


def words(tokenizer, word: str) -> set[int]:
    """All tokens that are the word, found by looking through the whole vocabulary."""
    return {token for token in range(len(tokenizer)) if tokenizer.decode([token]).strip().lower() == word}


def test_its_captions_are_those_of_the_published_way(
    captioner: Blip2Captioner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reelscore.analysis.content.blip2.cleaned", lambda text, _: text)
    monkeypatch.setattr("reelscore.analysis.content.blip2._TOKENS", 12)
    tokens = published_way(captioner, picture(3), "", 12).sequences[0]
    text = captioner._processor.tokenizer.decode(tokens, skip_special_tokens=True)
    assert captioner.caption(picture(3), lambda part: None).strip() == text.strip()  # noqa: ARG005


@pytest.mark.parametrize(("word", "sure"), [(" yes", 1.0), (" no", 0.0), ("No", 0.0), ("Yes", 1.0)])
def test_its_answer_is_its_next_word(captioner: Blip2Captioner, word: str, sure: float) -> None:
    (token,) = captioner._processor.tokenizer(word, add_special_tokens=False)["input_ids"]
    push = torch.zeros(captioner._model.get_output_embeddings().weight.shape[0])
    push[token] = 30.0
    hook = captioner._model.get_output_embeddings().register_forward_hook(lambda _, __, out: out + push)
    (odds,) = captioner.log_odds(frame(), ("Is it dark?",))
    hook.remove()
    assert share(odds) == pytest.approx(sure, abs=1e-3)


def test_it_looks_at_a_picture_once_whatever_is_asked(captioner: Blip2Captioner) -> None:
    looks: list[int] = []
    hook = captioner._model.vision_model.register_forward_hook(lambda *_: looks.append(1))
    seen = picture(4)
    captioner.caption(seen, lambda part: None)  # noqa: ARG005
    for _ in range(3):
        captioner.log_odds(seen, FEELINGS)
    captioner.log_odds(seen, (PEOPLE_QUESTION,))
    assert len(looks) == 1 and seen in captioner._seen
    del seen
    assert len(captioner._seen) <= 1  # the blank, which lives as long as the model
    hook.remove()


def test_its_blank_is_nothing_to_it(captioner: Blip2Captioner) -> None:
    shown = captioner._processor.image_processor(captioner.blank.rgb, return_tensors="pt")["pixel_values"]
    assert float(shown.abs().max()) < 0.02  # the rounding of a mean colour to whole numbers


def test_an_older_blip2_that_does_not_say_its_places_captions_too(tmp_path: Path) -> None:
    older = open_captioner(str(blip2(tmp_path, says_query_tokens=False)), CPU)
    assert isinstance(older, Blip2Captioner)
    assert older._before(frame(), "")["inputs_embeds"].shape[:2] == (1, 5)
    assert isinstance(older.caption(frame(), lambda part: None), str)  # noqa: ARG005


# ── A film ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """A film of two scenes of 4.8 s each."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return analyze(write_film(path, [p for wall in WALLS for p in shot(wall, 120, 25)]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(blip2(tmp_path_factory.mktemp("blip2")))


def test_scenes_get_their_people_and_feelings(film: Analysis, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Frame] = []

    def odds(self: Blip2Captioner, frame: Frame, questions: Sequence[str]) -> list[float]:
        asked.append(frame)
        blank = frame is self.blank
        return [4.0 if not blank and (frame.time > 4.8 or "there people" not in each) else -4.0 for each in questions]

    monkeypatch.setattr(Blip2Captioner, "log_odds", odds)
    monkeypatch.setattr(Blip2Captioner, "caption", lambda self, frame, tick: f"a wall at {frame.time:.0f}")  # noqa: ARG005
    parts: list[float] = []
    described = describe(film, folder, CPU, lambda stage, part, told="": parts.append(part))  # noqa: ARG005
    assert parts == sorted(parts) and parts[-1] == 1.0 and len(parts) > 14
    nobody, somebody = described.captions
    assert nobody.people == 0.018 and nobody.feelings == {}
    assert somebody.people == 0.982 and somebody.feelings == dict.fromkeys(FEELING_QUESTIONS, 0.982)
    assert len({frame.time for frame in asked if frame.time}) == 6  # three key frames a scene
    assert Analysis.model_validate_json(described.model_dump_json()) == described


def test_nothing_is_asked_about_a_scene_of_which_nothing_can_be_said(
    film: Analysis, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Blip2Captioner, "log_odds", lambda *_: pytest.fail("asked in vain"))
    monkeypatch.setattr(Blip2Captioner, "caption", lambda self, frame, tick: "")  # noqa: ARG005
    assert describe(film, folder, CPU).captions == ()


def test_captioners_that_cannot_be_asked_leave_them_empty(film: Analysis, tmp_path: Path) -> None:
    assert not isinstance(open_captioner(str(smolvlm(tmp_path)), CPU), Answering)
    described = describe(film, str(tmp_path), CPU)
    assert all(caption.people is None and caption.feelings == {} for caption in described.captions)


def test_analyze_shows_them(film: Analysis, folder: str) -> None:
    import json

    run = reelscore("analyze", film.film, "--captioner", folder)
    captions = json.loads(run.stdout)["captions"]
    assert captions and all(0 <= caption["people"] <= 1 and "feelings" in caption for caption in captions)
