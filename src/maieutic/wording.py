"""How numbers are told in words."""

__all__ = ["amount"]


def amount(number: int, noun: str) -> str:
    """1 call, 2 calls."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
