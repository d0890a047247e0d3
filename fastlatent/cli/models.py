"""fastlatent models."""

from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table

from ..models import MODEL_CONFIGS


@dataclass(frozen=True)
class Models:
    """List the models that `train` knows."""

    def run(self) -> None:
        """Print a table of them."""
        table = Table("name", "model", "source", box=box.SIMPLE)
        for name, made in MODEL_CONFIGS.items():
            table.add_row(name, (made.__doc__ or "").splitlines()[0], made.source)
        Console().print(table)
