"""Numbers as people and models write them: fractions, percent, powers of ten, units; and whether two are the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from maieutic.runs.scoring.base import SampleItem, Score
from maieutic.runs.scoring.texts import TextScorer

__all__ = ["Number", "Numeric", "numbers_in"]

_VULGAR = {
    "½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅖": "2/5", "⅗": "3/5", "⅘": "4/5",
    "⅙": "1/6", "⅚": "5/6", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8",
}  # fmt: skip
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_TEX = (
    (re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}"), r" \1/\2 "),
    (re.compile(r"\\(?:text|mathrm|mathbf|boxed)\s*\{([^{}]*)\}"), r" \1 "),
    (re.compile(r"\\(?:times|cdot)"), "×"),
    (re.compile(r"\\([%$])"), r"\1"),
    (re.compile(r"\\[,;!: ]|[{}]|\\\(|\\\)|\\\[|\\\]"), " "),
)
_DIGITS = r"\d{1,3}(?:[,  _]\d{3})+(?!\d)|\d+"
_NUMBER = re.compile(
    rf"""(?<![\w.])(?P<sign>[-+])?\s*(?P<currency>[$€£¥])?\s*
    (?: (?P<mixed>\d+)(?:\s+|\s*-\s*|\s+and\s+)(?P<mtop>\d+)\s*/\s*(?P<mbottom>\d+)
      | (?P<top>{_DIGITS})\s*/\s*(?P<bottom>\d+)(?![\d.])
      | (?P<whole>{_DIGITS})?(?P<decimals>\.\d+)?(?<=\d)
        (?:\s*[x×*·]\s*10\s*(?:\^|\*\*)\s*\(?\s*(?P<power>[-+]?\d+)\s*\)?|[eE](?P<exponent>[-+]?\d+))?
    )
    \s*(?P<percent>%|per\s?cent\b|percent\b)?
    \s*(?P<unit>°?\s?[A-Za-zµμ°Ω]+(?:\s*/\s*[A-Za-z]+)?(?:\^?[23]|[²³])?)?""",
    re.VERBOSE,
)
_CURRENCIES = {"$": "usd", "€": "eur", "£": "gbp", "¥": "jpy", "dollar": "usd", "euro": "eur", "pound sterling": "gbp"}
_UNITS: dict[str, tuple[str, Fraction]] = {
    name: (base, Fraction(size))
    for base, names in {
        "m": {"mm": "1/1000", "millimeter": "1/1000", "millimetre": "1/1000", "cm": "1/100", "centimeter": "1/100",
              "centimetre": "1/100", "m": "1", "meter": "1", "metre": "1", "km": "1000", "kilometer": "1000",
              "kilometre": "1000"},
        "g": {"mg": "1/1000", "milligram": "1/1000", "g": "1", "gram": "1", "kg": "1000", "kilogram": "1000",
              "t": "1000000", "tonne": "1000000"},
        "s": {"ms": "1/1000", "millisecond": "1/1000", "s": "1", "sec": "1", "second": "1", "min": "60", "minute": "60",
              "h": "3600", "hr": "3600", "hour": "3600", "day": "86400", "week": "604800"},
        "l": {"ml": "1/1000", "milliliter": "1/1000", "millilitre": "1/1000", "cl": "1/100", "l": "1", "liter": "1",
              "litre": "1"},
        "usd": {"cent": "1/100", "usd": "1"},
    }.items()
    for name, size in names.items()
}  # fmt: skip
_NO_UNIT = """
and or is are was were so because since which that of in on at to the a an from with for by then thus hence it as but
plus minus times equals if when than out each per x
"""


@dataclass(frozen=True, slots=True)
class Number:
    """One number in a text.

    Attributes:
        value: Exactly as written: 0.1 is 1/10. Of "75 %" it is 75.
        percent: Whether a percent sign or the word follows.
        unit: What follows as a word, in lower case and the singular ("km", "apple"), a currency as "usd", or "".
        digits: Significant digits written, None of a fraction.
        places: Digits after the decimal point, counted at the number as written without its power of ten.
    """

    value: Fraction
    percent: bool = False
    unit: str = ""
    digits: int | None = None
    places: int = 0

    @property
    def share(self) -> Number:
        """A percentage as the share that it is: 75 % as 0.75. Any other number as it stands."""
        if not self.percent:
            return self
        return Number(self.value / 100, False, self.unit, self.digits, self.places + 2)

    def __str__(self) -> str:
        whole = f"{self.value}" if self.digits is None or self.value.denominator == 1 else f"{float(self.value):g}"
        return f"{whole}{' %' if self.percent else ''}{' ' + self.unit if self.unit else ''}"


def numbers_in(text: str) -> list[Number]:
    """The numbers of a text, in order.

    Read are integers and decimals (with a decimal point), thousands apart by commas or thin spaces ("1,250"), fractions
    ("3/4", "½", "\\\\frac{3}{4}"), mixed numbers ("1 3/4"), powers of ten ("1.2e3", "1.2 × 10^3"), percentages,
    currencies, and a unit behind the number. Numbers in words ("twelve") are not.

    Example:
        >>> [str(n) for n in numbers_in("1 3/4 km, or 1,750 m; 75 %")]
        ['7/4 km', '1750 m', '75 %']
    """
    return [number for found in _NUMBER.finditer(_plain(text)) if (number := _read(found)) is not None]


def _plain(text: str) -> str:
    for sign, words in _VULGAR.items():
        text = text.replace(sign, f" {words}")
    for pattern, to in _TEX:
        text = pattern.sub(to, text)
    text = re.sub(r"10([⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+)", lambda m: "10^" + m[1].translate(_RAISED), text)
    text = re.sub(r"(?<![\w.×*·^])(?<![×x*·]\s)10\^([-+]?\d+)", r"1e\1", text)
    return re.sub(r"[−–](?=\s?[\d.$€£¥])", "-", text)


def _read(found: re.Match[str]) -> Number | None:
    unit = _unit(found)
    percent = found["percent"] is not None
    sign = -1 if found["sign"] == "-" else 1
    if found["mixed"] or found["top"]:
        top, bottom = found["mtop"] or _bare(found["top"]), found["mbottom"] or found["bottom"]
        if int(bottom) == 0:
            return None
        return Number(sign * (int(found["mixed"] or 0) + Fraction(int(top), int(bottom))), percent, unit)
    written = _bare(found["whole"] or "") + (found["decimals"] or "")
    if not written:
        return None
    power = int(found["power"] or found["exponent"] or 0)
    if abs(power) > 400:
        return None
    digits = len(written.replace(".", "").lstrip("0")) or 1
    places = len(found["decimals"] or ".") - 1 - power
    return Number(sign * Fraction(written) * Fraction(10) ** power, percent, unit, digits, max(places, 0))


def _bare(digits: str) -> str:
    return re.sub(r"[^\d]", "", digits)


def _unit(found: re.Match[str]) -> str:
    if found["currency"]:
        return _CURRENCIES[found["currency"]]
    unit = re.sub(r"\s+", "", found["unit"] or "")
    if unit.lower() in _NO_UNIT.split():
        return ""
    if unit in _UNITS or len(unit) <= 2:
        return unit
    low = unit.lower()
    single = low[:-1] if low.endswith("s") and not low.endswith("ss") and len(low) > 3 else low
    return _CURRENCIES.get(single, single)


class Numeric(TextScorer):
    """1 if the answer is the same number as an accepted one, 0 for another number, for none or for several.

    Numbers are compared exactly, as fractions, unless a tolerance is set: 0.75, 3/4 and 75 % are the same.

    Attributes:
        take: Which number of the answer counts: "only" (several different ones are wrong), "last" or "first".
        percent: "share": 75 % is 0.75. "number": 75 % is 75. "either": both are right. Where answer and target both
            carry the sign they are compared as they stand.
        units: "convert": metric lengths, masses, times, volumes, and cents are converted; all other units are words
            that must be the same. "same": any unit is a word. "ignore": units do not matter. A unit on one side only
            never does.
        tolerance: Largest difference that is right, in the target's unit.
        relative: Largest difference that is right, as a share of the target.
        rounded: From so many significant digits on an answer is right that is the target, rounded ("0.333" for 1/3 with
            3); None where rounding is wrong.
    """

    name: str = "numeric"
    take: Literal["only", "last", "first"] = "only"
    percent: Literal["share", "number", "either"] = "share"
    units: Literal["convert", "same", "ignore"] = "convert"
    tolerance: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    relative: Annotated[float, Field(ge=0, lt=1)] = 0.0
    rounded: Annotated[int | None, Field(ge=1)] = None

    @model_validator(mode="after")
    def _one_tolerance(self) -> Self:
        if self.tolerance and self.relative:
            raise ValueError("give tolerance or relative, not both")
        return self

    def judge(self, answer: str, item: SampleItem) -> Score:
        """1 or 0; nothing for a target without a number."""
        right = [number for one in item.target if (number := self._one(one)) is not None]
        if not right:
            return Score(None, f"the target {item.target[0]!r} is not one number")
        said = numbers_in(answer)
        number = self._one(answer)
        if number is None:
            return Score(0.0, f"{len(said)} different numbers" if said else "no number")
        return Score(float(any(self.same(number, one) for one in right)), f"read as {number}")

    def same(self, answer: Number, target: Number) -> bool:
        """Whether an answer is the target, under these settings."""
        if self.percent == "either" and answer.percent != target.percent:
            return any(self._same(*pair) for pair in ((answer.share, target.share), (_bald(answer), _bald(target))))
        if self.percent == "number" or answer.percent == target.percent:
            return self._same(_bald(answer), _bald(target))
        return self._same(answer.share, target.share)

    def _same(self, answer: Number, target: Number) -> bool:
        sizes = self._sizes(answer.unit, target.unit)
        if sizes is None:
            return False
        ratio = sizes[0] / sizes[1]
        value, wanted = answer.value * ratio, target.value
        allowed = max(Fraction(self.tolerance), abs(wanted) * Fraction(self.relative))
        if abs(value - wanted) <= allowed:
            return True
        if self.rounded is None or answer.digits is None or answer.digits < self.rounded:
            return False
        return abs(value - wanted) <= ratio * Fraction(1, 2 * 10**answer.places)

    def _sizes(self, one: str, other: str) -> tuple[Fraction, Fraction] | None:
        """How large the two units are, or None if they do not go together."""
        alike = Fraction(1), Fraction(1)
        if self.units == "ignore" or not one or not other or one == other:
            return alike
        if self.units == "same" or one not in _UNITS or other not in _UNITS:
            return None
        (base, size), (other_base, other_size) = _UNITS[one], _UNITS[other]
        return (size, other_size) if base == other_base else None

    def _one(self, text: str) -> Number | None:
        found = numbers_in(text)
        if not found:
            return None
        if self.take != "only":
            return found[0] if self.take == "first" else found[-1]
        return found[0] if all(self.same(number, found[0]) for number in found) else None


def _bald(number: Number) -> Number:
    return Number(number.value, False, number.unit, number.digits, number.places)
