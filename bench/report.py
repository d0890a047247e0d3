"""Report of the rows in bench/results: a table with ratios (docs/performance.md and the terminal) and figures."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

ROOT = Path(__file__).parent.parent
RESULTS, PAGE, IMAGES = ROOT / "bench" / "results", ROOT / "docs" / "performance.md", ROOT / "docs" / "images"
OURS = "fastlatent"
START, END = "<!-- rows: written by make bench -->", "<!-- end of rows -->"

Row = dict[str, Any]


def load_rows() -> list[Row]:
    """Return all stored rows of the CPU, with the machine and commit of each."""
    rows = []
    for path in sorted(set(RESULTS.glob("*.json")) - set(RESULTS.glob("gpu_*.json"))):
        stored = json.loads(path.read_text())
        machine = stored["machine_info"]
        about = {
            "cpu": machine.get("cpu", {}).get("brand_raw", machine.get("processor", "")),
            "cores": machine.get("cpu", {}).get("count"),
            "python": machine["python_version"],
            "fastlatent": machine.get("fastlatent"),
            "commit": (stored["commit_info"].get("id") or "")[:7],
        }
        rows += [about | benchmark["extra_info"] for benchmark in stored["benchmarks"]]
    return rows


def group_rows(rows: list[Row]) -> dict[tuple[str, tuple[int, ...], int], list[Row]]:
    """Group the rows of the same op, shape and threads."""
    groups = defaultdict(list)
    for row in rows:
        groups[row["op"], tuple(row["shape"]), row["threads"]].append(row)
    return dict(sorted(groups.items()))


def table(rows: list[Row]) -> str:
    """Format the rows in Markdown; the last column is the time of the peer over fastlatent's."""
    lines = [
        "| op | shape | threads | implementation | ms (p20 to p80) | peak memory | rate | relative time |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (op, shape, threads), group in group_rows(rows).items():
        ours = next((r["p50"] for r in group if r["who"] == OURS), None)
        for row in sorted(group, key=lambda r: (r["who"] != OURS, r["p50"])):
            ratio = "" if ours is None or row["who"] == OURS else f"{row['p50'] / ours:.2g}"
            rate = _rate(row)
            memory = "" if row.get("peak_memory_bytes") is None else f"{row['peak_memory_bytes'] / 2**20:.1f} MB"
            name = f"**{OURS}**" if row["who"] == OURS else row["who"]
            time = f"{row['p50'] * 1e3:.3g} ({row['p20'] * 1e3:.3g} to {row['p80'] * 1e3:.3g})"
            size = ", ".join(map(str, shape))
            lines.append(f"| {op} | ({size}) | {threads} | {name} | {time} | {memory} | {rate} | {ratio} |")
    return "\n".join(lines)


def _rate(row: Row) -> str:
    """Format operations or examples per second, and the share of the loss in a training step."""
    if row.get("flops"):
        return f"{row['flops'] / 1e9:.0f} GFLOP/s"
    if not row.get("examples_per_second"):
        return ""
    share = f", loss {row['loss_share']:.1%} of the step" if row.get("loss_share") else ""
    return f"{row['examples_per_second']:,.0f} examples/s{share}"


def machines(rows: list[Row]) -> str:
    """Format one line for each machine, version and day of the rows."""
    lines = {
        f"- {r['cpu']}, {r['cores']} cores; torch {r['torch']}, Python {r['python']}, "
        f"fastlatent {r['fastlatent']} at {r['commit']}, {r['date']}"
        for r in rows
    }
    return "\n".join(sorted(lines))


def draw(rows: list[Row], op: str, value: str, label: str, scale: float) -> str:
    """Draw time or memory against n for one op at one thread, and return the name of the PNG."""
    lines: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for row in rows:
        if row["op"] == op and row["threads"] == 1 and row.get(value):
            lines[row["who"]].append((row["shape"][0], row[value] * scale))
    figure, axes = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
    for who, points in sorted(lines.items(), key=lambda item: item[0] != OURS):
        axes.plot(*zip(*sorted(points), strict=True), marker="o", label=who, linewidth=3 if who == OURS else 1.5)
    axes.set(xscale="log", yscale="log", xlabel="points in each sample", ylabel=label, title=f"{op}, one thread")
    sizes = sorted({n for points in lines.values() for n, _ in points})
    axes.set_xticks(sizes, [str(n) for n in sizes])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    name = f"{op}_{'time' if value == 'p50' else 'memory'}.png".replace(" ", "_")
    IMAGES.mkdir(parents=True, exist_ok=True)
    figure.savefig(IMAGES / name, dpi=110)
    plt.close(figure)
    return name


def write() -> None:
    """Print the table, and write it with the figures between the markers of docs/performance.md."""
    rows = load_rows()
    loss_rows = [r for r in rows if not r.get("examples_per_second")]
    ops = sorted({r["op"] for r in loss_rows if len({tuple(q["shape"]) for q in loss_rows if q["op"] == r["op"]}) > 2})
    images = []
    for op in ops:
        images.append(f"![time of {op}](images/{draw(rows, op, 'p50', 'ms, forward + backward', 1e3)})")
        images.append(f"![memory of {op}](images/{draw(rows, op, 'peak_memory_bytes', 'MB at the peak', 2**-20)})")
    body = "\n\n".join([START, machines(rows), table(rows), *images, END])
    before, _, rest = PAGE.read_text().partition(START)
    PAGE.write_text(before + body + rest.partition(END)[2])
    print(table(rows))
    print(f"\nwritten: {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    write()
