"""Persuasion: when to resist and when to accept (PBT, NAACL 2025, arXiv 2410.14596), in parts.

Dialogue trees are grown by `tree`. The general machinery of trees is `protocols/trees`.
"""
