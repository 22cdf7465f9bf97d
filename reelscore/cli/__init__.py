"""The command line: parse, call, print. Every verb is one call of the library; results go to stdout, progress to stderr."""

import logging
import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from inspect import signature
from types import FrameType
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Group, Parameter

from reelscore import __version__, engines
from reelscore.cli import library, verbs, weights
from reelscore.errors import ReelscoreError

HELP = "Give it a video, get the video back with music made for it."

# What asks a run to stop: Ctrl-C, the system, and a terminal that closes.
STOPPING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def main() -> None:
    """The entry point: runs the verb; what a user can mend becomes one sentence on stderr and exit code 1."""
    logging.basicConfig(format="reelscore: %(message)s", level=logging.ERROR)
    for each in STOPPING:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, _stop)
    try:
        app_for(_engine_of(sys.argv[1:]))(exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except (ReelscoreError, CycloptsError) as problem:
        sys.exit(f"reelscore: {problem}")
    except KeyboardInterrupt as stopped:
        print("reelscore: interrupted; nothing half-written was left behind.", file=sys.stderr)
        sys.exit(128 + (stopped.args[0] if stopped.args else signal.SIGINT))
    except BrokenPipeError:
        # Whoever reads has had enough; what is still in the buffer must not fail again on the way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _stop(number: int, _frame: FrameType | None) -> None:
    """Ends the run on a signal, once: the cleaning up is not interrupted again."""
    for each in STOPPING:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt(number)


def app_for(engine: engines.Engine) -> App:
    """The whole command line; `engine` is the one whose options `score` and `generate` take as flags."""
    app = App(
        name="reelscore",
        help=HELP,
        version=__version__,
        default_parameter=Parameter(negative=()),
        suppress_keyboard_interrupt=False,
    )
    for verb in (
        _with_options(verbs.score, engine),
        verbs.analyze,
        verbs.brief,
        _with_options(verbs.generate, engine),
        verbs.check,
    ):
        app.command(verb)
    app.command(verbs.list_engines, name="engines")
    app.command(library.library)
    app.command(weights.models)
    app.register_install_completion_command()
    return app


def _with_options(verb: Callable[..., None], engine: engines.Engine) -> Callable[..., None]:
    """The verb with `options` typed as this engine's, so that their fields become its flags."""
    group = Group(f"Options of the engine {engine.name}")
    annotation = Annotated[engine.options, Parameter(name="*", group=group)]  # type: ignore[name-defined]

    @wraps(verb)
    def typed(*positional: Any, **named: Any) -> None:
        verb(*positional, **named)

    typed.__annotations__ = {**verb.__annotations__, "options": annotation}
    plain = signature(verb)
    options = plain.parameters["options"].replace(annotation=annotation, default=engine.options())
    typed.__signature__ = plain.replace(  # type: ignore[attr-defined]
        parameters=[options if name == "options" else parameter for name, parameter in plain.parameters.items()]
    )
    return typed


def _engine_of(tokens: list[str]) -> engines.Engine:
    """The engine that the flags name; an unknown name is refused here, before anything is parsed."""
    for token, following in zip(tokens, [*tokens[1:], ""], strict=True):
        if token == "--engine" and following:
            return engines.find(following)
        if token.startswith("--engine="):
            return engines.find(token.removeprefix("--engine="))
    return engines.find("compose")
