# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""make html: every page is there, every link leads somewhere, and what a page says is in the HTML, too."""

import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

import packages
from manpage import PAGES, ROOT, VERSION, Page, plain

EMPTY = {"meta", "link", "br", "hr", "img"}     # elements without an end
BORESCOPE = ROOT / "man" / "borescope.7"


class Html(HTMLParser):
    """What a file links to, what can be linked to in it, its text and its examples; open elements left at the end."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.open, self.pieces, self.linked = [], [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if "href" in attrs:
            self.links.append(attrs["href"])
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> in {self.open}"
        self.open.pop()

    def handle_data(self, data):
        self.pieces.append(data)
        if "a" in self.open:
            self.linked.append(data)

    @property
    def text(self):
        """All of it, with single spaces."""
        return " ".join("".join(self.pieces).split())


def make(man, out):
    """Makes the HTML of a directory of pages: {file's name: Html}."""
    if not shutil.which("mandoc"):
        pytest.skip(f"no mandoc: the package {packages.of_program('mandoc')} has it")
    done = subprocess.run([man / "html", out, VERSION], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return {path.name: Html(path.read_text(encoding="utf-8")) for path in out.glob("*.html")}


def dead_links(site, out):
    """Links to files, or to places in files, that are not there."""
    found = []
    for name, page in site.items():
        for link in page.links:
            file, _, place = link.partition("#")
            there = not file or (out / file).is_file()
            if not there or place and place not in site[file or name].ids:
                found.append(f"{name}: {link}")
    return found


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("html")


@pytest.fixture(scope="module")
def site(out):
    return make(ROOT / "man", out)


def test_every_page_is_there(site):
    assert sorted(site) == sorted(["index.html", *(f"{path.name}.html" for path in PAGES)])


def test_elements_end(site):
    assert not [name for name, page in site.items() if page.open]


def test_every_link_leads_somewhere(site, out):
    assert not dead_links(site, out)


def test_a_dead_link_is_found(site, out):
    broken = dict(site)
    broken["index.html"] = Html('<a href="no-such.8.html">x</a><a href="borescope.7.html#NOWHERE">y</a><a href="#Q">z</a>')
    assert len(dead_links(broken, out)) == 3


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_references_are_links(site, path):
    """Wherever a page refers to another one of ours, one can follow; and from each to the index."""
    page = site[f"{path.name}.html"]
    ours = {(other.stem, other.suffix[1:]) for other in PAGES} - {(path.stem, path.suffix[1:])}
    named = set(re.findall(r"^\.BR (\w+) \((\d)\)", Page(path).source, re.M)) & ours
    assert {f"{name}.{section}.html" for name, section in named} <= set(page.links)
    assert "index.html" in page.links
    assert f"{path.name}.html" not in page.links


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_examples_are_whole(site, path):
    """What the page shows as it is typed and printed, stands there letter for letter."""
    text = "".join(site[f"{path.name}.html"].pieces)
    for block in re.findall(r"^\.EX\n(.*?)^\.EE", Page(path).source, re.M | re.S):
        assert plain(block) in text


def test_index_has_questions_and_names(site):
    """It leads from each question to a page, and has all pages with what they are."""
    index = site["index.html"]
    page = Page(BORESCOPE)
    for question in page.tags("WHICH QUESTION, WHICH TOOL"):
        assert " ".join(plain(question).split()) in index.text
    for path in PAGES:
        assert f"{path.name}.html" in index.links
        assert Page(path).text("NAME").strip().split(" - ", 1)[1] in index.text
    assert "borescope.7.html#THE_FIRST_FIVE_MINUTES" in index.links


def test_a_new_page_is_there(tmp_path):
    """It needs no line anywhere."""
    shutil.copytree(ROOT / "man", tmp_path / "man")
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "links", tmp_path / "tools")
    (tmp_path / "man" / "newsnoop.8").write_text((ROOT / "man" / "opensnoop.8").read_text(encoding="utf-8")
                                                 .replace("opensnoop", "newsnoop"), encoding="utf-8")
    made = make(tmp_path / "man", tmp_path / "html")
    assert "newsnoop.8.html" in made and "newsnoop.8.html" in made["index.html"].links
    assert not dead_links(made, tmp_path / "html")
