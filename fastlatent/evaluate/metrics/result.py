"""A number of a report."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class MetricResult:
    """A measured number.

    Args:
        group: what is measured; numbers of one group are comparable.
        of: what this number was measured of.
        value: the number.
        ours: whether it is the model's, or there for comparison.
        better: which numbers of the group are better.
    """

    group: str
    of: str
    value: float
    ours: bool = False
    better: Literal["smaller", "larger"] = "smaller"

    @property
    def text(self) -> str:
        """The value as it is shown: four decimals, or two digits where those would leave fewer."""
        return f"{self.value:.4f}" if self.value == 0 or abs(self.value) >= 1e-3 else f"{self.value:.1e}"
