"""A role, a tool and a graph of one's own in one file: an examiner looks things up and grades, a student tries again.

The examiner is scripted by a function here, so that the example runs offline; with a model string it is a real one.
Run it:  python examples/custom_role_and_tool.py
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

import maieutic as mt


class Grade(BaseModel):
    """What an examiner gives."""

    points: Annotated[int, Field(ge=0, le=10, description="0 (nothing is right) to 10 (all is right).")]
    remark: Annotated[str, Field(description="One sentence for the student.")]


class Examiner(mt.Agent):
    """Grades answers by the book."""

    role = "examiner"
    verbs: ClassVar = {"grade": mt.Verb("grade", needs=("question", "answer"), takes=("book",), output=Grade)}
    templates: ClassVar = {
        "system": "You are {{ name }}, an examiner. {{ persona }} Grade fairly and briefly.",
        "grade": "Question: {{ question }}\nAnswer: {{ answer }}\n{% if book %}The book says: {{ book }}\n{% endif %}"
        "How many points of 10 is the answer worth?",
    }


LIBRARY = {
    "whale": "Whales descend from animals that walked on land.",
    "planet": "Mercury is the planet nearest to the Sun.",
}


def look_up(question: str) -> dict[str, str]:
    """What the library has on a question; the journal keeps it, so a resumed run does not look again."""
    pages = [text for word, text in LIBRARY.items() if word in question.lower()]
    return {"page": " ".join(pages)}


GRAPH = """
version: 1
name: exam
models:
  strict: {model: scripted/examiner}              # or openai/gpt-5-mini
  novice: {model: sim/student, knows: 0.4, misconceptions: 1.0, seed: 4}
agents:
  vera: {role: examiner, model: strict, persona: You are strict and kind.}
  lea: {role: student, model: novice, output: {answer: str}}

state:
  question: {type: str, input: true}
  book: {type: str, default: ""}
  answer: {type: str, default: ""}
  grade: {type: vera.grade, default: null}
  tries: {type: int, default: 0, merge: add}

graph:
  start: look_up
  nodes:
    look_up:
      tool: look_up
      with: {question: question}
      writes: {book: result.page}
      next: answer
    answer:
      agent: lea
      does: answer
      reads: {question: question, hint: "book if tries > 0 else ''"}
      writes: {answer: reply.answer, tries: 1}
      next: grade
    grade:
      agent: vera
      reads: [question, answer, book]
      writes: {grade: reply}
      routes:
        - when: grade != null and grade.points >= 5
          to: end
        - when: tries < 3
          to: answer
        - else: end
"""


def examiner(request: mt.LLMRequest) -> Grade:
    """What the examiner's model would say: full points if the answer is in the book."""
    asked = request.messages[-1].content
    answer = asked.partition("Answer: ")[2].partition("\n")[0]
    book = asked.partition("The book says: ")[2]
    if answer.lower() in book.lower():
        return Grade(points=10, remark="That is in the book.")
    return Grade(points=1, remark="Read the book again.")


def main() -> None:
    exam = mt.load(GRAPH, roles={"examiner": Examiner}, tools={"look_up": look_up})
    question = "Where did the ancestors of whales once live?"
    run = exam.run_sync(question, backends={"scripted": mt.ScriptedModel(examiner)}).raise_for_status()
    for turn in run.turns:
        print(f"{turn.speaker}: {turn.content}".replace("\n", "\n      "))
    print(f"Answer: {run.answer}, after {run.outcome.model_dump()['state']['tries']} tries.")
    print("The way it went:")
    for edge in run.edges:
        read = ", ".join(f"{name} = {value!r}" for name, value in edge["values"].items())
        print(f"  {edge['source']} → {edge['target']}" + (f"  because {edge['when']}  ({read})" if read else ""))


if __name__ == "__main__":
    main()
