"""Command `fastlatent models`."""

from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table

from ..models import MODEL_CONFIGS


@dataclass(frozen=True)
class Models:
    """List the models of `fastlatent train`."""

    def run(self) -> None:
        """Print a table of names and models, with their papers."""
        table = Table("name", "model", box=box.SIMPLE)
        for name, config in MODEL_CONFIGS.items():
            summary = (config.__doc__ or "").splitlines()[0]
            table.add_row(name, f"{summary} [dim]{config.source}.")
        Console().print(table)
