"""Models that stay in memory: loaded once in a process, shared between requests, freed when asked."""

from collections.abc import Callable, Hashable
from threading import RLock
from typing import Any, TypeVar

Model = TypeVar("Model")

_held: dict[Hashable, Any] = {}
_turn = RLock()


def resident(key: Hashable, load: Callable[[], Model]) -> Model:
    """The model of that key; `load` is called when nobody has asked for it before, by one thread at a time.

    The key names everything that the loaded model depends on: kind, files, device, precision.
    """
    with _turn:
        if key not in _held:
            _held[key] = load()
        model: Model = _held[key]
        return model


def free_models() -> None:
    """Forgets every model and gives its memory back; the next request loads anew."""
    import gc
    import sys

    with _turn:
        _held.clear()
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
