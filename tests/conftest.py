# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Of both suites. What is in this folder can be imported by all tests."""

import sys

sys.dont_write_bytecode = True
