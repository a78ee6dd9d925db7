"""A tutoring dialogue whose every move is chosen with a student model.

Here live the moves and the rules that choose them, the protocol, and how a text becomes something to be learned. The
student model itself is in `maieutic.memory.student`.
"""

from maieutic.protocols.tutor.moves import Choice, Exercise, Rules, choose
from maieutic.protocols.tutor.params import TutorOutcome, TutorParams
from maieutic.protocols.tutor.protocol import Tutor

__all__ = ["Choice", "Exercise", "Rules", "Tutor", "TutorOutcome", "TutorParams", "choose"]
