#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks of the repository that a compiler cannot make. Usage: check_hygiene.py ROOT

Prints one line `path:line: rule: what` per violation and exits with 1 if there is any.
"""

import pathlib
import re
import sys

# What each module may include of <scree/…>. Everything else in the repository stands above all of them.
MODULE_USES = {
    "containers": {"containers"},
    "base": {"base"},
    "snapshot": {"snapshot", "base", "containers"},
    "wal": {"wal", "base"},
    "engine": {"engine", "wal", "snapshot", "base", "containers"},
}
# RocksDB stays behind one private part of the engine; the benchmark drives it as a contender, too.
ROCKSDB_PLACES = re.compile(r"engine/src/store|tools/.*rocksdb[^/]*\.(cc|h)$")
LINES_TO_WARN, LINES_TO_FAIL = 600, 700

CODE = {".cc", ".h"}
# File names, as far as they are text that people wrote; build trees and .git are not walked.
TEXT = CODE | {".pml", ".py", ".sh", ".cmake", ".in", ".supp", ".txt", ".md", ".json", ""}
NO_SPDX = {"LICENSE"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
DEFINE = re.compile(r"^\s*#\s*define\s+(\w+)")
MACHINE_PATH = re.compile(r"(?<![\w.}$])/(?:home|root|work|Users)/\w")
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b|\bDISABLED" r"_\w")


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.lines = {}  # path relative to the root, as text with slashes -> its lines
        for path in sorted(self.root.rglob("*")):
            relative = path.relative_to(self.root)
            folders = relative.parts[:-1]
            if folders and (folders[0] in {".git", "build"} or "__pycache__" in folders):
                continue
            if path.is_file() and path.suffix in TEXT:
                self.lines[relative.as_posix()] = path.read_text(encoding="utf-8").splitlines()
        # <scree/x.h> -> the modules that have one
        self.owners = {}
        for path in self.lines:
            match = re.match(r"(\w+)/include/(scree/.+\.h)$", path)
            if match:
                self.owners.setdefault(match[2], []).append(match[1])

    def code(self):
        return (path for path in self.lines if pathlib.PurePosixPath(path).suffix in CODE)

    def public_headers(self):
        return (path for path in self.code() if "/include/scree/" in path)

    def includes(self, path):
        for number, line in enumerate(self.lines[path], 1):
            match = INCLUDE.match(line)
            if match:
                yield number, match[1], match[2]


def header_names(tree):
    for header, modules in tree.owners.items():
        if len(modules) > 1:
            yield f"{modules[0]}/include/{header}", 1, f"<{header}> is in more than one module: {', '.join(modules)}"


def pragma_once(tree):
    for path in tree.code():
        if path.endswith(".h") and "#pragma once" not in tree.lines[path]:
            yield path, 1, "no #pragma once"


def spdx(tree):
    for path, lines in tree.lines.items():
        if path not in NO_SPDX and not any("SPDX-License-Identifier: Apache-2.0" in line for line in lines[:5]):
            yield path, 1, "no SPDX line among the first five"


def listed(tree, path):
    """Whether the nearest CMakeLists.txt above names the file, relative to itself or to its include/scree/."""
    for folder in pathlib.PurePosixPath(path).parents:
        lists = (folder / "CMakeLists.txt").as_posix()
        if lists in tree.lines:
            relative = pathlib.PurePosixPath(path).relative_to(folder).as_posix().removeprefix("include/scree/")
            words = re.split(r"[\s()\"]+", "\n".join(tree.lines[lists]))
            return relative in words
    return False


def dead_files(tree):
    included = [text for path in tree.code() for _, _, text in tree.includes(path)]
    for path in tree.lines:
        name = pathlib.PurePosixPath(path)
        if name.suffix == ".cc" or "/include/scree/" in path:
            if not listed(tree, path):
                yield path, 1, "not in the CMakeLists.txt above it"
        elif name.suffix == ".h":
            if not any(("/" + path).endswith("/" + text) for text in included):
                yield path, 1, "nothing includes it"
        elif name.suffix in {".pml", ".py", ".sh", ".cmake", ".in", ".supp"}:
            mention = name.stem.removeprefix("Find") if name.suffix == ".cmake" else name.name
            if not any(mention in line for other, lines in tree.lines.items() if other != path for line in lines):
                yield path, 1, "nothing mentions it"


def rocksdb_stays_private(tree):
    for path in tree.code():
        for number, _, text in tree.includes(path):
            if text.startswith("rocksdb/") and not ROCKSDB_PLACES.match(path):
                yield path, number, f"<{text}> outside the engine's store"


def file_size(tree):
    for path in tree.code():
        lines = len(tree.lines[path])
        if lines > LINES_TO_FAIL:
            yield path, lines, f"{lines} lines, more than {LINES_TO_FAIL}: one file is one idea"
        elif lines > LINES_TO_WARN:
            print(f"{path}: warning: {lines} lines, more than {LINES_TO_WARN}")


def using_namespace(tree):
    for path in tree.public_headers():
        for number, line in enumerate(tree.lines[path], 1):
            if re.match(r"\s*using\s+namespace\b", line):
                yield path, number, "using namespace in a public header"


def macro_prefix(tree):
    for path in tree.public_headers():
        for number, line in enumerate(tree.lines[path], 1):
            match = DEFINE.match(line)
            if match and not match[1].startswith("SCREE_"):
                yield path, number, f"macro {match[1]} of a public header does not begin with SCREE_"


def machine_path(tree):
    for path, lines in tree.lines.items():
        for number, line in enumerate(lines, 1):
            if MACHINE_PATH.search(line):
                yield path, number, "names a path of one machine"


def unfinished(tree):
    for path in tree.code():
        for number, line in enumerate(tree.lines[path], 1):
            if UNFINISHED.search(line):
                yield path, number, "unfinished work or a test that never runs"


def direction(tree):
    for path in tree.code():
        module = path.split("/")[0]
        for number, _, text in tree.includes(path):
            if ".." in text.split("/"):
                yield path, number, f"{text} climbs out of its folder"
            if text.startswith("scree/"):
                owners = tree.owners.get(text, [])
                if not owners:
                    yield path, number, f"no module has <{text}>"
                elif module in MODULE_USES and MODULE_USES[module].isdisjoint(owners):
                    yield path, number, f"{module} must not use {owners[0]} (<{text}>)"


RULES = [header_names, pragma_once, spdx, dead_files, rocksdb_stays_private, file_size, using_namespace, macro_prefix,
         machine_path, unfinished, direction]


def violations(root):
    """A list of (rule's name, path, line, what)."""
    tree = Tree(root)
    return [(rule.__name__, *found) for rule in RULES for found in rule(tree)]


def main():
    if len(sys.argv) != 2 or not pathlib.Path(sys.argv[1]).is_dir():
        print("usage: check_hygiene.py ROOT", file=sys.stderr)
        return 2
    found = violations(sys.argv[1])
    for rule, path, line, what in found:
        print(f"{path}:{line}: {rule}: {what}")
    print(f"{len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
