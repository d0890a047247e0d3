"""Value of a metric."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MetricResult:
    """Value of a metric for the model, or for a baseline.

    Args:
        group: name of the metric; values of one group are comparable.
        label: the model or the baseline to which the value belongs.
        value: value of the metric.
        is_model: whether the value is that of the model, not of a baseline.
        higher_is_better: whether higher values of the group are better.
    """

    group: str
    label: str
    value: float
    is_model: bool = False
    higher_is_better: bool = False

    @property
    def text(self) -> str:
        """The value with four decimals, or with two significant digits below 0.001."""
        return f"{self.value:.4f}" if self.value == 0 or abs(self.value) >= 1e-3 else f"{self.value:.1e}"

    @property
    def heading(self) -> str:
        """The group, and the direction of better values."""
        return f"{self.group} ({'higher' if self.higher_is_better else 'lower'} is better)"
