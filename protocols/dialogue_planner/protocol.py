"""DPDP's planner: a policy acts alone where it is sure, and tries its acts out by simulations where it is not.

He et al., "Planning Like Human: A Dual-process Framework for Dialogue Planning", ACL 2024 (arXiv 2406.05374). What
differs from its code is told in docs/persuasion.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict

from maieutic.errors import MaieuticError, UsageError
from maieutic.memory import MODERATOR, Turn
from maieutic.protocols.base import CallPlan, Protocol, asked, heard
from maieutic.protocols.dialogue_planner.gate import Gate, gap_of
from maieutic.protocols.dialogue_planner.outcome import DialoguePlannerOutcome, PlannedTurn
from maieutic.protocols.dialogue_planner.params import DialoguePlannerParams
from maieutic.protocols.dialogue_planner.planning import ACT, ASSESS, REPLY, Speakers, bundled
from maieutic.protocols.together import failure_to_json, raise_failure
from maieutic.protocols.trees.growing import grown, node_place
from maieutic.protocols.trees.protocol import growth_from_json, growth_to_json, recorded
from maieutic.protocols.trees.scoring import rescored
from maieutic.protocols.trees.searching import Growth, Pick, Search, with_nodes
from maieutic.protocols.trees.tree import Id, Node, Tree, child_id

if TYPE_CHECKING:
    from langgraph.graph.state import StateGraph
    from langgraph.runtime import Runtime

    from maieutic.backends.place import Place

__all__ = ["DialoguePlanner"]


class State(TypedDict, total=False):
    """The state of the graph: plain JSON. `now` is the node that the dialogue has come to, `chosen` the act's."""

    question: str
    growth: dict[str, Any]
    now: str
    chosen: str
    steps: list[dict[str, Any]]
    failure: dict[str, Any]


class DialoguePlanner(Protocol[DialoguePlannerParams, DialoguePlannerOutcome]):
    """A system speaks with a user and chooses its acts by a policy, or by trying them out.

    Args:
        **parameters: See DialoguePlannerParams; `system`, `user`, `critic`, `imagined` and `policy` are agents.

    Example:
        >>> planner = DialoguePlanner(system=sue, user=ulf, critic=cora, goal="Ulf feels better.",
        ...     acts={"ask": "Ask what troubles him.", "reassure": "Say that it will be well."})  # doctest: +SKIP
        >>> print((await planner.perform("Ulf has lost his job.")).table())                      # doctest: +SKIP
    """

    name = "dialogue_planner"
    params_model = DialoguePlannerParams
    outcome_model = DialoguePlannerOutcome

    def prepare(self) -> None:
        """Give everybody what they do; a person cannot be imagined by being asked."""
        p = self.params
        self.cast[p.system] = self.cast[p.system].able(ACT, bundled("act"))
        for name in {p.user, p.imagined or p.user}:
            self.cast[name] = self.cast[name].able(REPLY, bundled("reply"))
        self.cast[p.critic] = self.cast[p.critic].able(ASSESS, bundled("assess"))
        if p.planned and self.cast[p.imagined or p.user].model.provider == "person":
            raise UsageError(
                f"dialogue_planner: turns are planned by trying out what {p.user} might reply, and a person cannot be "
                "asked for that; name an agent as imagined, or set planned to 0"
            )

    def speakers(self) -> Speakers:
        """Who takes part."""
        p = self.params
        names = (p.system, p.user, p.imagined or p.user, p.policy or p.system, p.critic)
        return Speakers(p, *(self.cast[name] for name in names))

    def build(self) -> StateGraph[Any, Any, Any, Any]:
        """Open; then choose an act and let both speak, until the goal is reached or the turns are used up."""
        from langgraph.graph import END, START, StateGraph

        from maieutic.backends.place import Place

        graph = StateGraph(State, context_schema=Place)
        for name in ("open", "choose", "speak", "fail"):
            graph.add_node(name, getattr(self, name))
        graph.add_edge(START, "open")
        graph.add_edge("open", "choose")
        graph.add_conditional_edges("choose", lambda s: "fail" if s.get("failure") else "speak", ["fail", "speak"])
        graph.add_conditional_edges("speak", _next, {"fail": "fail", "choose": "choose", "end": END})
        graph.add_edge("fail", END)
        return graph

    async def open(self, state: State, runtime: Runtime[Any]) -> State:
        """The moderator says what it is about."""
        tree = self.seed(asked(self.name, state.get("question")))
        heard(self.at(runtime), [tree.root.turn])
        return {"growth": growth_to_json(Growth(tree)), "now": "", "steps": []}

    def seed(self, question: str) -> Tree:
        """What the dialogue is about, before anybody has spoken."""
        p = self.params
        words = bundled("opening").render({"question": question, "goal": p.goal, "system": p.system, "user": p.user})
        names = (p.system, p.user)
        root = Node("", Turn(MODERATOR, words), calls=0, notes={"led": True})
        return Tree.of(question, [root], agents=names, openings={n: self.cast[n].opening.content for n in names})

    async def choose(self, state: State, runtime: Runtime[Any]) -> State:
        """The policy's act if it is sure enough, else the act that simulations tried most."""
        at, p, now = self.at(runtime), self.params, state["now"]
        speakers = self.speakers()
        growth = replace(growth_from_json(state["growth"]), start=now, simulations=0, ended_by=None)
        try:
            if now not in growth.ways:
                ways = await speakers.ways(growth.tree, growth.tree[now], node_place(at, now))
                growth = replace(growth, ways={**growth.ways, now: ways})
        except MaieuticError as error:
            return {"failure": failure_to_json(error)}
        probabilities = {way.stance or "": way.prior or 0.0 for way in growth.ways[now]}
        gate = Gate(p.planned, (*p.gaps, *(step["gap"] for step in state["steps"])))
        gap = gap_of(probabilities)
        plans = gate.plans(gap)
        if plans:
            search = Search(order="mcts", simulations=p.simulations, c=p.c, turns_each=2)
            done = await grown(growth, speakers, search, at, on_failure="fail")
            growth = done.growth
            if done.failure is not None:
                return {"growth": growth_to_json(growth), "failure": failure_to_json(done.failure)}
        act = _most_tried(growth, now) if plans else max(probabilities, key=lambda name: probabilities[name])
        chosen = child_id(now, list(probabilities).index(act))
        step = PlannedTurn(
            turn=len(state["steps"]) + 1,
            act=act,
            by="plan" if plans else "policy",
            node=chosen,
            probabilities=probabilities,
            gap=gap,
            threshold=gate.threshold,
        )
        return {"growth": growth_to_json(growth), "chosen": chosen, "steps": [*state["steps"], step.model_dump()]}

    async def speak(self, state: State, runtime: Runtime[Any]) -> State:
        """The system says what it chose, the user replies, the critic says where the dialogue stands."""
        at = self.at(runtime)
        growth = growth_from_json(state["growth"])
        try:
            growth = await self._said(growth, state["now"], state["chosen"], at)
            growth, reply = await self._answered(growth, state["chosen"], at)
        except _Failed as failed:
            return {"growth": growth_to_json(failed.growth), "failure": failure_to_json(failed.error)}
        heard(at, [recorded(growth.tree[state["chosen"]]), recorded(reply)])
        steps = [*state["steps"][:-1], {**state["steps"][-1], "reward": reply.scores.own}]
        return {"growth": growth_to_json(growth), "now": reply.id, "steps": steps}

    async def _said(self, growth: Growth, now: Id, chosen: Id, at: Place) -> Growth:
        """The growth with the system's turn in it: as it was tried out, if it was."""
        said = growth.tree.nodes.get(chosen)
        if said is None:
            index = int(chosen.rpartition(".")[2])
            pick = Pick(now, index, growth.ways[now][index])
            try:
                said = await self.speakers().act(growth.tree, pick, node_place(at, chosen))
            except MaieuticError as error:
                raise _Failed(growth, error) from error
        return with_nodes(growth, [replace(said, notes={**said.notes, "led": True})])

    async def _answered(self, growth: Growth, chosen: Id, at: Place) -> tuple[Growth, Node]:
        """The growth with the user's own reply in it, which stands beside those that were imagined; and that reply."""
        speakers = self.speakers()
        id_ = child_id(chosen, 1 if growth.tree.children(chosen) else 0)
        try:
            reply = await speakers.answer(growth.tree, chosen, id_, speakers.user, node_place(at, id_))
            reply = replace(reply, notes={"led": True})
            growth = with_nodes(growth, [reply])
            [reply] = await speakers.judged(growth.tree, [reply], at)
        except MaieuticError as error:
            raise _Failed(growth, error) from error
        reply = replace(reply, stopped=speakers.ended(growth.tree, reply))
        return with_nodes(growth, [reply]), reply

    async def fail(self, state: State) -> State:
        """Raise what failed, now that what was said is kept."""
        raise_failure(state["failure"])

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> DialoguePlannerOutcome:
        """What a state has come to, wherever the dialogue stopped."""
        growth = growth_from_json(state["growth"]) if state.get("growth") else Growth(self.seed(""))
        tree = rescored(growth.tree, "mean")
        led = [node for node in tree if node.notes.get("led")]
        solved = any(node.stopped == "solved" for node in led)
        over = led[-1].stopped is not None
        steps = [PlannedTurn.model_validate(step) for step in state.get("steps") or ()]
        return DialoguePlannerOutcome(
            answer="solved" if solved else "not solved" if over else None,
            reason=reason or ("answered" if solved else "limit"),
            transcript=[recorded(node).to_json() for node in led],
            question=state.get("question", ""),
            tree=tree,
            ended_by="solved" if solved else "depth" if over else None,
            calls=tree.calls,
            calls_apart=tree.calls_apart,
            solved=solved,
            steps=steps,
            gaps=[*self.params.gaps, *(step.gap for step in steps)],
            weighed=len(growth.ways) if len(self.params.acts) > 1 else 0,
        )

    def plan(self) -> CallPlan:
        """One turn at the least; at the most all turns, every simulation of each a new one.

        An endpoint that gives log-probabilities tells the policy in one call; one that does not takes `samples`.
        """
        p = self.params
        tried = p.turns * p.simulations if p.planned else 0
        plan = CallPlan({p.system: (1, p.turns + tried), p.user: (1, p.turns)})
        plan += CallPlan({p.imagined or p.user: (0, tried)})
        plan += CallPlan({p.critic: (p.assessments, p.assessments * (p.turns + tried))})
        weighed = p.turns + tried if len(p.acts) > 1 else 0
        return plan + CallPlan({p.policy or p.system: (min(1, weighed), weighed * p.samples)})


class _Failed(Exception):
    """An error, with what was finished before it."""

    def __init__(self, growth: Growth, error: MaieuticError) -> None:
        super().__init__(str(error))
        self.growth = growth
        self.error = error


def _most_tried(growth: Growth, now: Id) -> str:
    """The act that most simulations went; of equals the one of the higher mean, then of the higher prior."""
    ways = growth.ways[now]
    found = [growth.tree.nodes.get(child_id(now, index)) for index in range(len(ways))]

    def rank(index: int) -> tuple[float, float, float]:
        node = found[index]
        prior = ways[index].prior or 0.0
        return (0, 0, prior) if node is None else (node.scores.visits, node.scores.value or 0.0, prior)

    return ways[max(range(len(ways)), key=rank)].stance or ""


def _next(state: State) -> str:
    if state.get("failure"):
        return "fail"
    now = next(node for node in state["growth"]["tree"]["nodes"] if node["id"] == state["now"])
    return "end" if now.get("stopped") else "choose"
