"""`python -m bench.gpu [engine ...]`: time the engines on a CUDA device, store the rows, write them into the docs.

The cases of an engine are `cases()` of bench/gpu/ENGINE.py, called only if there is a CUDA device.
"""

import datetime
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

import fastlatent
from fastlatent.show_config import configuration

from . import timing

ENGINES = ("pairwise", "sliced", "spectral")
ROOT = Path(__file__).resolve().parents[2]
RESULTS, PAGE = ROOT / "bench" / "results", ROOT / "docs" / "performance.md"
OURS = "fastlatent"
START, END = "<!-- gpu rows: written by bench.gpu -->", "<!-- end of gpu rows -->"


def main() -> None:
    """Time the engines named on the command line, or all."""
    if not torch.cuda.is_available():
        print("bench.gpu: no CUDA device; nothing to time.")
        return
    selected = sys.argv[1:] or ENGINES
    for name in selected:
        if name not in ENGINES:
            sys.exit(f"bench.gpu: no engine {name!r}; the engines are: {', '.join(ENGINES)}")
    ceilings = timing.ceilings()
    for name in selected:
        torch.manual_seed(0)
        cases = importlib.import_module(f"bench.gpu.{name}").cases()
        rows = [row for case in cases for row in timing.rows(case)]
        stored = about() | {"ceilings": ceilings, "rows": rows}
        (RESULTS / f"gpu_{name}.json").write_text(json.dumps(stored, indent=1) + "\n")
    write()


def about() -> dict[str, Any]:
    """Return the device, versions, commit and date of the rows."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT)
    return {
        "device": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "triton": configuration()["triton"],
        "fastlatent": fastlatent.__version__,
        "commit": commit.stdout.strip(),
        "date": datetime.date.today().isoformat(),
    }


def write() -> None:
    """Print the table of all stored rows, and write it between the markers of docs/performance.md."""
    stored = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("gpu_*.json"))]
    body = "\n\n".join([START, *(f"{machine(s)}\n\n{table(s)}" for s in stored), END])
    before, _, rest = PAGE.read_text().partition(START)
    PAGE.write_text(before + body + rest.partition(END)[2])
    print(body)


def machine(stored: dict[str, Any]) -> str:
    """Format one line: device, versions, date, and the measured ceilings."""
    copy = f"copy {stored['ceilings']['copy'] / 1e12:.2f} TB/s"
    matmul = ", ".join(f"{k} {v / 1e12:.0f} TFLOP/s" for k, v in stored["ceilings"].items() if k != "copy")
    return (
        f"- {stored['device']}; torch {stored['torch']}, CUDA {stored['cuda']}, triton {stored['triton']}, fastlatent "
        f"{stored['fastlatent']} at {stored['commit']}, {stored['date']}; measured {copy}; matmul {matmul}"
    )


def table(stored: dict[str, Any]) -> str:
    """Format the rows in Markdown; the last column is the time of the peer over fastlatent's."""
    lines = [
        "| op | shape | implementation | µs, eager | µs, in a graph | peak memory | share of ceiling | relative time |",
        "|---|---|---|---|---|---|---|---|",
    ]
    ours = {(r["op"], tuple(r["shape"]), r["dtype"]): r for r in stored["rows"] if r["who"] == OURS}
    for row in stored["rows"]:
        own = ours[row["op"], tuple(row["shape"]), row["dtype"]]
        ratio = "" if row is own else f"{_median(row) / _median(own):.2g}"
        graph = f"{row['graph']['p50'] * 1e6:.4g}" if row["graph"] else "not capturable"
        shape, name = ", ".join(map(str, row["shape"])), f"**{OURS}**" if row is own else row["who"]
        lines.append(
            f"| {row['op']}, {row['dtype']} | ({shape}) | {name} | {row['eager']['p50'] * 1e6:.4g} | {graph} | "
            f"{row['peak_memory_bytes'] / 2**20:.1f} MB | {_share(row, stored['ceilings'])} | {ratio} |"
        )
    return "\n".join(lines)


def _median(row: dict[str, Any]) -> float:
    return row["graph"]["p50"] if row["graph"] else row["eager"]["p50"]


def _share(row: dict[str, Any], ceilings: dict[str, float]) -> str:
    """Format the shares of the matmul rate in TF32 or bfloat16, and of the bandwidth of a copy."""
    rate = ceilings["tf32" if row["dtype"] == "float32" else "bfloat16"]
    shares = {
        "matmul": row["operations"] and row["operations"] / _median(row) / rate,
        "copy": row["traffic"] and row["traffic"] / _median(row) / ceilings["copy"],
    }
    return ", ".join(f"{share:.0%} of {name}" for name, share in shares.items() if share)


if __name__ == "__main__":
    main()
