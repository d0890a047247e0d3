"""Command `fastlatent doctor`."""

from dataclasses import dataclass

from ..show_config import show_config


@dataclass(frozen=True)
class Doctor:
    """Print versions, hardware and available backends."""

    def run(self) -> None:
        """Print the configuration."""
        show_config()
