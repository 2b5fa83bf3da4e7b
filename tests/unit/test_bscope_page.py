# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bscope(8) is the reference of the language: it has all that the compiler knows by name."""

import re

import pytest

from manpage import ROOT, page_of

SCRIPT = ROOT / "script"


def sources(pattern):
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(SCRIPT.glob(pattern)))


def language(subsection=None):
    """The text of LANGUAGE, or of a part of it, without fonts."""
    lines = page_of("bscope").sections["LANGUAGE"]
    text = "\n".join(line for title, part in lines.items() if subsection in (None, title) for line in part)
    return re.sub(r"\\f[BIRP]", "", text).replace("\\(at", "@").replace("\\-", "-")


FUNCTIONS = re.findall(r'^\t\{ "(\w+)", \d+, \d+, check_', sources("*.c"), re.M)
BUILTINS = re.findall(r'^\t\{ "(\w+)", check_\w+, \w+ \}', sources("builtins.c"), re.M)
SETTINGS = [name for name, kind in re.findall(r'^\t\{ "(\w+)", KIND_(\w+)', sources("config.c"), re.M)
            if kind != "IGNORED"]
OLD_SPELLINGS = {"strlen": "max_strlen", "map_keys_max": "max_map_keys"}


def test_tables_are_found():
    assert {"printf", "count", "str", "kstack", "delete"} <= set(FUNCTIONS)
    assert {"pid", "comm", "args", "retval"} <= set(BUILTINS)
    assert {"max_map_keys", "stack_mode"} <= set(SETTINGS)


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS)))
def test_function(name):
    assert re.search(rf"\b{name}\(", language())


@pytest.mark.parametrize("name", BUILTINS)
def test_builtin(name):
    assert re.search(rf"\b{name}\b", language("Builtins"))


@pytest.mark.parametrize("name", SETTINGS)
def test_setting(name):
    assert re.search(rf"\b{OLD_SPELLINGS.get(name, name)}\b", language("Settings"))


@pytest.mark.parametrize("name", re.findall(r'^\t\{ "(\w+)", "?', re.search(r"absent\[\] = \{(.*?)\n\};",
                                                                          sources("functions.c"), re.S)[1], re.M))
def test_what_is_not_there(name):
    """What bpftrace has and bscope has not, is not promised."""
    assert not re.search(rf"\b{name}\(", language())
