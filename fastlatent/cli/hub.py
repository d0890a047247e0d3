"""fastlatent push RUN REPO, and fastlatent pull REPO."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from rich.console import Console
from tyro.conf import Positional, arg

from .exits import wrong_options


@dataclass(frozen=True)
class Push:
    """Upload a trained model to the Hugging Face hub (needs huggingface_hub, and its `hf auth login`)."""

    folder: Annotated[Positional[Path], arg(metavar="RUN")]
    """Folder of a finished run."""
    repo: Annotated[Positional[str], arg(metavar="USER/NAME")]
    """Where to, made if it is not there."""
    private: bool = False
    """Make it for yourself alone."""

    def run(self) -> None:
        """Upload, and print the address."""
        from ..experiments.hub import push

        with wrong_options():
            address = push(self.folder, self.repo, private=self.private or None)
        Console().print(address, soft_wrap=True)


@dataclass(frozen=True)
class Pull:
    """Download a trained model from the Hugging Face hub (needs huggingface_hub)."""

    repo: Annotated[Positional[str], arg(metavar="USER/NAME")]
    """Where from."""
    to: Path | None = None
    """Folder to write to, new or empty; None: runs/NAME."""

    def run(self) -> None:
        """Download, and print where to."""
        from ..experiments.hub import pull

        folder = self.to or Path("runs") / self.repo.rpartition("/")[2]
        with wrong_options():
            pull(self.repo, folder)
        Console().print(f"Model: {folder}", soft_wrap=True)
