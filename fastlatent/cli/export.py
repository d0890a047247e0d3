"""fastlatent export RUN."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from rich.console import Console
from tyro.conf import Positional, arg

from .exits import wrong_options


@dataclass(frozen=True)
class Export:
    """Write a trained model as programs that run without fastlatent (torch.export, .pt2), and as safetensors."""

    folder: Annotated[Positional[Path], arg(metavar="RUN")]
    """Folder of a finished run."""
    to: Path | None = None
    """Folder to write to; None: the folder `export` in the run's."""

    def run(self) -> None:
        """Export, and print the files."""
        from ..experiments.export import export

        with wrong_options():
            files = export(self.folder, self.to or self.folder / "export")
        for path in files:
            Console().print(f"{path}  {path.stat().st_size:,} bytes", soft_wrap=True, highlight=False)
