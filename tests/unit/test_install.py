# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""make install and make uninstall: what is put where, under which names, and that all of it goes again."""

import os
import re
import shutil
import subprocess

import pytest

from manpage import PAGES, ROOT, VERSION
from test_help import BUILD

LINKS = dict(line.split() for line in (ROOT / "tools/links").read_text(encoding="utf-8").splitlines() if line[0] != "#")
PROGRAMS = sorted(path.stem for path in (ROOT / "tools").glob("*.c"))
# without what a make above may have been given
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in {"O", "PROGRAM_PREFIX", "PROGRAM_SUFFIX"}}


def install(target, *, check=True, **variables):
    """packaging/install with make's variables."""
    return subprocess.run([ROOT / "packaging/install", target], cwd=ROOT, capture_output=True, encoding="utf-8", check=check,
                          env={**ENVIRONMENT, "O": str(BUILD), "VERSION": VERSION, **variables})


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink() or path.is_file()}


@pytest.fixture(name="installed", scope="module", params=[("", ""), ("bpf-", ""), ("", "-borescope"), ("x-", ".y")],
                ids=lambda names: "{}NAME{}".format(*names))
def fixture_installed(request, tmp_path_factory):
    """Prefix, suffix, and a directory that has all of it, in /opt/b."""
    folder = tmp_path_factory.mktemp("installed")
    prefix, suffix = request.param
    install("install", DESTDIR=str(folder), prefix="/opt/b", PROGRAM_PREFIX=prefix, PROGRAM_SUFFIX=suffix)
    return prefix, suffix, folder


def called(installed, name):
    return name if name == "borescope" else f"{installed[0]}{name}{installed[1]}"


def run(program, *arguments):
    done = subprocess.run([program, *arguments], capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_programs(installed):
    """All of them and no others, and each is the tool that its name says: also the links."""
    folder = installed[2] / "opt/b/sbin"
    assert {path.name for path in folder.iterdir()} == {called(installed, name) for name in [*PROGRAMS, *LINKS]}
    for name in [*PROGRAMS, *LINKS]:
        assert run(folder / called(installed, name), "--version").startswith(f"{name} {VERSION}")
        assert (folder / called(installed, name)).stat().st_mode & 0o7777 == 0o755


def test_what_programs_call_themselves(installed):
    """In --help, its examples and messages by the name that can be typed here; the version and the data have the tool's own."""
    for name in [*PROGRAMS, *LINKS]:
        program, shown = installed[2] / "opt/b/sbin" / called(installed, name), called(installed, name)
        said = run(program, "--help")
        examples = re.search(r"^Examples:\n((?:  .*\n)+)", said, re.M)[1].splitlines()
        assert said.startswith(f"{shown}: ") and f"\nusage: {shown} " in said
        assert all(line.startswith(f"  {shown} ") for line in examples)
        if name != "borescope":
            assert said.endswith(f"\nThe manual: man {shown}\n")
        done = subprocess.run([program, "--no-such-option"], capture_output=True, encoding="utf-8", check=False)
        assert done.stderr == f"{shown}: there is no option --no-such-option: see {shown} --help\n"


@pytest.mark.parametrize("name, shown", [
    ("/x/y-opensnoop", "y-opensnoop"), ("borescope opensnoop", "borescope opensnoop"), ("", "opensnoop"), ("other", "opensnoop"),
    ("opensnoop-\x1b]0;x\x07", "opensnoop"), ("opensnoop-\xe9", "opensnoop"), ("opensnoop" + 99 * "-x", "opensnoop"),
])
def test_any_name(name, shown):
    """Whatever stands in argv[0]; the page of what the front door runs has a name without a space."""
    done = subprocess.run([name, "--help"], executable=BUILD / "bin/opensnoop", capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.startswith(f"{shown}: ") and done.stdout.endswith(f"man {shown.replace(' ', '-')}\n")


@pytest.mark.parametrize("name, tool", [
    ("bpf-xfsslower", "xfsslower"), ("btrfsslower-bpf", "btrfsslower"), ("/xfsslower/f2fsslower.x", "f2fsslower"),
    ("x_nfsslower_y", "nfsslower"), ("/nfsslower/slow", "ext4slower"), ("notxfsslower", "ext4slower"),
    ("xfsslower2", "ext4slower"), ("2xfsslower-xfsslower", "xfsslower"),
])
def test_name_that_it_is_called_by(name, tool):
    """A word of the last part says which tool it is."""
    done = subprocess.run([name, "--version"], executable=BUILD / "bin/ext4slower", capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == f"{tool} {VERSION} (borescope)\n"


def test_pages(installed):
    """A page or a line that leads to one for each program; and for each tool as borescope-TOOL."""
    man = installed[2] / "opt/b/share/man"
    names = [*PROGRAMS, *LINKS]
    assert {path.name for path in (man / "man8").iterdir()} >= {f"{called(installed, name)}.8" for name in names}
    for path in (man / "man8").iterdir():
        source = path.read_text(encoding="utf-8")
        if source.startswith(".so "):
            assert not (man / source[4:].strip()).read_text(encoding="utf-8").startswith(".so "), path
    for name in names:
        if name != "borescope":
            assert (man / f"man8/borescope-{name}.8").is_file()
    assert (man / "man7/borescope.7").is_file()


def test_pages_have_the_names(installed):
    """Titles, NAME, references and commands of examples; references lead to pages that are there."""
    man = installed[2] / "opt/b/share/man/man8"
    there = {path.name for path in man.iterdir()}
    for page in PAGES:
        name, section = called(installed, page.stem), page.suffix[1:]
        source = (man.parent / f"man{section}" / f"{name}.{section}").read_text(encoding="utf-8")
        assert f".TH {name.upper()} {section} " in source
        assert re.search(rf'^\.SH NAME\n{re.escape(name.replace("-", chr(92) + "-"))} ', source, re.M)
        for reference in re.findall(r"^\.BR (\S+) \(8\)", source, re.M):
            reference = reference.replace("\\-", "-")
            plain = reference.removeprefix(installed[0]).removesuffix(installed[1])
            if reference in PROGRAMS or plain in PROGRAMS:
                assert f"{reference}.8" in there, f"{page.name}: {reference}"
        for command in re.findall(r"^[#$] (\S+)", source, re.M):
            command = command.replace("\\-", "-")
            if command in [*PROGRAMS, *LINKS]:
                assert called(installed, command) == command, f"{page.name}: {command}"


@pytest.mark.parametrize("page, there", [
    ("bscope", r"bpf\-bscope\-x \-\-comm cat \-e \(aqprofile:hz:99 {"),
    ("bscope", r"\fBprofile\fR and other events are opened"),
    ("bscope", ".BR bpf\\-profile\\-x (8)"),
    ("bscope", "#!/usr/bin/env bpf\\-bscope\\-x\n"),
    ("profile", "\nbpf\\-profile\\-x: sampling at 99 Hz by cycles\n"),
    ("profile", ".SS Differences from BCC's profile\n"),
    ("ext4slower", ".B ext4slower\nof libbpf"),
    ("ext4slower", ".BR bpf\\-btrfsslower\\-x ,\n"),
    ("borescope", "BORESCOPE_AVOID=fexit,kprobe bpf\\-opensnoop\\-x \\-v"),
])
def test_what_is_renamed(page, there):
    """A word is not always a program's name."""
    path = next(path for path in PAGES if path.stem == page and (page, path.suffix) != ("borescope", ".8"))
    done = subprocess.run([ROOT / "man/expand", path, VERSION, "bpf-", "-x"], capture_output=True, encoding="utf-8", check=True)
    assert there in done.stdout


def test_renamed_pages_are_clean(installed):
    if not shutil.which("mandoc"):
        pytest.skip("no mandoc")
    for path in sorted((installed[2] / "opt/b/share/man").rglob("*.[78]")):
        if not path.read_text(encoding="utf-8").startswith(".so"):
            done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path], capture_output=True, encoding="utf-8", check=False)
            assert (done.returncode, done.stdout) == (0, ""), path


def test_list_and_uninstall(installed, tmp_path):
    """The list names what is there, no more and no less; uninstall leaves what was there before, and only that."""
    prefix, suffix, folder = installed
    names = {"prefix": "/opt/b", "PROGRAM_PREFIX": prefix, "PROGRAM_SUFFIX": suffix}
    listed = install("list", **names).stdout.splitlines()
    assert len(listed) == len(set(listed))
    assert {path.lstrip("/") for path in listed} == files(folder)
    shutil.copytree(folder, tmp_path / "copy", symlinks=True)
    other = tmp_path / "copy/opt/b/sbin/other"
    other.write_text("")
    install("uninstall", DESTDIR=str(tmp_path / "copy"), **names)
    assert files(tmp_path / "copy") == {"opt/b/sbin/other"}
    assert not (tmp_path / "copy/opt/b/share/doc/borescope").exists()


def test_make_passes_its_variables(tmp_path):
    """Each variable of make reaches the script."""
    said = subprocess.run(["make", "-n", "uninstall", f"O={BUILD}", "DESTDIR=/d", "prefix=/p", "PROGRAM_PREFIX=a-", "PROGRAM_SUFFIX=-z",
                           "INSTALL=inst -p", "sbindir=/s"], cwd=ROOT, env=ENVIRONMENT, capture_output=True, encoding="utf-8", check=True).stdout
    for word in ("DESTDIR='/d'", "prefix='/p'", "sbindir='/s'", "datadir='/p/share'", "mandir='/p/share/man'",
                 "docdir='/p/share/doc/borescope'", "PROGRAM_PREFIX='a-'", "PROGRAM_SUFFIX='-z'", "INSTALL='inst -p'"):
        assert word in said


@pytest.mark.parametrize("variable, value", [("PROGRAM_PREFIX", "bpf"), ("PROGRAM_SUFFIX", "bpf")])
def test_names_that_run_together_are_refused(variable, value):
    done = install("list", check=False, **{variable: value})
    assert done.returncode == 1 and f"{variable}={value}" in done.stderr
