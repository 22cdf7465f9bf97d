"""A language model on this machine: a tiny one with a real tokenizer, made here, through the path that a large one takes."""

from types import SimpleNamespace

import pytest
from made_films import cut_at

from reelscore.brief import Wishes
from reelscore.errors import InputError, MissingError
from reelscore.hardware import Hardware
from reelscore.resident import free_models
from reelscore.spotting import write_brief
from reelscore.spotting.language import LanguageChoice, Message, NoAnswerError, open_language_model

torch = pytest.importorskip("torch", reason="the extra neural is not installed")
pytest.importorskip("transformers", reason="the extra neural is not installed")

from tiny_chat import CHATML, DROPS_SYSTEM, WITHOUT_SYSTEM, chat_tokenizer, tiny_chat  # noqa: E402

QUESTION = (Message("system", "You spot films."), Message("user", "A lake at dawn."))
SAYS = '{"genres": ["folk"], "moods": ["calm"], "instruments": ["acoustic guitar", "flute"], "tempo_bpm": 84}'


@pytest.fixture(scope="module", autouse=True)
def nothing_stays():
    yield
    free_models()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_chat(tmp_path_factory.mktemp("says"), SAYS)


@pytest.fixture(scope="module")
def random_folder(tmp_path_factory):
    return tiny_chat(tmp_path_factory.mktemp("random"))


def opened(folder, timeout=60.0):
    return open_language_model(LanguageChoice(str(folder), timeout=timeout))


def loaded(model):
    """What is in memory for this model."""
    return model._loaded()


def test_it_says_what_it_knows_and_ends_where_it_ends(folder):
    assert opened(folder).answer(QUESTION, 400) == SAYS


def test_the_same_question_has_the_same_answer(random_folder):
    first, second = (opened(random_folder).answer(QUESTION, 24) for _ in range(2))
    assert first == second != ""
    assert opened(random_folder).answer((*QUESTION[:1], Message("user", "A car.")), 24) != first


def test_it_writes_the_brief(folder):
    brief = write_brief(cut_at([], 12), Wishes(avoid=("flute",)), opened(folder))
    assert (brief.tags.genres, brief.tags.moods) == (("folk",), ("calm",))
    assert brief.tags.instruments[0] == "acoustic guitar" and "flute" not in brief.tags.instruments
    said = "genres, moods, instruments, tempo; rule: the rest"
    assert brief.sources["language_model"] == f"model {folder.name}: {said}"


def test_a_model_that_babbles_leaves_the_brief_to_the_rules(random_folder):
    film = cut_at([6], 12, change=0.9)
    brief = write_brief(film, Wishes(), opened(random_folder))
    assert brief.sources.pop("language_model").startswith(
        f"rule: all that was not asked for; the language model {random_folder.name} gave two answers that"
    )
    assert brief == write_brief(film)


def test_it_says_no_more_than_it_may(folder):
    assert opened(folder).answer(QUESTION, 2) == SAYS[:48]


def test_it_is_loaded_once_and_let_go_of(folder):
    first, second = loaded(opened(folder)), loaded(opened(folder))
    assert first is second
    free_models()
    assert loaded(opened(folder)) is not first


@pytest.mark.parametrize("template", [WITHOUT_SYSTEM, DROPS_SYSTEM])
def test_models_without_a_system_turn_are_told_all_the_same(template):
    from reelscore.spotting.language.local import rendered

    again = (*QUESTION, Message("assistant", "hm"), Message("user", "Once more."))
    text = rendered(chat_tokenizer(template), again)
    assert text.index("You spot films.\n\nA lake at dawn.") < text.index("hm") < text.index("Once more.")


def test_a_system_turn_is_kept_where_there_is_one_and_thinking_is_off():
    from reelscore.spotting.language.local import rendered

    template = CHATML + "{% if not enable_thinking %}<think>\n\n</think>\n{% endif %}"
    text = rendered(chat_tokenizer(template), QUESTION)
    assert text.startswith("<|im_start|>system\nYou spot films.<|im_end|>\n<|im_start|>user\n")
    assert text.endswith("<|im_start|>assistant\n<think>\n\n</think>\n")


def test_a_model_without_a_form_of_its_own_gets_paragraphs(tmp_path):
    assert opened(tiny_chat(tmp_path, SAYS, template=None)).answer(QUESTION, 400) == SAYS


def test_a_template_that_takes_nothing(tmp_path):
    model = opened(tiny_chat(tmp_path, template="{{ raise_exception('never') }}"))
    with pytest.raises(NoAnswerError, match="chat template takes no such conversation"):
        model.answer(QUESTION, 10)


def test_a_model_that_thinks_in_any_case_has_room_to(tmp_path):
    model = opened(tiny_chat(tmp_path, f"so so\n</think>{SAYS}", template=CHATML + "<think>\n"))
    assert model.answer(QUESTION, 2).endswith(SAYS)


def test_time_over_while_it_speaks(random_folder):
    with pytest.raises(NoAnswerError, match=r"time-out after 0\.001 s"):
        opened(random_folder, timeout=0.001).answer(QUESTION, 5000)


def test_time_over_while_it_reads(random_folder, monkeypatch):
    from reelscore.spotting.language import local

    clock = iter([0.0, 1.0, 2.0, 100.0])  # the start, before the model, before the first layer, before the second
    model = opened(random_folder, timeout=10.0)
    network = loaded(model).model
    ran = []
    hook = network.model.layers[1].mlp.register_forward_hook(lambda *_: ran.append(1))
    monkeypatch.setattr(local, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    with pytest.raises(NoAnswerError, match="time-out after 10 s"):
        model.answer(QUESTION, 10)
    hook.remove()
    assert ran == []
    watchers = [each for each in network.modules() if each._forward_pre_hooks]
    assert watchers == [], "nothing may be left on the model"


def test_memory_that_is_too_small(random_folder, monkeypatch):
    model = opened(random_folder)

    def full(**_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB\nmore lines")

    monkeypatch.setattr(loaded(model).model, "generate", full)
    with pytest.raises(NoAnswerError, match="it needs more memory than cpu has"):
        model.answer(QUESTION, 10)


def test_a_question_that_is_too_long_for_it(tmp_path):
    model = opened(tiny_chat(tmp_path, room=64))
    with pytest.raises(NoAnswerError, match=r"the question has \d+ tokens, and the model reads 64"):
        model.answer(QUESTION, 60)


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda _: b"", lambda _: b"\xff" * 64])
def test_damaged_weights(tmp_path, damage):
    weights = tiny_chat(tmp_path) / "model.safetensors"
    weights.write_bytes(damage(weights.read_bytes()))
    with pytest.raises(NoAnswerError, match="it cannot be loaded: "):
        opened(tmp_path).answer(QUESTION, 10)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
@pytest.mark.parametrize(
    "content", ["{", "[]", '{"model_type": "no-such-model"}', '{"model": {"type": "?"}, "added_tokens": []}']
)
def test_damaged_settings(tmp_path, name, content):
    (tiny_chat(tmp_path) / name).write_text(content)
    with pytest.raises(NoAnswerError):
        opened(tmp_path).answer(QUESTION, 10)


# ── What is known at once ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("left_out", "message"),
    [("config.json", "no config.json"), ("tokenizer*", "no tokenizer"), ("*.safetensors", "no weights as safetensors")],
)
def test_a_folder_that_is_no_model(tmp_path, left_out, message):
    for path in tiny_chat(tmp_path).glob(left_out):
        path.unlink()
    with pytest.raises(InputError, match=message):
        opened(tmp_path)


def test_a_model_that_is_not_here_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingError, match="reelscore models get qwen3-4b"):
        open_language_model(LanguageChoice("qwen3-4b"))


def test_a_model_of_another_kind_and_one_that_is_none():
    from reelscore.checkpoints.catalogue import of_kind

    with pytest.raises((InputError, MissingError)):
        open_language_model(LanguageChoice(of_kind("captioner")[0].name))
    with pytest.raises(InputError, match="There is no model 'no such thing'"):
        open_language_model(LanguageChoice("no such thing"))


def test_a_servers_model_needs_a_server(folder):
    with pytest.raises(InputError, match="'qwen' names a model at a server"):
        open_language_model(LanguageChoice(str(folder), "qwen"))


def test_four_bits_are_refused_where_there_are_none(folder):
    with pytest.raises(InputError, match="4-bit"):
        open_language_model(LanguageChoice(str(folder)), Hardware(device="cpu", low_resource=True))


def test_without_the_extra_there_is_the_command(folder, monkeypatch):
    import reelscore.hardware

    monkeypatch.setattr(reelscore.hardware, "find_spec", lambda _: None)
    with pytest.raises(MissingError, match=r'pip install "reelscore\[neural\]"'):
        opened(folder)
