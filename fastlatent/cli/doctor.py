"""fastlatent doctor."""

from dataclasses import dataclass

from ..show_config import show_config


@dataclass(frozen=True)
class Doctor:
    """Print what this machine has, and which backends serve."""

    def run(self) -> None:
        """Print it."""
        show_config()
