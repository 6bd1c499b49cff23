#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_first_program.py README SOURCE PROGRAM: the README shows SOURCE, and PROGRAM does what it says, twice."""

import re
import subprocess
import sys
import tempfile

readme, source, program = sys.argv[1:]
shown = re.search(r"<!-- examples/first_program/first_program\.cc -->\n```cpp\n(.*?)```", open(readme).read(), re.S)
code = "".join(open(source).readlines()[1:])
if not shown or shown.group(1) != code:
    sys.exit(f"{readme} does not show {source} as it is")
if len(code.splitlines()) >= 30:
    sys.exit(f"{source} has 30 lines or more")
with tempfile.TemporaryDirectory() as directory:
    for _ in range(2):  # a new store, then the one that is there
        output = subprocess.run([program], cwd=directory, check=True, capture_output=True, text=True).stdout
        if output != "2026-11-01/17: three apples\n2026-11-02/18: a pear\n":
            sys.exit(f"unexpected output:\n{output}")
