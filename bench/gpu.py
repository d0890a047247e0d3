"""`python -m bench.gpu [engine ...]`: time the engines on a CUDA device, keep the rows, write them into the docs.

An engine's cases are in bench/gpu_ENGINE.py: `cases()`, which is called where there is a CUDA device.
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

from . import gpu_timing

HERE = Path(__file__).parent
RESULTS, PAGE = HERE / "results", HERE.parent / "docs" / "performance.md"
ENGINES = sorted(p.stem.removeprefix("gpu_") for p in HERE.glob("gpu_*.py") if p.stem != "gpu_timing")
OURS = "fastlatent"
START, END = "<!-- gpu rows: written by bench.gpu -->", "<!-- end of gpu rows -->"


def main() -> None:
    if not torch.cuda.is_available():
        print("bench.gpu: torch sees no CUDA device; nothing was timed.")
        return
    chosen = sys.argv[1:] or ENGINES
    for name in chosen:
        if name not in ENGINES:
            sys.exit(f"bench.gpu: no engine {name!r}; there are: {', '.join(ENGINES)}")
    reached = gpu_timing.ceilings()
    for name in chosen:
        torch.manual_seed(0)
        cases = importlib.import_module(f"bench.gpu_{name}").cases()
        rows = [row for case in cases for row in gpu_timing.rows(case)]
        kept = about() | {"ceilings": reached, "rows": rows}
        (RESULTS / f"gpu_{name}.json").write_text(json.dumps(kept, indent=1) + "\n")
    write()


def about() -> dict[str, Any]:
    """Where and with what the rows were measured."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=HERE)
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
    """Print the table of all kept rows, and put it into docs/performance.md between its markers."""
    kept = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("gpu_*.json"))]
    body = "\n\n".join([START, *(f"{machine(k)}\n\n{table(k)}" for k in kept), END])
    before, _, rest = PAGE.read_text().partition(START)
    PAGE.write_text(before + body + rest.partition(END)[2])
    print(body)


def machine(kept: dict[str, Any]) -> str:
    """One line: device, versions, day, and the rates that shares are of."""
    copy = f"copy {kept['ceilings']['copy'] / 1e12:.2f} TB/s"
    products = ", ".join(f"{k} {v / 1e12:.0f} TFLOP/s" for k, v in kept["ceilings"].items() if k != "copy")
    return (
        f"- {kept['device']}; torch {kept['torch']}, CUDA {kept['cuda']}, triton {kept['triton']}, fastlatent "
        f"{kept['fastlatent']} at {kept['commit']}, {kept['date']}; measured {copy}; products {products}"
    )


def table(kept: dict[str, Any]) -> str:
    """Markdown: one line a row; the last column is the peer's time over ours, below 1 where we lose."""
    lines = [
        "| op | shape | who | µs, eager | µs, in a graph | peak memory | share of the ceiling | times ours |",
        "|---|---|---|---|---|---|---|---|",
    ]
    ours = {(r["op"], tuple(r["shape"]), r["dtype"]): r for r in kept["rows"] if r["who"] == OURS}
    for row in kept["rows"]:
        beside = ours[row["op"], tuple(row["shape"]), row["dtype"]]
        best, least = _best(row), _best(beside)
        ratio = "" if row is beside else f"{best / least:.2g}"
        graph = f"{row['graph']['p50'] * 1e6:.4g}" if row["graph"] else "not capturable"
        shape, name = ", ".join(map(str, row["shape"])), f"**{OURS}**" if row is beside else row["who"]
        lines.append(
            f"| {row['op']}, {row['dtype']} | ({shape}) | {name} | {row['eager']['p50'] * 1e6:.4g} | {graph} | "
            f"{row['peak_memory_bytes'] / 2**20:.1f} MB | {_share(row, kept['ceilings'])} | {ratio} |"
        )
    return "\n".join(lines)


def _best(row: dict[str, Any]) -> float:
    return row["graph"]["p50"] if row["graph"] else row["eager"]["p50"]


def _share(row: dict[str, Any], ceilings: dict[str, float]) -> str:
    """Of the rate of plain products in TF32 or bfloat16, and of the bandwidth of a copy."""
    products = ceilings["tf32" if row["dtype"] == "float32" else "bfloat16"]
    shares = {
        "products": row["operations"] and row["operations"] / _best(row) / products,
        "copy": row["traffic"] and row["traffic"] / _best(row) / ceilings["copy"],
    }
    return ", ".join(f"{share:.0%} of {what}" for what, share in shares.items() if share)


if __name__ == "__main__":
    main()
