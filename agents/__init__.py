"""Who speaks: the roles, their prompts, the view an agent has of a transcript, the typed replies it returns.

Nothing here knows a protocol, a graph or a command line.
"""
