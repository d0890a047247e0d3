"""Command `fastlatent export RUN`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from rich.console import Console
from tyro.conf import Positional, arg

from .exits import exit_on_user_errors


@dataclass(frozen=True)
class Export:
    """Export a trained model as torch.export programs (.pt2), which run without fastlatent, and as safetensors."""

    run_dir: Annotated[Positional[Path], arg(metavar="RUN")]
    """Run folder of a finished run."""
    to: Path | None = None
    """Output folder; None: the folder `export` in the run folder."""

    def run(self) -> None:
        """Export, and print the files."""
        from ..experiments.export import export

        with exit_on_user_errors():
            files = export(self.run_dir, self.to or self.run_dir / "export")
        for path in files:
            Console().print(f"{path}  {path.stat().st_size:,} bytes", soft_wrap=True, highlight=False)
