#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures TreeIndex over numbers of entries and of threads, and draws it. tools/plots runs this; it says what for."""

import argparse
import json
import pathlib
import subprocess
import tempfile

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

BENCHMARKS = {
    "read_hit": "read, key present",
    "insert_random": "insert, random order",
    "scan_100": "scan of 100, per entry",
}
THREADS = [1, 2, 4, 8, 16]
THREADS_N = 1_000_000
TBB_MOST = 3_000_000  # beyond, a run of its skip list takes minutes
LINES = {
    "tree_index": dict(label="scree::TreeIndex", color="#0b5fa5", marker="o", linewidth=2.2, zorder=3),
    "tree_index_independent": dict(label="scree::TreeIndex, one per thread", color="#0b5fa5", marker="o",
                                   linestyle="--", markerfacecolor="white"),
    "absl_btree_map": dict(label="absl::btree_map (one thread)", color="#d1690e", marker="s"),
    "tbb_map": dict(label="tbb::concurrent_map", color="#5b8c3a", marker="^"),
}


def measure(program, n, threads, peers, reps):
    """container_bench's JSON of one call."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        subprocess.run(
            [program, "--containers=tree_index", f"--benchmarks={','.join(BENCHMARKS)}", f"--n={n}", f"--reps={reps}",
             f"--threads={','.join(map(str, threads))}", f"--peers={','.join(peers)}", f"--json={file.name}"],
            check=True)
        return json.load(file)


def measure_over_n(program, max_n):
    numbers = [n for power in range(3, 8) for n in (10**power, 3 * 10**power) if n <= max_n]
    for n in numbers:
        peers = ["absl_btree_map", "tbb_map"] if n <= TBB_MOST else ["absl_btree_map"]
        yield measure(program, n, [1], peers, reps=21 if n <= 100_000 else 7 if n <= TBB_MOST else 3)


def measure_over_threads(program, max_n):
    peers = ["absl_btree_map", "tbb_map", "tree_index_independent"]
    yield measure(program, min(THREADS_N, max_n), THREADS, peers, reps=5)


def joined(documents):
    """One document of several, which is of the same form."""
    documents = list(documents)
    return {
        "license": "SPDX-License-Identifier: Apache-2.0",
        "machine": documents[0]["machine"],
        "results": [result for document in documents for result in document["results"]],
        "ratios": [ratio for document in documents for ratio in document["ratios"]],
    }


def number(value, _=None):
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def draw(document, path, x, x_label, y, y_label):
    """A panel per benchmark and a line per subject; `x` names a field of a result, `y` makes a number of one."""
    plt.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False,
                         "svg.hashsalt": path.stem})
    figure, panels = plt.subplots(1, len(BENCHMARKS), figsize=(13, 4.4))
    for panel, (benchmark, title) in zip(panels, BENCHMARKS.items()):
        for subject, style in LINES.items():
            points = sorted((result[x], y(result)) for result in document["results"]
                            if result["benchmark"] == benchmark and result["subject"] == subject)
            if points:
                panel.plot(*zip(*points), markersize=5, **style)
        panel.set_title(title)
        panel.set_xlabel(x_label)
        if x == "threads":
            panel.set_xscale("log", base=2)
            panel.set_xticks(THREADS)
            panel.set_ylim(bottom=0)
        else:
            panel.set_xscale("log")
            panel.set_yscale("log")
            panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        panel.xaxis.set_minor_formatter(NullFormatter())
        panel.yaxis.set_minor_formatter(NullFormatter())
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_formatter(FuncFormatter(number))
        panel.grid(True, which="major", color="#dddddd", linewidth=0.7)
        panel.set_axisbelow(True)
    panels[0].set_ylabel(y_label)
    handles = {label: handle for panel in panels for handle, label in zip(*panel.get_legend_handles_labels())}
    figure.legend(handles.values(), handles.keys(), loc="upper center", ncol=len(handles), frameon=False)
    machine = document["machine"]
    where = f"{machine['cpu']}, {machine['cores']} cores; {machine['compiler']}; {machine['date'][:10]}"
    figure.text(0.995, 0.01, where, ha="right", fontsize=8, color="#666666")
    figure.tight_layout(rect=(0, 0.03, 1, 0.92))
    figure.savefig(path, metadata={"Date": None})
    print(f"drew {path}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("program", help="container_bench")
    arguments.add_argument("pictures", type=pathlib.Path, help="folder for pictures and JSON")
    arguments.add_argument("--max-n", type=int, required=True, help="entries of the largest map")
    arguments.add_argument("--draw", action="store_true", help="only draw, what the JSON says")
    given = arguments.parse_args()

    data_n = given.pictures / "tree_index_n.json"
    data_threads = given.pictures / "tree_index_threads.json"
    if not given.draw:
        given.pictures.mkdir(parents=True, exist_ok=True)
        for data, measured in ((data_threads, measure_over_threads), (data_n, measure_over_n)):
            data.write_text(json.dumps(joined(measured(given.program, given.max_n)), indent=1) + "\n", encoding="utf-8")
    over_n, over_threads = (json.loads(data.read_text(encoding="utf-8")) for data in (data_n, data_threads))
    draw(over_n, data_n.with_suffix(".svg"), "n", "entries", lambda result: result["ns_per_op"], "ns per operation")
    entries = number(over_threads["results"][0]["n"])
    draw(over_threads, data_threads.with_suffix(".svg"), "threads", f"threads, with {entries} entries",
         lambda result: result["ops_per_second"] / 1e6, "million operations per second")


if __name__ == "__main__":
    main()
