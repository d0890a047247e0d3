"""A number of a report."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Number:
    """A measured number.

    Args:
        group: what is measured; numbers of one group are comparable.
        of: what this number was measured of.
        value: the number; smaller is better.
        ours: whether it is the model's, or there for comparison.
    """

    group: str
    of: str
    value: float
    ours: bool = False
