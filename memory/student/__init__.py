"""The Theory-of-Mind student model: what a teacher believes that a student knows, and thinks it knows.

Nothing here calls a model.
"""
