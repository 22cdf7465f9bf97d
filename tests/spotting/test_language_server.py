"""A language model at a server: asked as servers want it, and whatever they do, an answer or a reason, in time."""

import json
import socket
import time

import pytest
from faulty_server import Reply, completion, faulty_server

from reelscore.errors import InputError, MissingError
from reelscore.spotting.language import LanguageChoice, Message, NoAnswerError, open_language_model

pytest.importorskip("openai", reason="the extra llm is not installed")

QUESTION = (Message("system", "You spot films."), Message("user", "A lake at dawn."))
SCHEMA = {"type": "object", "properties": {"genres": {"type": "array"}}, "required": ["genres"]}
GOOD = Reply(completion('{"genres": ["folk"]}'))


@pytest.fixture(autouse=True)
def no_keys_and_short_pauses(monkeypatch):
    from reelscore.spotting.language import server

    monkeypatch.setattr(server, "_PAUSE", 0.01)
    for name in ("REELSCORE_LLM_KEY", "OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def opened(server, model="tiny", timeout=10.0):
    return open_language_model(LanguageChoice(server.address, model, timeout))


def reason_of(*replies, timeout=10.0):
    """Why a server with these replies gave no answer."""
    with faulty_server(*replies) as server:
        with pytest.raises(NoAnswerError) as problem:
            opened(server, timeout=timeout).answer(QUESTION, 100, 0, SCHEMA)
        return str(problem.value)


# ── As it should be ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_question_and_its_answer():
    with faulty_server(GOOD) as server:
        model = opened(server)
        assert model.answer(QUESTION, 123, 7, SCHEMA) == '{"genres": ["folk"]}'
        (asked,) = server.questions
    assert asked["model"] == "tiny" and asked["max_tokens"] == 2123
    assert (asked["seed"], asked["temperature"], asked["stream"]) == (7, 0, False)
    assert [turn["role"] for turn in asked["messages"]] == ["system", "user"]
    assert asked["response_format"]["json_schema"]["schema"] == SCHEMA
    assert model.name == f"tiny at {server.address}"


def test_without_a_schema_plain_text_is_asked_for():
    with faulty_server(GOOD) as server:
        opened(server).answer(QUESTION, 100)
        assert "response_format" not in server.questions[0]


def test_the_first_model_that_talks_is_taken():
    with faulty_server(GOOD) as server:
        model = opened(server, model="")
        model.answer(QUESTION, 100)
        model.answer(QUESTION, 100)
        assert [question["model"] for question in server.questions] == ["tiny", "tiny"]
        assert model.name.startswith("tiny at ")
        assert [each.path for each in server.asked].count("/v1/models") == 1


def test_parts_of_text_are_joined_and_no_text_is_empty():
    parts = [{"type": "text", "text": "{"}, {"type": "text", "text": "}"}, "x", None]
    with faulty_server(Reply(completion(parts)), Reply(completion(None)), Reply(completion(7))) as server:
        model = opened(server)
        assert [model.answer(QUESTION, 9) for _ in range(3)] == ["{}", "", ""]


# ── Servers that refuse some of it ────────────────────────────────────────────────────────────────────────────────────


def refusal(what: str, status: int = 400) -> Reply:
    return Reply(json.dumps({"error": {"message": what}}).encode(), status)


def test_a_refused_schema_becomes_an_object_and_then_nothing():
    with faulty_server(refusal("response_format"), refusal("response_format", 422), GOOD) as server:
        model = opened(server)
        model.answer(QUESTION, 100, 0, SCHEMA)
        forms = [question.get("response_format", {}).get("type") for question in server.questions]
        assert forms == ["json_schema", "json_object", None]
        # What was refused once is not tried again.
        model.answer(QUESTION, 100, 0, SCHEMA)
        assert "response_format" not in server.questions[-1]


def test_a_server_that_breaks_on_a_schema():
    with faulty_server(Reply(status=500), GOOD) as server:
        opened(server).answer(QUESTION, 100, 0, SCHEMA)
        assert [q["response_format"]["type"] for q in server.questions] == ["json_schema", "json_object"]


def test_the_field_that_a_server_names_is_left_out():
    told = refusal("Unsupported parameter: 'max_tokens'; use 'max_completion_tokens' instead.")
    with faulty_server(told, refusal("temperature must be 1"), GOOD) as server:
        opened(server).answer(QUESTION, 100, 0, SCHEMA)
        last = server.questions[-1]
    assert last["max_completion_tokens"] == 2100 and "max_tokens" not in last and "temperature" not in last
    assert last["response_format"]["type"] == "json_schema" and last["seed"] == 0


def test_a_server_with_little_room_is_not_held_to_a_length():
    told = refusal("'max_tokens' or 'max_completion_tokens' is too large: 2100")
    with faulty_server(told, told, GOOD) as server:
        opened(server).answer(QUESTION, 100)
        assert not {"max_tokens", "max_completion_tokens"} & set(server.questions[-1])
        assert len(server.questions) == 3


def test_a_server_that_takes_none_of_it_in_silence():
    with faulty_server(*[refusal("no")] * 7, GOOD) as server:
        assert opened(server).answer(QUESTION, 100, 0, SCHEMA) == '{"genres": ["folk"]}'
        assert set(server.questions[-1]) == {"model", "messages", "stream"}


def test_a_server_that_refuses_everything():
    assert reason_of(refusal("no")) == "the server refused the question (400)"


# ── Servers that fail ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_busy_server_is_asked_again():
    with faulty_server(Reply(status=429, headers={"Retry-After": "0.01"}), Reply(status=503), GOOD) as server:
        assert opened(server).answer(QUESTION, 100) == '{"genres": ["folk"]}'
        assert len(server.questions) == 3


def test_a_connection_that_breaks_off_is_made_again():
    with faulty_server(Reply(cut=True), GOOD) as server:
        assert opened(server).answer(QUESTION, 100) == '{"genres": ["folk"]}'
    assert reason_of(Reply(cut=True)) == "the connection broke off"


def test_it_is_not_asked_for_ever():
    with faulty_server(Reply(status=503, headers={"Retry-After": "0.01"})) as server:
        with pytest.raises(NoAnswerError, match=r"the server failed \(503\)"):
            opened(server).answer(QUESTION, 100)
        assert len(server.questions) == 3


def test_a_pause_beyond_the_deadline_is_not_waited_for():
    assert "too many requests (429)" in reason_of(Reply(status=429, headers={"Retry-After": "30"}), timeout=5)


@pytest.mark.parametrize("pause", ["-1", "nan", "inf", "Wed, 21 Oct 2026 07:28:00 GMT", "1e400", ""])
def test_pauses_that_are_none(pause):
    with faulty_server(Reply(status=503, headers={"Retry-After": pause}), GOOD) as server:
        assert opened(server).answer(QUESTION, 100)


@pytest.mark.parametrize(
    "reply",
    [Reply(hang=True), Reply(drip=0.03), Reply(drip_headers=True), Reply(status=500, drip=0.03)],
    ids=["hangs", "drips", "drips headers", "drips a failure"],
)
def test_one_deadline_for_all(reply):
    assert reason_of(reply, timeout=0.3) == "time-out after 0.3 s"


def test_the_listing_has_the_same_deadline():
    with faulty_server(GOOD) as server:
        server.models = Reply(hang=True)
        with pytest.raises(NoAnswerError, match=r"time-out after 0\.3 s"):
            opened(server, model="", timeout=0.3).answer(QUESTION, 100)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(b"<html>welcome</html>"), "no JSON"),
        (Reply(b""), "no JSON"),
        (Reply(b"[" * 100_000), "no JSON"),
        (Reply(b"9" * 100_000), "no JSON"),
        (Reply(b"\xff\xfe\x00garbage"), "no JSON"),
        (Reply(b'{"choices": []}'), "no chat completion"),
        (Reply(b'{"choices": [{"message": "hello"}]}'), "no chat completion"),
        (Reply(b'{"error": {"message": "out of memory"}}'), "no chat completion"),
        (Reply(b"[1, 2, 3]"), "no chat completion"),
        (Reply(b" " * (3 * 2**20)), "far too long"),
        (Reply(endless=True), "far too long"),
        (Reply(endless=True, status=500), "far too long"),
        (Reply(b"\x1f\x8b" + b"x" * 100, headers={"Content-Encoding": "gzip"}), "packed"),
        (Reply(status=404), r"knows no model 'tiny'.*\(404\)"),
        (Reply(status=418), r"refused the question \(418\)"),
    ],
)
def test_answers_that_are_none(reply, reason):
    import re

    assert re.search(reason, reason_of(reply))


def test_nobody_there():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    model = open_language_model(LanguageChoice(f"http://127.0.0.1:{port}/v1", "tiny", 5.0))
    with pytest.raises(NoAnswerError, match=rf"no connection to http://127.0.0.1:{port}/v1"):
        model.answer(QUESTION, 100)


def test_a_model_that_the_server_does_not_know():
    told = refusal("Server is pinned to 'big'; requested 'tiny'.")
    with faulty_server(told) as server:
        with pytest.raises(NoAnswerError, match=r"knows no model 'tiny'"):
            opened(server).answer(QUESTION, 100, 0, SCHEMA)
        assert len(server.questions) == 1


@pytest.mark.parametrize("listing", [b"{}", b'{"data": [{"id": 5}, "x"]}', b'{"data": 1}', b'{"data": []}', b"[]"])
def test_a_server_that_lists_nothing_may_have_a_model_all_the_same(listing):
    with faulty_server(GOOD) as server:
        server.models = Reply(listing)
        model = opened(server, model="")
        assert model.answer(QUESTION, 100) == '{"genres": ["folk"]}'
        assert "model" not in server.questions[0] and model.name == f"the first model at {server.address}"


def test_a_server_that_lists_nothing_and_has_nothing():
    with faulty_server(Reply(status=404)) as server:
        server.models = Reply(status=404)
        with pytest.raises(NoAnswerError, match="lists no model, so name one"):
            opened(server, model="").answer(QUESTION, 100)


# ── Keys and addresses ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_key_goes_to_the_server_and_nowhere_else(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-general")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-mine")
    monkeypatch.setenv("REELSCORE_LLM_KEY", "sk-own\n")
    echo = Reply(b'{"error": {"message": "Incorrect API key provided: sk-own"}}', 401)
    with faulty_server(echo) as server:
        with pytest.raises(NoAnswerError) as problem:
            opened(server).answer(QUESTION, 100)
        headers = server.asked[0].headers
    assert headers["authorization"] == "Bearer sk-own" and "openai-organization" not in headers
    assert "REELSCORE_LLM_KEY (401)" in str(problem.value) and "sk-own" not in str(problem.value)


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("https://api.openai.com/v1", "sk-general"),
        ("http://localhost:11434/v1", "sk-general"),
        ("http://[::1]:8000/v1", "sk-general"),
        ("http://192.168.1.5:11434/v1", "none"),
        ("http://localhost.evil.example/v1", "none"),
    ],
)
def test_the_general_key_is_not_sent_in_the_open(monkeypatch, address, key):
    from reelscore.spotting.language.server import key_for

    monkeypatch.setenv("OPENAI_API_KEY", "sk-general")
    assert key_for(address) == key


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(monkeypatch, status):
    monkeypatch.setenv("REELSCORE_LLM_KEY", "sk-own")
    with faulty_server(GOOD) as other:
        reason = reason_of(Reply(status=status, headers={"Location": f"{other.address}/chat/completions"}))
        assert other.asked == []
    assert "sends on to another address" in reason and str(status) in reason


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("http://localhost:11434", "http://localhost:11434/v1"),
        ("http://localhost:11434/", "http://localhost:11434/v1"),
        (" HTTPS://Example.com/api/openai/ ", "https://Example.com/api/openai"),
        ("http://127.0.0.1:8000/v1/chat/completions", "http://127.0.0.1:8000/v1"),
    ],
)
def test_addresses_as_people_write_them(written, address):
    from reelscore.spotting.language.server import address_of

    assert address_of(written) == address


@pytest.mark.parametrize(
    "written", ["http://", "ftp://example.com/v1", "http://host:99999/v1", "http://host:port", "http://[::1/v1", "://x"]
)
def test_what_is_no_address_is_refused_at_once(written):
    with pytest.raises(
        InputError, match=r"is no address of a language model; give one such as http://localhost:11434/v1"
    ):
        open_language_model(LanguageChoice(written))


def test_secrets_in_an_address_are_refused_and_not_repeated():
    for written in ("https://me:sesame@example.com/v1", "https://example.com/v1?api-key=sesame", "ftp://me:sesame@x"):
        with pytest.raises(InputError) as problem:
            open_language_model(LanguageChoice(written))
        assert "sesame" not in str(problem.value)


@pytest.mark.parametrize("timeout", [0.0, -1.0, float("nan"), float("inf"), 1e9])
def test_times_that_are_none(timeout):
    with pytest.raises(InputError, match="to answer"):
        open_language_model(LanguageChoice("http://localhost:1/v1", timeout=timeout))


# ── The server of transformers ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def transformers_server(tmp_path_factory):
    """`transformers serve` with a tiny model, in this process; gives its address, and the name of the model."""
    for package in ("torch", "transformers", "fastapi", "uvicorn", "accelerate"):
        pytest.importorskip(package, reason="transformers serve needs it")
    from tiny_chat import tiny_chat
    from transformers.cli.serve import Serve

    folder = str(tiny_chat(tmp_path_factory.mktemp("served"), SERVED))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Serve(folder, device="cpu", host="127.0.0.1", port=port, log_level="error", non_blocking=True)
    started = time.monotonic()
    while not server.server.started and time.monotonic() - started < 30:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}/v1", folder
    server.kill_server()


SERVED = (
    '{"genres": ["folk"], "moods": ["calm", "hopeful"], "instruments": ["acoustic guitar", "flute"], "tempo_bpm": 84}'
)


@pytest.mark.parametrize("named", [True, False])
def test_the_server_of_transformers_answers(transformers_server, named):
    address, folder = transformers_server
    model = open_language_model(LanguageChoice(address, folder if named else "", 60.0))
    assert model.answer(QUESTION, 200, 0, SCHEMA) == SERVED


def test_without_the_extra_there_is_the_command(monkeypatch):
    import reelscore.spotting.language as room

    monkeypatch.setattr(room, "find_spec", lambda _: None)
    with pytest.raises(MissingError, match=r'pip install "reelscore\[llm\]"'):
        open_language_model(LanguageChoice("http://localhost:1/v1"))
