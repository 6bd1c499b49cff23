#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Searches all states of a Promela model with Spin, and fails unless that ends as expected.

Without --finds the search must be complete and find no error. With --finds the first error must be that one: the name of
the flag that an assertion looks at, or of an ltl formula.
"""

import argparse
import pathlib
import re
import resource
import shutil
import subprocess
import sys

MEGABYTES = 2000
# What pan says of a search that left something out.
INCOMPLETE = re.compile(r"Search not completed|max search depth too small|reached -DMEMLIM bound|out of memory|aborted")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="to work in; what is there is removed")
    parser.add_argument("--spin", default="spin")
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--finds", metavar="PROPERTY")
    parser.add_argument("--liveness", action="store_true",
                        help="check the ltl formula of the model under weak fairness; defines LIVENESS")
    parser.add_argument("--depth", type=int, default=1_000_000, help="steps of the longest path (%(default)s)")
    parser.add_argument("--threads", type=int, default=3, help="of the model, for fairness (%(default)s)")
    parser.add_argument("defines", nargs="*", metavar="NAME[=VALUE]", help="for the model's preprocessor")
    return parser.parse_args()


def fail(why, output=""):
    print(output, end="" if output.endswith("\n") else "\n")
    print(f"FAILED: {why}")
    sys.exit(1)


def run(command, folder):
    result = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            errors="replace", check=False)
    if result.returncode != 0:
        fail(f"{command[0]} ended with {result.returncode}", result.stdout)
    return result.stdout


def check_names(model, defines):
    """A misspelt name would plant nothing."""
    text = "".join(path.read_text(encoding="utf-8") for path in model.parent.glob("*.pml"))
    for name in (define.split("=")[0] for define in defines):
        if not re.search(rf"\b{re.escape(name)}\b", text):
            fail(f"no model looks at {name}")


def first_error(output, model):
    """The name of the property that the first error breaks, None without errors."""
    match = re.search(r"^pan:1: (.*?)(?: \(at depth \d+\))?$", output, re.MULTILINE)
    if not match:
        return None
    assertion = re.fullmatch(r"assertion violated\s+!\((\w+)\)", match[1])
    if assertion:
        return assertion[1]
    if match[1].startswith("acceptance cycle"):
        return re.search(r"^ltl (\w+)", model.read_text(encoding="utf-8"), re.MULTILINE)[1]
    return match[1]


def verdict(output, model, finds):
    """Why the search did not end as expected, None if it did."""
    errors = re.search(r"State-vector \d+ byte, depth reached (\d+), errors: (\d+)", output)
    states = re.search(r"^\s*(\d+) states, stored", output, re.MULTILINE)
    if not errors or not states:
        return "pan did not report"
    found = first_error(output, model)
    if (found is None) != (errors[2] == "0"):
        return "pan counts errors that it does not name"
    if found != finds:
        return f"the search found {found or 'no error'}, but was to find {finds or 'none'}"
    if finds is None and INCOMPLETE.search(output):
        return "the search was not exhaustive"
    if finds is None and "Full statespace search" not in output:
        return "the search was not one of all states"
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{'found ' + finds if finds else 'no error'}: {states[1]} states, depth {errors[1]}, "
          f"{used.ru_utime + used.ru_stime:.1f} s of CPU with spin and the compiler")
    return None


def main():
    wanted = arguments()
    defines = wanted.defines + (["LIVENESS"] if wanted.liveness else [])
    check_names(wanted.model, defines)
    shutil.rmtree(wanted.folder, ignore_errors=True)
    wanted.folder.mkdir(parents=True)
    run([wanted.spin, "-a", *(f"-D{define}" for define in defines), str(wanted.model.resolve())], wanted.folder)
    # What is planted is found soon, so there the compiler's time counts. -w: gcc warns of bounds that are kept.
    optimize = "-O0" if wanted.finds else "-O1"
    kind = [f"-DNFAIR={(2 * wanted.threads + 2) // 8 + 2}"] if wanted.liveness else ["-DSAFETY"]
    run([wanted.cc, optimize, "-w", *kind, f"-DMEMLIM={MEGABYTES}", "-o", "pan", "pan.c"], wanted.folder)
    output = run(["./pan", f"-m{wanted.depth}", *(["-a", "-f"] if wanted.liveness else []), "-n"], wanted.folder)
    problem = verdict(output, wanted.model, wanted.finds)
    if problem:
        fail(problem, output)
    shutil.rmtree(wanted.folder)


if __name__ == "__main__":
    main()
