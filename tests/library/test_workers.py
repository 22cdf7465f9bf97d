"""Processes share the work; a file that brings one down costs itself alone; nobody is left behind."""

import os
import time
from collections import deque
from pathlib import Path

from crashing import Odd

from reelscore.library.measuring import Looked
from reelscore.library.tracks import Refused
from reelscore.library.workers import carried_out


def test_processes_share_the_work_and_a_crash_costs_one_file(tmp_path: Path) -> None:
    names = ["a", "crash", "refuse", "b", "interrupt", "c", "crash", "d"]
    tasks = deque(Odd(tmp_path / name) for name in names)
    outcomes = list(carried_out(tasks, 2))
    told = sorted((task.path.name, type(outcome)) for task, outcome in outcomes)
    assert told == sorted((name, Refused if name in ("crash", "refuse") else Looked) for name in names)
    assert all("brought the process down" in each.why for task, each in outcomes if task.path.name == "crash")
    good = [outcome for _, outcome in outcomes if isinstance(outcome, Looked)]
    assert os.getpid() not in {each.place.size for each in good}  # it was done elsewhere
    assert {each.sha256 for each in good} == {"1"}  # on one thread each


def test_processes_end_with_whoever_asked_for_them(tmp_path: Path) -> None:
    tasks = deque([Odd(tmp_path / name) for name in "abcdef"])
    outcomes = carried_out(tasks, 2)
    _, first = next(outcomes)
    assert isinstance(first, Looked)
    outcomes.close()
    end = time.monotonic() + 30
    while _alive(first.place.size):
        assert time.monotonic() < end
        time.sleep(0.02)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_tasks_may_be_added_while_others_are_done(tmp_path: Path) -> None:
    for workers in (0, 2):
        tasks = deque([Odd(tmp_path / "a"), Odd(tmp_path / "b")])
        done = []
        for task, _ in carried_out(tasks, workers):
            done.append(task.path.name)
            if len(task.path.name) < 3:
                tasks.appendleft(Odd(tmp_path / (task.path.name * 3)))
        assert sorted(done) == ["a", "aaa", "b", "bbb"]
