"""File format of a report's metrics, results.json in the run folder."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ...utils.atomic import atomic_write
from ..metrics.result import MetricResult

RESULTS = "results.json"


def write_results(run_dir: Path, results: Sequence[MetricResult]) -> None:
    """Write results.json."""
    text = json.dumps([asdict(result) for result in results], indent=2, ensure_ascii=False)
    atomic_write(run_dir / RESULTS, lambda path: path.write_text(text + "\n"))


def read_results(run_dir: Path) -> list[MetricResult]:
    """Read results.json.

    Raises:
        FileNotFoundError: if there is none.
    """
    return [MetricResult(**fields) for fields in json.loads((run_dir / RESULTS).read_text())]
