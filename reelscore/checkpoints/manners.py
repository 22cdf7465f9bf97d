"""How the files of others are treated: whatever their content leads to is one plain sentence."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from reelscore.errors import InputError
from reelscore.hardware import out_of_memory

log = logging.getLogger(__name__)


@contextmanager
def said_plainly(name: str, role: str) -> Iterator[None]:
    """What goes wrong with a model of others, in one sentence: an InputError for all that its files can lead to.

    `role` is what the model was to be, such as "captioner"; the sentence says that it cannot be used as one.
    """
    from huggingface_hub.errors import StrictDataclassError
    from jinja2 import TemplateError
    from safetensors import SafetensorError

    ordinary = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError)
    try:
        yield
    except (*ordinary, AssertionError, ImportError, MemoryError) as problem:
        raise _refusal(name, role, problem) from problem
    except (SafetensorError, StrictDataclassError, TemplateError) as problem:
        raise _refusal(name, role, problem) from problem
    except Exception as problem:
        if type(problem) is Exception:  # tokenizers says nothing more precise
            raise _refusal(name, role, problem) from problem
        raise


def _refusal(name: str, role: str, problem: Exception) -> InputError:
    """The error for a model that raised `problem`, with the remedy."""
    log.debug("the %s %s failed", role, name, exc_info=problem)
    if out_of_memory(problem):
        return InputError(
            f"The memory is too small for the {role} {name}; give a smaller one, --device cpu, or with CUDA --low-resource."
        )
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    said = (lines[0] if lines else type(problem).__name__)[:200].rstrip(" .:;,")
    return InputError(f"{name} cannot be used as a {role} ({said}); fetch it anew or give another.")
