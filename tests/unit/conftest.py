# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The unit tests' own share of `make check`'s last line."""

import os
import sys

sys.dont_write_bytecode = True


def pytest_terminal_summary(terminalreporter):
    """Appends "N passed, N failed, N skipped" to the file that BORESCOPE_SUMMARY names."""
    name = os.environ.get("BORESCOPE_SUMMARY")
    if not name:
        return
    count = {kind: len(terminalreporter.stats.get(kind, []))
             for kind in ("passed", "failed", "error", "skipped", "xfailed", "xpassed")}
    with open(name, "a", encoding="utf-8") as file:
        file.write(f"{count['passed'] + count['xpassed']} passed, {count['failed'] + count['error']} failed, "
                   f"{count['skipped'] + count['xfailed']} skipped\n")
