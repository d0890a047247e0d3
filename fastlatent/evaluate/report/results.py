"""File format of a report's metrics, results.json in the run folder."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ...train.run_dir import parse_file
from ...utils.atomic import atomic_write
from ...utils.run_format import RUN_FORMAT, check_run_format
from ..metrics.result import MetricResult

RESULTS = "results.json"


def write_results(run_dir: Path, results: Sequence[MetricResult]) -> None:
    """Write results.json."""
    content = {"format": RUN_FORMAT, "metrics": [asdict(result) for result in results]}
    text = json.dumps(content, indent=2, ensure_ascii=False)
    atomic_write(run_dir / RESULTS, lambda path: path.write_text(text + "\n"))


def read_results(run_dir: Path) -> list[MetricResult]:
    """Read results.json.

    Raises:
        FileNotFoundError: if the file does not exist.
        RunFormatError: if the run has another format.
        RunFileError: if the file is damaged.
    """
    content = parse_file(run_dir / RESULTS, json.loads)
    check_run_format(run_dir, content)
    return [MetricResult(**fields) for fields in content["metrics"]]
