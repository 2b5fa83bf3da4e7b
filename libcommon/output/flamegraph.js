/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
(function () {
	"use strict";
	var LEFT = 10, RIGHT = 1190, CHAR = 6.9, ROW = 17;
	var $ = function (id) { return document.getElementById(id); };
	var frames = [], zoomed = null, current = null;

	/* A frame's place in the whole, as it was drawn: nothing else is kept of it. */
	Array.prototype.forEach.call($("frames").children, function (g) {
		var title = g.querySelector("title").textContent, rect = g.querySelector("rect");
		var f = {
			g: g, rect: rect, label: g.querySelector("text"), title: title,
			name: title.slice(0, title.lastIndexOf(" (")),
			l: +g.dataset.l, n: +g.dataset.n, /* in samples: exact, and not in pixels */
			y: +rect.getAttribute("y"), shown: true, hit: false
		};
		g.frame = f;
		g.setAttribute("tabindex", "-1");
		g.setAttribute("aria-label", title);
		frames.push(f);
	});
	var all = frames[0];

	function covers(outer, inner) {
		return outer.l <= inner.l && outer.l + outer.n >= inner.l + inner.n;
	}

	function fit(name, width) {
		var room = Math.floor((width - 6) / CHAR);
		if (name.length <= room)
			return name;
		return room < 3 ? "" : name.slice(0, room - 2) + "..";
	}

	function put(f, x, w) {
		f.rect.setAttribute("x", x.toFixed(1));
		f.rect.setAttribute("width", w.toFixed(1));
		f.label.setAttribute("x", (x + 3).toFixed(1));
		f.label.textContent = fit(f.name, w);
	}

	/* @to fills the width, with what is called from it; what called it stays below. */
	function zoom(to) {
		var scale = (RIGHT - LEFT) / to.n;
		zoomed = to === all ? null : to;
		frames.forEach(function (f) {
			var below = f.y > to.y && covers(f, to); /* that is where the callers are */
			var inside = f.y <= to.y && covers(to, f);
			f.shown = below || inside;
			f.g.style.display = f.shown ? "" : "none";
			f.g.classList.toggle("above", below);
			if (below)
				put(f, LEFT, RIGHT - LEFT);
			else if (inside)
				put(f, LEFT + (f.l - to.l) * scale, f.n * scale);
		});
		$("reset").style.visibility = zoomed ? "visible" : "hidden";
		count();
	}

	/* Matches within matches count once. */
	function count() {
		var hits = frames.filter(function (f) {
			return f.hit && f.shown && !f.g.classList.contains("above");
		});
		var whole = zoomed || all, sum = 0, end = -1;
		hits.sort(function (a, b) { return a.l - b.l || b.y - a.y; });
		hits.forEach(function (f) {
			if (f.l >= end) {
				sum += f.n;
				end = f.l + f.n;
			}
		});
		$("matched").textContent = $("search").value === "" ? "" :
			"matched: " + (100 * sum / whole.n).toFixed(2) + " %";
	}

	function search(text) {
		var pattern = null;
		if (text !== "") {
			try {
				pattern = new RegExp(text, "i");
			} catch (e) { /* not one yet: take it as it is */
				pattern = new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i");
			}
		}
		frames.forEach(function (f) {
			f.hit = pattern !== null && pattern.test(f.name);
			f.g.classList.toggle("hit", f.hit);
		});
		count();
	}

	function tell(f) {
		$("details").textContent = f ? f.title : "";
	}

	function go(f) {
		if (!f)
			return;
		if (current)
			current.g.setAttribute("tabindex", "-1");
		current = f;
		f.g.setAttribute("tabindex", "0");
		f.g.focus();
		tell(f);
	}

	function best(list, better) {
		return list.reduce(function (a, b) { return a && !better(b, a) ? a : b; }, null);
	}

	/* The frame that an arrow key leads to: the caller, the widest callee, the next beside. */
	function step(from, key) {
		var shown = frames.filter(function (f) { return f.shown; });
		var row = function (y) {
			return shown.filter(function (f) { return Math.abs(f.y - y) < 1; });
		};
		if (key === "ArrowDown")
			return row(from.y + ROW).filter(function (f) { return covers(f, from); })[0];
		if (key === "ArrowUp")
			return best(row(from.y - ROW).filter(function (f) { return covers(from, f); }),
				function (a, b) { return a.n > b.n; });
		if (key === "ArrowLeft")
			return best(row(from.y).filter(function (f) { return f.l < from.l; }),
				function (a, b) { return a.l > b.l; });
		return best(row(from.y).filter(function (f) { return f.l > from.l; }),
			function (a, b) { return a.l < b.l; });
	}

	function frameOf(target) {
		var g = target.closest ? target.closest("#frames > g") : null;
		return g ? g.frame : null;
	}

	$("frames").addEventListener("click", function (e) {
		var f = frameOf(e.target);
		if (f) {
			zoom(f);
			go(f);
		}
	});
	$("frames").addEventListener("mouseover", function (e) { tell(frameOf(e.target)); });
	$("frames").addEventListener("mouseleave", function () { tell(null); });
	$("frames").addEventListener("focusin", function (e) { tell(frameOf(e.target)); });
	$("reset").addEventListener("click", function () { zoom(all); });
	$("search").addEventListener("input", function (e) { search(e.target.value); });
	document.addEventListener("keydown", function (e) {
		var f = frameOf(e.target), at = e.target.id;
		if (e.ctrlKey || e.altKey || e.metaKey)
			return;
		if (e.key === "Escape") {
			if (at === "search") {
				$("search").value = "";
				search("");
				go(current || zoomed || all);
			} else {
				zoom(all);
			}
		} else if (e.key === "/" && at !== "search") {
			$("search").focus();
		} else if (e.key === "Enter" || (e.key === " " && at !== "search")) {
			if (at === "reset")
				zoom(all);
			else if (f)
				zoom(f);
			else
				return;
		} else if (f && /^Arrow/.test(e.key)) {
			go(step(f, e.key));
		} else {
			return;
		}
		e.preventDefault();
	});
	all.g.setAttribute("tabindex", "0");
	current = all;
	$("controls").style.display = "";
	window.scrollTo(0, document.documentElement.getBoundingClientRect().height); /* the root */
})();
