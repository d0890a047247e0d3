"""Commands `fastlatent push RUN REPO` and `fastlatent pull REPO`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from rich.console import Console
from tyro.conf import Positional, arg

from .exits import exit_on_user_errors


@dataclass(frozen=True)
class Push:
    """Upload a trained model to the Hugging Face hub (requires huggingface_hub and `hf auth login`)."""

    run_dir: Annotated[Positional[Path], arg(metavar="RUN")]
    """Run folder of a finished run."""
    repo: Annotated[Positional[str], arg(metavar="USER/NAME")]
    """Repository, created if it does not exist."""
    private: bool = False
    """Make a new repository private."""

    def run(self) -> None:
        """Upload, and print the URL."""
        from ..experiments.hub import push

        with exit_on_user_errors():
            url = push(self.run_dir, self.repo, private=self.private or None)
        Console().print(url, soft_wrap=True)


@dataclass(frozen=True)
class Pull:
    """Download a trained model from the Hugging Face hub (requires huggingface_hub)."""

    repo: Annotated[Positional[str], arg(metavar="USER/NAME")]
    """Repository."""
    to: Path | None = None
    """Run folder, new or empty; None: runs/NAME."""

    def run(self) -> None:
        """Download, and print the folder."""
        from ..experiments.hub import pull

        run_dir = self.to or Path("runs") / self.repo.rpartition("/")[2]
        with exit_on_user_errors():
            pull(self.repo, run_dir)
        Console().print(f"Model: {run_dir}", soft_wrap=True)
