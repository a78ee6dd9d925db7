"""Persuasion: when to resist and when to accept (PBT, NAACL 2025, arXiv 2410.14596), in parts.

Dialogue trees are grown by `tree`. The general machinery of trees is `protocols/trees`. Evaluations over many items are
`misinformation`, `flip_flop`, `resist_or_accept` and `team`; their data `claims`, `prefixes` and `bundled`. Preference
pairs are mined from trees by `pairs`, checked by a judge in `pairs_filter`, chosen and written
as rows by `pairs_rows`.
"""

from typing import TYPE_CHECKING

from maieutic.lazy import lazily

if TYPE_CHECKING:
    from maieutic.protocols.persuasion.bundled import bundled_claims, bundled_items, bundled_prefixes
    from maieutic.protocols.persuasion.claims import Claim, read_claims
    from maieutic.protocols.persuasion.flip_flop import FlipFlop, FlipFlopOutcome, FlipFlopParams
    from maieutic.protocols.persuasion.misinformation import Misinformation
    from maieutic.protocols.persuasion.misinformation_outcome import MisinformationOutcome
    from maieutic.protocols.persuasion.misinformation_params import MisinformationParams
    from maieutic.protocols.persuasion.pairs import Pair, PairRules, mined
    from maieutic.protocols.persuasion.pairs_filter import judged_pairs
    from maieutic.protocols.persuasion.pairs_rows import chosen_for, dpo_row, split_of, verl_row
    from maieutic.protocols.persuasion.prefixes import Prefix, Spoken, read_prefixes
    from maieutic.protocols.persuasion.resist_or_accept import (
        ResistOrAccept,
        ResistOrAcceptOutcome,
        ResistOrAcceptParams,
    )
    from maieutic.protocols.persuasion.team import TeamDebate, TeamDebateParams
    from maieutic.protocols.persuasion.team_outcome import TeamDebateOutcome
    from maieutic.protocols.persuasion.tree import PersuasionTree, PersuasionTreeOutcome
    from maieutic.protocols.persuasion.tree_params import PersuasionTreeParams

__all__ = [
    "Claim",
    "FlipFlop",
    "FlipFlopOutcome",
    "FlipFlopParams",
    "Misinformation",
    "MisinformationOutcome",
    "MisinformationParams",
    "Pair",
    "PairRules",
    "PersuasionTree",
    "PersuasionTreeOutcome",
    "PersuasionTreeParams",
    "Prefix",
    "ResistOrAccept",
    "ResistOrAcceptOutcome",
    "ResistOrAcceptParams",
    "Spoken",
    "TeamDebate",
    "TeamDebateOutcome",
    "TeamDebateParams",
    "bundled_claims",
    "bundled_items",
    "bundled_prefixes",
    "chosen_for",
    "dpo_row",
    "judged_pairs",
    "mined",
    "read_claims",
    "read_prefixes",
    "split_of",
    "verl_row",
]

__getattr__ = lazily(
    __name__,
    {
        "bundled": ("bundled_claims", "bundled_items", "bundled_prefixes"),
        "claims": ("Claim", "read_claims"),
        "flip_flop": ("FlipFlop", "FlipFlopOutcome", "FlipFlopParams"),
        "misinformation": ("Misinformation",),
        "misinformation_outcome": ("MisinformationOutcome",),
        "misinformation_params": ("MisinformationParams",),
        "pairs": ("Pair", "PairRules", "mined"),
        "pairs_filter": ("judged_pairs",),
        "pairs_rows": ("chosen_for", "dpo_row", "split_of", "verl_row"),
        "prefixes": ("Prefix", "Spoken", "read_prefixes"),
        "resist_or_accept": ("ResistOrAccept", "ResistOrAcceptOutcome", "ResistOrAcceptParams"),
        "team": ("TeamDebate", "TeamDebateParams"),
        "team_outcome": ("TeamDebateOutcome",),
        "tree": ("PersuasionTree", "PersuasionTreeOutcome"),
        "tree_params": ("PersuasionTreeParams",),
    },
)
