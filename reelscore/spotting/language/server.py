"""A language model behind an OpenAI-compatible address: Ollama, vLLM, llama.cpp, `transformers serve`, OpenAI and others.

The key comes from REELSCORE_LLM_KEY, else from OPENAI_API_KEY, which is sent over https and to this machine only; it is
never shown, and no redirect is followed. An answer has one deadline for everything, connecting and repeating
included, which holds for a server that sends a byte now and then for ever; and it has a greatest size.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as OutOfTimeError
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

import httpx2
import openai

from reelscore.errors import InputError
from reelscore.spotting.language import LanguageChoice, Message, NoAnswerError, Schema

_MOST_BYTES = 2 * 2**20
_MOST_TRIES = 10
_MOST_FAILURES = 3
_ROOM_TO_THINK = 2000  # tokens: what a model thinks to itself counts as well, where the server cannot turn that off
_PAUSE = 0.4  # seconds before a failed request is repeated; doubled each time
_REFUSES_A_FIELD = (400, 404, 405, 415, 422, 501)
_HERE = ("localhost", "127.0.0.1", "::1")
_NO_CHAT = ("embed", "rerank", "whisper", "tts", "moderation", "dall-e")


def open_server(choice: LanguageChoice) -> ServerModel:
    """The model at the address of a choice; nothing is sent yet. Raises InputError where the address is none."""
    return ServerModel(address_of(choice.model), choice.server_model.strip(), choice.timeout)


def address_of(written: str) -> str:
    """The base address of the interface: as given, with /v1 where no path was given. Raises InputError."""
    remedy = "give one such as http://localhost:11434/v1"
    try:
        parts = urlsplit(written.strip())
        usable = parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and parts.port != 0
        httpx2.URL(written.strip())
    except (ValueError, httpx2.InvalidURL):
        usable = False
    if not usable:
        raise InputError(f"{_shown(written)!r} is no address of a language model; {remedy}.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InputError(
            f"The address of the language model at {parts.hostname} holds more than host and path; {remedy}, and the key in "
            "the environment as REELSCORE_LLM_KEY."
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions") or "/v1"
    return SplitResult(parts.scheme.lower(), parts.netloc, path, "", "").geturl()


def _shown(written: str) -> str:
    """An address without what may be a password in it."""
    return written.rpartition("@")[2][:80]


def key_for(address: str) -> str:
    """The key that a server at this address is given; servers on this machine mostly want none, so that any will do."""
    parts = urlsplit(address)
    general = os.environ.get("OPENAI_API_KEY", "") if parts.scheme == "https" or parts.hostname in _HERE else ""
    key = os.environ.get("REELSCORE_LLM_KEY", "") or general
    # A header holds ASCII without line ends only; a key with others is a slip of the hand, and would be refused anyway.
    return "".join(letter for letter in key.strip() if " " <= letter <= "~") or "none"


@dataclass(frozen=True)
class _Deadline:
    """A moment on the clock that only goes forward, and how long there was until then."""

    moment: float
    whole: float

    @property
    def left(self) -> float:
        return self.moment - time.monotonic()

    def check(self) -> None:
        if self.left <= 0:
            raise self.missed()

    def missed(self) -> NoAnswerError:
        return NoAnswerError(f"time-out after {self.whole:g} s")


class ServerModel:
    """A language model at a server. Not for several threads at once: what the server refuses is remembered."""

    def __init__(self, address: str, model: str, timeout: float) -> None:
        self._address = address
        self._model = model
        self._timeout = timeout
        self._refused: set[str] = set()

    @property
    def name(self) -> str:
        """The model and where it is."""
        return f"{self._model or 'the first model'} at {self._address}"

    def answer(self, messages: Sequence[Message], most_tokens: int, seed: int = 0, schema: Schema | None = None) -> str:
        """What the server answers. Raises NoAnswerError, at the latest when the time is over."""
        deadline = _Deadline(time.monotonic() + self._timeout, self._timeout)
        return _in_time(lambda: self._converse(messages, most_tokens, seed, schema, deadline), deadline)

    def _converse(
        self, messages: Sequence[Message], most_tokens: int, seed: int, schema: Schema | None, deadline: _Deadline
    ) -> str:
        with _connected(self._address, deadline) as client:
            model = self._model or self._first(client, deadline)
            turns = [{"role": message.role, "content": message.content} for message in messages]
            told = {**({"model": model} if model else {}), "messages": turns, "stream": False}
            wanted = _wanted(most_tokens, seed, schema)
            return _content(
                self._request(
                    client, "post", "/chat/completions", lambda: {**told, **_allowed(wanted, self._refused)}, deadline
                )
            )

    def _first(self, client: openai.OpenAI, deadline: _Deadline) -> str:
        """The first model that the server lists; servers that hold a single one may list none, and need no name for it: then ""."""
        try:
            self._model = _first_talking(self._request(client, "get", "/models", lambda: None, deadline))
        except NoAnswerError:
            deadline.check()
        return self._model

    def _request(
        self,
        client: openai.OpenAI,
        method: Literal["get", "post"],
        path: str,
        body: Callable[[], dict[str, Any] | None],
        deadline: _Deadline,
    ) -> Any:
        """The JSON that a request brings, repeated where the server is busy or fails, and with fewer fields where it refuses some."""
        failures = 0
        for _ in range(_MOST_TRIES):
            deadline.check()
            sent = body()
            try:
                return _json_of(_sent(client, method, path, sent, deadline))
            except openai.APIStatusError as problem:
                status = problem.status_code
                if status in _REFUSES_A_FIELD and sent and self._gives_way(sent, problem, _OPTIONAL):
                    continue
                failures += 1
                if status == 500 and sent:
                    # Some servers break on a form of answer that they do not know, instead of refusing it.
                    self._gives_way(sent, problem, _FORMS)
                if (status != 429 and status < 500) or failures >= _MOST_FAILURES:
                    unknown = status == 400 and sent and _speaks_of_model(problem, sent)
                    raise NoAnswerError(self._said_by(404 if unknown else status)) from None
                _rest(_pause_asked_for(problem) or _PAUSE * 2 ** (failures - 1), deadline, self._said_by(status))
            except openai.APIConnectionError as problem:
                failures += 1
                reason = self._unreached(problem, deadline)
                if not _broke_off(problem) or failures >= _MOST_FAILURES or deadline.left <= 0:
                    raise reason from None
                _rest(_PAUSE, deadline, str(reason))
        raise NoAnswerError("the server refused every form of the question")

    def _gives_way(self, sent: dict[str, Any], problem: openai.APIStatusError, fields: tuple[str, ...]) -> bool:
        """Leaves out the field that the server objects to, by its words or by what servers object to most; False where none is left."""
        said = problem.response.text[:4000].casefold()
        there = [field for field in fields if field in _names_in(sent)]
        named = [field for field in there if field.partition(":")[0] in said]
        about_the_model = problem.status_code == 404 or _speaks_of_model(problem, sent)
        if not there or (about_the_model and not named):
            return False
        self._refused.add((named or there)[0])
        return True

    def _said_by(self, status: int) -> str:
        if 300 <= status < 400:
            return f"the server sends on to another address ({status}), which is not followed; give the address itself"
        known = {
            401: "the server refused the key; give it in the environment as REELSCORE_LLM_KEY",
            403: "the server refused the key; give it in the environment as REELSCORE_LLM_KEY",
            404: f"the server knows no model {self._model!r}, or the address is not that of its interface"
            if self._model
            else "the server lists no model, so name one; or the address is not that of its interface",
            429: "the server has too many requests",
        }
        return f"{known.get(status, 'the server failed' if status >= 500 else 'the server refused the question')} ({status})"

    def _unreached(self, problem: openai.APIConnectionError, deadline: _Deadline) -> NoAnswerError:
        cause = problem.__cause__
        if isinstance(cause, _UnusableError):
            return NoAnswerError(str(cause))
        if deadline.left <= 0.02 or isinstance(cause, httpx2.TimeoutException):
            return deadline.missed()
        if isinstance(cause, httpx2.ConnectError):
            return NoAnswerError(f"no connection to {self._address}; is the server running?")
        return NoAnswerError("the connection broke off")


# ── One request ───────────────────────────────────────────────────────────────────────────────────────────────────────


class _UnusableError(httpx2.ReadError):
    """An answer of a size or coding that is not taken."""


def _broke_off(problem: openai.APIConnectionError) -> bool:
    """Whether a connection that stood was lost, so that another may hold."""
    cause = problem.__cause__
    lost = (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError)
    return isinstance(cause, lost) and not isinstance(cause, _UnusableError)


class _Bounded(httpx2.SyncByteStream):
    """The bytes of an answer, as long as they are not too many and come in time."""

    def __init__(self, stream: httpx2.SyncByteStream, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        taken = 0
        for part in self._stream:
            taken += len(part)
            if taken > _MOST_BYTES:
                raise _UnusableError("the answer is far too long")
            if self._deadline.left <= 0:
                raise httpx2.ReadTimeout("the time is over")
            yield part

    def close(self) -> None:
        self._stream.close()


@contextmanager
def _connected(address: str, deadline: _Deadline) -> Iterator[openai.OpenAI]:
    """A client for this address that follows no redirect, repeats nothing by itself, and reads only bounded answers."""

    def bound(response: httpx2.Response) -> None:
        # What is packed could unpack to anything; it was not asked for.
        if response.headers.get("content-encoding", "identity").casefold() != "identity":
            raise _UnusableError("the answer is packed, which was not asked for")
        if isinstance(response.stream, httpx2.SyncByteStream):
            response.stream = _Bounded(response.stream, deadline)

    plain = {"Accept-Encoding": "identity"}
    # Connections are not kept: a server that failed may close its end just when the next request is sent.
    once = httpx2.Limits(max_keepalive_connections=0)
    with httpx2.Client(follow_redirects=False, event_hooks={"response": [bound]}, headers=plain, limits=once) as http:
        client = openai.OpenAI(
            api_key=key_for(address), base_url=address, max_retries=0, http_client=http, default_headers=plain
        )
        if urlsplit(address).hostname != "api.openai.com":
            # The package takes these from the environment; they concern nobody else.
            client.organization = client.project = None
        yield client


def _sent(
    client: openai.OpenAI, method: Literal["get", "post"], path: str, body: dict[str, Any] | None, deadline: _Deadline
) -> httpx2.Response:
    options: Any = {"timeout": httpx2.Timeout(max(deadline.left, 0.01))}
    if method == "get":
        return client.get(path, cast_to=httpx2.Response, options=options)
    return client.post(path, cast_to=httpx2.Response, body=body, options=options)


def _in_time(work: Callable[[], str], deadline: _Deadline) -> str:
    """The result of `work`, done beside this thread, which waits no longer than the deadline: names may resolve and headers drip for ever."""
    done: Future[str] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as problem:  # noqa: BLE001 - handed to whoever waits, and raised there
            done.set_exception(problem)

    Thread(target=run, name="language-model", daemon=True).start()
    try:
        return done.result(timeout=max(deadline.left, 0.0) + 0.05)
    except OutOfTimeError:
        raise deadline.missed() from None


def _rest(pause: float, deadline: _Deadline, reason: str) -> None:
    """Waits before a request is repeated; not where there is no time left for it."""
    if pause >= deadline.left:
        raise NoAnswerError(reason)
    time.sleep(pause)


def _pause_asked_for(problem: openai.APIStatusError) -> float | None:
    """The seconds after which the server wants to be asked again, if it says so."""
    try:
        pause = float(problem.response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return pause if 0 < pause < 3600 else None


# ── What is asked for and what comes back ─────────────────────────────────────────────────────────────────────────────

_LENGTHS = ("max_tokens", "max_completion_tokens")
_FORMS = ("response_format:schema", "response_format")
# What a server may refuse, in the order in which it is left out where it does not say what it refuses.
_OPTIONAL = (*_FORMS, "chat_template_kwargs", "seed", "temperature", *_LENGTHS)


def _wanted(most_tokens: int, seed: int, schema: Schema | None) -> dict[str, Any]:
    """All that is asked for, by the names of `_OPTIONAL`."""
    wanted: dict[str, Any] = {
        "chat_template_kwargs": {"enable_thinking": False},
        "seed": seed,
        "temperature": 0,
        "max_tokens": most_tokens + _ROOM_TO_THINK,
        "max_completion_tokens": most_tokens + _ROOM_TO_THINK,
    }
    if schema is not None:
        strict = {"name": "music", "strict": True, "schema": dict(schema)}
        wanted["response_format:schema"] = {"type": "json_schema", "json_schema": strict}
        wanted["response_format"] = {"type": "json_object"}
    return wanted


def _allowed(wanted: dict[str, Any], refused: set[str]) -> dict[str, Any]:
    """The optional fields of a request, less what the server refused before."""
    left = {name: value for name, value in wanted.items() if name not in refused}
    if "response_format:schema" in left:
        left["response_format"] = left.pop("response_format:schema")
    if "max_tokens" in left:
        # The newer name of the same thing, which not all servers know.
        left.pop("max_completion_tokens", None)
    return left


def _speaks_of_model(problem: openai.APIStatusError, sent: dict[str, Any]) -> bool:
    """Whether a refusal names the model that was asked for."""
    return "model" in sent and str(sent["model"]).casefold() in problem.response.text[:4000].casefold()


def _names_in(sent: dict[str, Any]) -> set[str]:
    """The names of `_OPTIONAL` that a request holds."""
    held = set(sent)
    if sent.get("response_format", {}).get("type") == "json_schema":
        held = (held - {"response_format"}) | {"response_format:schema"}
    return held


def _json_of(response: httpx2.Response) -> Any:
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        raise NoAnswerError("what the server sent is no JSON") from None


def _first_talking(listing: Any) -> str:
    """The first model of a server's list that looks as if it can talk; "" if there is none."""
    models = listing.get("data") if isinstance(listing, dict) else None
    names = [model.get("id") for model in models if isinstance(model, dict)] if isinstance(models, list) else []
    known = [name for name in names if isinstance(name, str) and 0 < len(name) <= 200]
    return next((name for name in known if not any(word in name.casefold() for word in _NO_CHAT)), "")


def _content(answer: Any) -> str:
    """The text of a chat completion."""
    try:
        content = answer["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        raise NoAnswerError("what the server sent is no chat completion") from None
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
