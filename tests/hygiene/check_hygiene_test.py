#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that check_hygiene finds what it is for: a small clean tree, and one planted violation at a time."""

import pathlib
import tempfile
import unittest

import check_hygiene

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
CLEAN = {
    "CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0\ninclude(Helper)\n",
    "LICENSE": "The licence.\n",
    "cmake/Helper.cmake": "# SPDX-License-Identifier: Apache-2.0\n",
    "base/CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0\nscree_module(base HEADERS status.h SOURCES src/status.cc)\n",
    "base/include/scree/status.h": SPDX + "#pragma once\n#define SCREE_STATUS 1\n",
    "base/src/status.cc": SPDX + '#include <scree/status.h>\n#include "parts.h"\n',
    "base/src/parts.h": SPDX + "#pragma once\n",
    "engine/CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0\nscree_module(engine HEADERS engine.h SOURCES src/store.cc)\n",
    "engine/include/scree/engine.h": SPDX + "#pragma once\n#include <scree/status.h>\n",
    "engine/src/store.cc": SPDX + "#include <rocksdb/db.h>\n#include <scree/engine.h>\n",
}


class Hygiene(unittest.TestCase):
    def found(self, **planted):
        """The rules broken by the clean tree with `files` added to it or, after a `+`, appended."""
        with tempfile.TemporaryDirectory() as root:
            for path, text in {**CLEAN, **planted["files"]}.items():
                if text.startswith("+"):
                    text = CLEAN[path] + text[1:]
                target = pathlib.Path(root, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
            return {rule for rule, *_ in check_hygiene.violations(root)}

    def check(self, rule, files):
        self.assertEqual(self.found(files=files), {rule})

    def test_a_clean_tree_has_no_violations(self):
        self.assertEqual(self.found(files={}), set())

    def test_one_header_name_in_two_modules(self):
        self.check("header_names", {
            "engine/include/scree/status.h": SPDX + "#pragma once\n",
            "engine/CMakeLists.txt": "+# status.h\n",
        })

    def test_a_header_without_pragma_once(self):
        self.check("pragma_once", {"base/src/parts.h": SPDX})

    def test_a_file_without_spdx(self):
        for path in ("base/src/status.cc", "cmake/Helper.cmake", "README.md", "tools/run"):
            self.check("spdx", {path: "Helper status.cc\n"} if path != "base/src/status.cc"
                       else {path: '#include "parts.h"\n'})

    def test_a_source_in_no_list(self):
        self.check("dead_files", {"base/src/old.cc": SPDX})

    def test_a_public_header_in_no_list(self):
        self.check("dead_files", {"base/include/scree/old.h": SPDX + "#pragma once\n"})

    def test_a_private_header_that_nothing_includes(self):
        self.check("dead_files", {"base/src/old.h": SPDX + "#pragma once\n"})

    def test_a_script_or_model_that_nothing_mentions(self):
        self.check("dead_files", {"tools/old.sh": "# SPDX-License-Identifier: Apache-2.0\n"})
        self.check("dead_files", {"tests/old.pml": SPDX})

    def test_rocksdb_outside_the_store(self):
        self.check("rocksdb_stays_private", {"base/src/status.cc": "+#include <rocksdb/slice.h>\n"})
        self.check("rocksdb_stays_private", {"engine/include/scree/engine.h": "+#include <rocksdb/db.h>\n"})

    def test_a_file_that_is_too_long(self):
        self.check("file_size", {"base/src/parts.h": "+" + "int x;\n" * check_hygiene.LINES_TO_FAIL})

    def test_using_namespace_in_a_public_header(self):
        self.check("using_namespace", {"base/include/scree/status.h": "+  using namespace std;\n"})

    def test_a_macro_without_prefix_in_a_public_header(self):
        self.check("macro_prefix", {"base/include/scree/status.h": "+# define LIKELY(x) x\n"})

    def test_a_path_of_one_machine(self):
        for folder in ("home", "root", "work"):
            self.check("machine_path", {"base/CMakeLists.txt": f"+# see /{folder}/someone/notes\n"})

    def test_unfinished_work(self):
        for mark in ("// TO" + "DO: later", "TEST(A, DISABLED" + "_b) {}"):
            self.check("unfinished", {"base/src/status.cc": f"+{mark}\n"})

    def test_an_include_upward(self):
        self.check("direction", {"base/src/status.cc": "+#include <scree/engine.h>\n"})

    def test_an_include_of_no_header(self):
        self.check("direction", {"base/src/status.cc": "+#include <scree/none.h>\n"})

    def test_an_include_that_climbs(self):
        self.check("direction", {"engine/src/store.cc": '+#include "../../base/src/parts.h"\n'})


if __name__ == "__main__":
    unittest.main()
