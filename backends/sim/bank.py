"""The considerations that free questions are argued with: what counts, for whom, and how one says it.

Each entry: id, label (as in "the point about …"), side, sentences, and the words by which it is recognised in somebody
else's own words. In sentences, {doing} is the deed as a noun ("banning cars"), {deed} the bare verb phrase
("ban cars"), {who} those who are to act; for a choice {option} is an answer.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["CLAIM", "OPTION", "POLICY", "PUBLIC", "Entry"]


class Entry(NamedTuple):
    """One consideration of the bank; `side` is empty where it can speak for any answer."""

    id: str
    label: str
    side: Literal["pro", "con", ""]
    sentences: tuple[str, ...]
    cues: tuple[str, ...]


_COST = ("cost", "costs", "costly", "expensive", "budget", "price", "money", "afford")
_FREEDOM = ("freedom", "liberty", "rights", "autonomy", "choose", "freely")
_FAIR = ("fair", "unfair", "fairness", "inequality", "equal", "poor", "privilege", "justice")
_SAFE = ("safety", "safe", "safer", "accident", "accidents", "danger", "dangerous", "risk", "risks")
_HEALTH = ("health", "healthy", "healthier", "disease", "wellbeing", "stress", "sleep")
_GREEN = ("environment", "climate", "pollution", "emissions", "carbon", "planet", "nature")
_TRIAL = ("trial", "pilot", "experiment", "experience", "evidence", "studies", "data", "proof")
_BACK = ("reversible", "irreversible", "undo", "undone", "permanent")
_DRIVE = ("incentive", "incentives", "habit", "habits", "behaviour", "behavior")
_LAW = ("precedent", "slippery", "principle")
_HIT = ("vulnerable", "elderly", "disabled", "families", "burden")
_POLICE = ("enforce", "enforced", "enforcement", "police", "loophole", "loopholes")
_SIDE = ("unintended", "consequences", "side", "backfire")
_ELSE = ("alternative", "alternatives", "instead", "gentler", "milder")
_WORK = ("jobs", "economy", "economic", "business", "businesses", "growth", "productivity", "workers")
_FUTURE = ("future", "generations", "children", "long-term", "grandchildren")
_TRUST = ("trust", "legitimacy", "consent", "support", "resentment", "majority")
_IDEA = ("innovation", "invent", "invention", "new", "progress", "technology")
_TIME = ("time", "gradual", "hurry", "deadline", "delay", "wait")

POLICY: tuple[Entry, ...] = (
    Entry("cost-con", "cost", "con", (
        "{Doing} costs money that is then missing somewhere else, and nobody has said where.",
        "Somebody has to pay for {doing}, and the bill comes long before the benefit does.",
    ), _COST),
    Entry("cost-pro", "cost", "pro", (
        "Leaving things as they are is what is expensive: {doing} pays for itself once the hidden costs are counted.",
        "The costs of the present state never appear on a bill, and {doing} would save most of them.",
    ), _COST),
    Entry("freedom-con", "freedom", "con", (
        "{Doing} takes a decision away from people who can make it for themselves.",
        "Free people should need a very good reason to give up a choice, and {doing} gives them a middling one.",
    ), _FREEDOM),
    Entry("freedom-pro", "freedom", "pro", (
        "{Doing} widens freedom for the many who have no real choice today.",
        "Freedom is also freedom from what others impose on you, and that is what {doing} protects.",
    ), _FREEDOM),
    Entry("fairness-con", "fairness", "con", (
        "The well-off will find a way around it, so {doing} falls hardest on those with the least.",
        "It is not fair: {doing} asks a few to give up what everyone has enjoyed.",
    ), _FAIR),
    Entry("fairness-pro", "fairness", "pro", (
        "It is a matter of fairness: today a few enjoy the gain and everybody carries the harm, and {doing} ends that.",
        "{Doing} treats people alike who are treated differently now for no good reason.",
    ), _FAIR),
    Entry("safety-pro", "safety", "pro", (
        "{Doing} prevents harm that we have come to accept as normal, and it does so for everyone at once.",
        "If {who} were to {deed}, fewer people would be hurt, and that outweighs much inconvenience.",
    ), _SAFE),
    Entry("safety-con", "safety", "con", (
        "{Doing} moves the danger to places where nobody watches it, and that is not the same as ending it.",
        "The risks of {doing} are new and untested, while the present ones we at least understand.",
    ), _SAFE),
    Entry("health-pro", "health", "pro", (
        "People would be healthier for it: {doing} removes a strain that they live with every day.",
        "Count the days of illness avoided, and {doing} looks less like a sacrifice than a cure.",
    ), _HEALTH),
    Entry("health-con", "wellbeing", "con", (
        "{Doing} would make daily life harder and more anxious for people who are stretched already.",
        "What people rely on every day is part of their wellbeing, and {doing} takes it away overnight.",
    ), _HEALTH),
    Entry("environment-pro", "the environment", "pro", (
        "The environment has no vote, and {doing} is one of the few ways to count it in.",
        "{Doing} lightens the load on air, water and land that the next generation will need.",
    ), _GREEN),
    Entry("environment-con", "the environment", "con", (
        "For the environment {doing} is a gesture, because the same load returns by another door.",
        "The planet gains little from {doing} as long as the larger sources of harm are left alone.",
    ), _GREEN),
    Entry("feasible-pro", "feasibility", "pro", (
        "It can be done: {doing} needs no invention, only the decision.",
        "Nothing about {doing} is technically hard, and the parts are all in use somewhere already.",
    ), ("feasible", "doable", "practical", "possible")),
    Entry("feasible-con", "feasibility", "con", (
        "On paper {doing} is simple; in practice nobody has the people or the skill to carry it through.",
        "{Doing} assumes that a hundred things go right on the same day, and they never do.",
    ), ("infeasible", "impractical", "unrealistic", "impossible")),
    Entry("evidence-pro", "the evidence", "pro", (
        "Where something like {doing} has been tried, the fears before were larger than the troubles after.",
        "The evidence we have, thin as it is, points the same way: {doing} does more good than harm.",
    ), _TRIAL),
    Entry("evidence-con", "the evidence", "con", (
        "Nobody has shown that {doing} achieves what it promises; a trial should come before a rule.",
        "The success stories about {doing} come from places that differ from ours in everything that matters.",
    ), _TRIAL),
    Entry("reversal-pro", "reversibility", "pro", (
        "{Doing} can be undone within a year if it fails, and doing nothing cannot.",
        "This is a step one can take back, so the price of being wrong about {doing} is small.",
    ), _BACK),
    Entry("reversal-con", "reversibility", "con", (
        "Once done, {doing} cannot simply be undone, and a mistake would stay with us for decades.",
        "What {doing} breaks took long to build, and a later change of mind will not bring it back.",
    ), _BACK),
    Entry("incentive-pro", "incentives", "pro", (
        "People follow incentives, and {doing} finally makes the better choice the easier one.",
        "Habits change when the surroundings do, and {doing} changes the surroundings.",
    ), _DRIVE),
    Entry("incentive-con", "incentives", "con", (
        "{Doing} rewards those who get around the rule and punishes those who keep to it.",
        "It sets the wrong incentive: {doing} teaches people to look for exceptions instead of better habits.",
    ), _DRIVE),
    Entry("precedent-pro", "precedent", "pro", (
        "We have drawn lines of this kind before, were told they would ruin us, and would not go back.",
        "Every generation has its step of this sort, and {doing} stands in a good tradition.",
    ), _LAW),
    Entry("precedent-con", "precedent", "con", (
        "Consider the precedent: whoever accepts {doing} will have no argument left against the next demand.",
        "The principle behind {doing} has no natural end, and that should make us careful with its beginning.",
    ), _LAW),
    Entry("affected-pro", "those affected most", "pro", (
        "Ask those who suffer most from things as they are, and they will tell you that {doing} comes too late.",
        "{Doing} helps first of all those who cannot protect themselves, and they should count double.",
    ), _HIT),
    Entry("affected-con", "those affected most", "con", (
        "Those who depend most on things as they are, the old, the ill, the far away, are asked last about {doing}.",
        "{Doing} puts the heaviest burden on families who have no other way to get through the week.",
    ), _HIT),
    Entry("enforce-pro", "enforcement", "pro", (
        "A clear line is easier to enforce than a tangle of exceptions, and {doing} is a clear line.",
        "{Doing} is simple to check, so honest people would not feel like fools for complying.",
    ), _POLICE),
    Entry("enforce-con", "enforcement", "con", (
        "{Doing} cannot be enforced without watching people more closely than they would bear.",
        "A rule that is broken every day teaches contempt for rules, and {doing} would be broken every day.",
    ), _POLICE),
    Entry("effects-con", "side effects", "con", (
        "{Doing} has side effects that its friends leave out: what is pushed down here comes up somewhere else.",
        "Large steps backfire in ways that nobody planned, and {doing} is a large step.",
    ), _SIDE),
    Entry("effects-pro", "side effects", "pro", (
        "The side effects of {doing} are mostly welcome: it frees space, time and attention for better things.",
        "{Doing} does good beyond its purpose, because several other troubles hang on the same root.",
    ), _SIDE),
    Entry("alternative-con", "alternatives", "con", (
        "There are gentler means with most of the effect, and they should be used up before {doing}.",
        "Good alternatives grow faster than bans and duties do; make them attractive, and {doing} becomes needless.",
    ), _ELSE),
    Entry("alternative-pro", "alternatives", "pro", (
        "The gentler alternatives to {doing} have been tried for years, and here we still are.",
        "Every alternative to {doing} that has been named is a way to wait a little longer.",
    ), _ELSE),
    Entry("economy-pro", "the economy", "pro", (
        "Businesses adapt faster than they complain: {doing} would open more trade than it closes.",
        "{Doing} gives the economy what it likes best, a rule that is the same for all and stays.",
    ), _WORK),
    Entry("economy-con", "jobs", "con", (
        "Jobs hang on things as they are, and {doing} ends them before the new ones exist.",
        "{Doing} weighs most on small businesses, which have no reserves for a year of change.",
    ), _WORK),
    Entry("future-pro", "the future", "pro", (
        "In thirty years nobody will ask why we chose {doing}, only why we waited so long.",
        "The benefits of {doing} fall to our children, who cannot speak here; somebody has to count them in.",
    ), _FUTURE),
    Entry("future-con", "the future", "con", (
        "The trouble that {doing} is meant to cure may well have faded by the time the cure works.",
        "We should not settle by {doing} what our children could settle better with what they will know.",
    ), _FUTURE),
    Entry("trust-pro", "public support", "pro", (
        "Support follows success: once people have lived with {doing}, few of them want the old days back.",
        "Quietly a majority has wanted {doing} for years, and it trusts those who dare to act.",
    ), _TRUST),
    Entry("trust-con", "public support", "con", (
        "Without broad consent {doing} breeds resentment, and resentment undoes reforms.",
        "Trust is slow to earn, and forcing {doing} on people would spend all of it at once.",
    ), _TRUST),
    Entry("invention-pro", "innovation", "pro", (
        "Need makes inventive: {doing} would call forth ideas that comfort never will.",
        "A firm decision for {doing} tells inventors where to put their effort.",
    ), _IDEA),
    Entry("invention-con", "innovation", "con", (
        "Technology is about to solve this in its own way, and {doing} would freeze us in the old one.",
        "Progress comes from many small trials, and {doing} replaces them by one large decree.",
    ), _IDEA),
    Entry("timing-pro", "timing", "pro", (
        "Every year of delay makes {doing} harder, so the best time for it is now.",
        "Waiting is a decision too, and so far it has been the worse one; {doing} should begin at once.",
    ), _TIME),
    Entry("timing-con", "timing", "con", (
        "Perhaps one day, but {doing} now would come in a hurry and before anything stands ready.",
        "Give it time: what grows gradually holds, and {doing} at a stroke does not.",
    ), _TIME),
)  # fmt: skip

PUBLIC = frozenset(
    f"{subject}-{side}"
    for subject in (
        "freedom",
        "fairness",
        "safety",
        "environment",
        "precedent",
        "affected",
        "enforce",
        "trust",
        "economy",
    )
    for side in ("pro", "con")
) | {"cost-pro", "effects-pro", "future-pro", "future-con", "alternative-con", "incentive-con", "invention-con"}
"""Considerations of public life, which do not fit a question such as "Should I learn Rust?"."""

CLAIM: tuple[Entry, ...] = (
    Entry("data-pro", "the observations", "pro", (
        "The observations that bear on the question point to yes, and from several sides at once.",
        "What has been measured fits a yes, and nobody had to bend the numbers.",
    ), ("observation", "observations", "measured", "data", "evidence")),
    Entry("data-con", "the observations", "con", (
        "The observations are too few and too convenient to carry a yes.",
        "Look at what was actually measured, and the yes loses most of its support.",
    ), ("unproven", "anecdote", "anecdotes", "sample")),
    Entry("meaning-pro", "the meaning of the words", "pro", (
        "Take the words in their ordinary meaning, and the answer is yes.",
        "Nobody stretches the definition here: the usual meaning covers the case.",
    ), ("definition", "meaning", "defined")),
    Entry("meaning-con", "the meaning of the words", "con", (
        "A yes holds only if the words are stretched until they mean nothing.",
        "By a strict definition the case falls outside, however close it comes.",
    ), ("semantics", "strictly")),
    Entry("counter-con", "counterexamples", "con", (
        "There are plain counterexamples, and one of them is enough.",
        "A general yes has to survive the exceptions, and here they are not rare.",
    ), ("counterexample", "counterexamples", "exception", "exceptions")),
    Entry("counter-pro", "counterexamples", "pro", (
        "The supposed counterexamples dissolve when one looks at them closely.",
        "The exceptions that are named turn out to be different cases.",
    ), ("misread", "misunderstood")),
    Entry("expert-pro", "those who know the field", "pro", (
        "Most of those who have spent their lives on this lean towards yes, and they had reasons to look for a no.",
        "People who know the field and agree on nothing else agree here.",
    ), ("expert", "experts", "consensus", "scientists")),
    Entry("expert-con", "those who know the field", "con", (
        "Those who know the field are far more careful than a plain yes suggests.",
        "The experts who are quoted for a yes speak outside their own subject.",
    ), ("disputed", "controversial", "sceptics", "skeptics")),
    Entry("simple-pro", "simplicity", "pro", (
        "A yes explains what we see with the fewest extra assumptions.",
        "The simpler account is the one in which the answer is yes.",
    ), ("simpler", "simplest", "simplicity", "explains")),
    Entry("simple-con", "simplicity", "con", (
        "The same facts are explained more simply without it.",
        "A yes needs a chain of assumptions, and a chain is as strong as its weakest link.",
    ), ("assumption", "assumptions", "chance", "coincidence")),
    Entry("history-pro", "the track record", "pro", (
        "Doubts of this kind have been raised before, and time has mostly answered them with a yes.",
        "The track record favours a yes: predictions made from it came true.",
    ), ("history", "historically", "predicted", "predictions")),
    Entry("history-con", "the track record", "con", (
        "Confident answers of yes to such questions have a poor track record.",
        "The predictions that would follow from a yes have failed often enough.",
    ), ("failed", "wrong", "overconfident")),
    Entry("cause-pro", "the mechanism", "pro", (
        "There is a plain mechanism by which it comes about, so a yes is no mystery.",
        "One can say step by step how it works, and that speaks for yes.",
    ), ("mechanism", "cause", "causes", "works")),
    Entry("cause-con", "the mechanism", "con", (
        "Nobody can name the mechanism, and without one a yes is only a hope.",
        "What looks like cause and effect here may be two effects of a third thing.",
    ), ("correlation", "causation", "unexplained")),
)  # fmt: skip

OPTION: tuple[Entry, ...] = (
    Entry("cheap", "cost", "", (
        "For what one gets, no other answer asks for so little money and effort as {option}.",
        "Counted over the years, nothing comes cheaper than {option}.",
    ), _COST),
    Entry("proven", "experience", "", (
        "With {option} one can look at experience instead of promises.",
        "Many people have lived with {option} for a long time, and the faults are known.",
    ), _TRIAL),
    Entry("simple", "simplicity", "", (
        "What is easy to explain is easier to get right, and that speaks for {option}.",
        "If the simplest answer that could work is wanted, it is {option}.",
    ), ("simple", "simpler", "simplest", "easy", "easier")),
    Entry("flexible", "flexibility", "", (
        "With {option} the most doors stay open if we turn out to be wrong.",
        "Circumstances change, and with {option} one can change along.",
    ), ("flexible", "flexibility", "adapt", "open")),
    Entry("fair", "fairness", "", (
        "Nobody is left behind with {option}, and that counts for much.",
        "Of all the answers, {option} would treat the people concerned most evenly.",
    ), _FAIR),
    Entry("robust", "robustness", "", (
        "When something goes wrong, one is glad to have chosen {option}.",
        "Decisions should be made for bad days, and on a bad day I would rather have {option}.",
    ), ("robust", "reliable", "fails", *_SAFE)),
    Entry("lasting", "the long run", "", (
        "In the long run people stay with {option}.",
        "Fashions pass, and what remains when they have passed is {option}.",
    ), ("lasting", "long", *_FUTURE)),
    Entry("quality", "quality", "", (
        "Put the results side by side, and you will choose {option}.",
        "If the result itself is all that matters, there is no way around {option}.",
    ), ("quality", "better", "results", "best")),
    Entry("people", "the people concerned", "", (
        "Ask those who have to live with the decision, and most of them will say {option}.",
        "One should plan for people as they are, and people as they are will take {option}.",
    ), ("people", "users", "popular", "habit", "habits")),
    Entry("speed", "time", "", (
        "One can begin with {option} tomorrow.",
        "Time is what we have least of, and the shortest way leads through {option}.",
    ), ("fast", "faster", "quick", "sooner", *_TIME)),
    Entry("care", "side effects", "", (
        "Of all the answers, {option} would leave the fewest side effects to clean up later.",
        "I look at the harm done on the way, and there is least of it with {option}.",
    ), ("harm", *_SIDE)),
)  # fmt: skip
