"""Who speaks: the roles, their prompts, the view an agent has of a transcript, the typed replies it returns.

Nothing here knows a protocol, a graph or a command line.
"""

from maieutic.agents.agent import Agent, Reply, Verb
from maieutic.agents.balance import Balance, Weighed
from maieutic.agents.prompting import Prompt
from maieutic.agents.replies import (
    Approval,
    Choice,
    Enough,
    Position,
    Ranking,
    Review,
    Solution,
    Verdict,
    among,
    spoken,
)
from maieutic.agents.roles import (
    Critic,
    Debater,
    Judge,
    Person,
    Router,
    Student,
    Teacher,
    role_named,
    roles,
)
from maieutic.agents.views import view

__all__ = [
    "Agent",
    "Approval",
    "Balance",
    "Choice",
    "Critic",
    "Debater",
    "Enough",
    "Judge",
    "Person",
    "Position",
    "Prompt",
    "Ranking",
    "Reply",
    "Review",
    "Router",
    "Solution",
    "Student",
    "Teacher",
    "Verb",
    "Verdict",
    "Weighed",
    "among",
    "role_named",
    "roles",
    "spoken",
    "view",
]
