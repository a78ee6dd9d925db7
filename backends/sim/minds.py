"""Which faculty of a mind does which task. Every mind can do every task, as well as its parameters let it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from maieutic.backends.sim import consulting, critic, debater, examiner, judge, router, student, teacher, weighing
from maieutic.backends.sim.knowledge import Mind
from maieutic.backends.sim.reading import Reading
from maieutic.backends.sim.tasks import Task
from maieutic.backends.sim.thought import Thought

__all__ = ["think"]

_FACULTIES: Mapping[Task, Callable[[Mind, Reading, float, int], Thought]] = {
    "argue": debater.argue,
    "position": debater.position,
    "verdict": judge.verdict,
    "enough": lambda mind, reading, _t, _s: judge.enough(mind, reading),
    "answer": student.answer,
    "ask": lambda mind, reading, _t, _s: student.ask(mind, reading),
    "explain": lambda mind, reading, _t, _s: teacher.explain(mind, reading),
    "hint": lambda mind, reading, _t, _s: teacher.hint(mind, reading),
    "reply": lambda mind, reading, _t, _s: teacher.reply(mind, reading),
    "quiz": lambda mind, reading, _t, _s: teacher.quiz(mind, reading),
    "lesson": lambda mind, reading, _t, _s: teacher.lesson(mind, reading),
    "examine": lambda mind, reading, _t, _s: examiner.examine(mind, reading),
    "outline": lambda mind, reading, _t, _s: examiner.outline(mind, reading),
    "estimate": lambda mind, reading, _t, _s: student.estimate(mind, reading),
    "review": critic.review,
    "decide": router.decide,
    "consult": consulting.consult,
    "weigh": lambda mind, reading, _t, _s: weighing.weigh(mind, reading),
}


def think(task: Task, mind: Mind, reading: Reading, temperature: float, sample: int) -> Thought:
    """What the mind comes to when it is asked for this task."""
    return _FACULTIES[task](mind, reading, temperature, sample)
