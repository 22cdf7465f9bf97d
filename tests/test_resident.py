"""Models are loaded once in a process, shared, and forgotten on request."""

from threading import Barrier, Thread

import pytest

from reelscore.resident import free_models, resident


@pytest.fixture(autouse=True)
def forgotten():
    free_models()
    yield
    free_models()


def test_a_model_is_loaded_once_and_shared() -> None:
    loaded: list[str] = []

    def load() -> object:
        loaded.append("loaded")
        return object()

    assert resident("a", load) is resident("a", load)
    assert resident("b", load) is not resident("a", load)
    assert len(loaded) == 2


def test_freed_models_are_loaded_anew() -> None:
    first = resident("a", object)
    free_models()
    assert resident("a", object) is not first


def test_what_failed_to_load_is_tried_again() -> None:
    def fail() -> object:
        raise OSError("no such file")

    with pytest.raises(OSError, match="no such file"):
        resident("a", fail)
    assert resident("a", lambda: 7) == 7


def test_threads_that_ask_at_once_share_one_model() -> None:
    start, got = Barrier(8), []

    def ask() -> None:
        start.wait()
        got.append(resident("a", object))

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert len(set(map(id, got))) == 1
