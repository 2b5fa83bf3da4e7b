/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "output/flamegraph.h"
#include "base/intern.h"

/* The picture, in pixels. flamegraph.js knows WIDTH, SIDE, ROW and CHAR, too. */
#define WIDTH	    1200
#define SIDE	    10 /* left and right of the frames */
#define HEAD	    52
#define FOOT	    54
#define ROW	    17
#define CHAR	    6.9
#define NARROWEST   0.1
#define SHADES	    4
#define NO_PARENT   UINT32_MAX
#define REPLACEMENT "\xef\xbf\xbd"

static const char script[] =
#include "flamegraph.js.inc"
	;
static const char style[] =
#include "flamegraph.css.inc"
	;

/* A node's key, compared as bytes: its parent, and what it is. */
struct node_key {
	uint32_t parent, name, kind;
};

struct node {
	uint64_t total; /* the weight of itself and of all below it */
	uint64_t left;	/* the weight that is drawn left of it */
	uint64_t given; /* the part of total that children have which are already placed */
	uint32_t depth;
};

struct flame {
	struct intern names, keys;
	struct node *nodes;
	uint32_t nr_alloc;
	uint64_t total;
};

struct flame *flame_new(void)
{
	return calloc(1, sizeof(struct flame));
}

void flame_free(struct flame *f)
{
	if (!f)
		return;
	intern_clear(&f->names);
	intern_clear(&f->keys);
	free(f->nodes);
	free(f);
}

static uint32_t child(struct flame *f, uint32_t parent, const struct flame_frame *frame)
{
	struct node_key key = { parent, 0, frame->kind };
	struct node *nodes;
	uint32_t number;

	key.name = intern(&f->names, frame->name, strlen(frame->name) + 1);
	if (key.name == INTERN_NONE)
		return INTERN_NONE;
	number = intern(&f->keys, &key, sizeof(key));
	if (number == INTERN_NONE)
		return INTERN_NONE;
	nodes = intern_grow(f->nodes, sizeof(*nodes), number, &f->nr_alloc);
	if (!nodes)
		return INTERN_NONE;
	f->nodes = nodes;
	nodes[number].depth = parent == NO_PARENT ? 0 : nodes[parent].depth + 1;
	return number;
}

int flame_add(struct flame *f, const struct flame_frame *frames, size_t nr, uint64_t weight)
{
	uint32_t at = NO_PARENT;

	f->total += weight;
	for (size_t i = 0; i < nr; i++) {
		at = child(f, at, &frames[i]);
		if (at == INTERN_NONE)
			return -ENOMEM;
		f->nodes[at].total += weight;
	}
	return 0;
}

/* --- writing ------------------------------------------------------------------------------ */

static bool fits_xml(uint32_t cp)
{
	return !utf8_is_control(cp) && cp != 0xfffe && cp != 0xffff;
}

/* Writes at most @max characters of @s; what XML does not allow becomes U+FFFD. */
static void out_xml(struct out *o, const char *s, size_t max)
{
	size_t len = strlen(s);

	for (size_t at = 0; at < len && max; max--) {
		uint32_t cp;
		int n = utf8_decode(s + at, len - at, &cp);

		if (!n || !fits_xml(cp))
			out_str(o, REPLACEMENT);
		else if (cp == '&')
			out_str(o, "&amp;");
		else if (cp == '<')
			out_str(o, "&lt;");
		else if (cp == '>')
			out_str(o, "&gt;");
		else if (cp == '"')
			out_str(o, "&quot;");
		else
			out_mem(o, s + at, n);
		at += n ? n : 1;
	}
}

static size_t nr_chars(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

static const struct node_key *key_of(const struct flame *f, uint32_t node)
{
	return intern_get(&f->keys, node, NULL);
}

static const char *name_of(const struct flame *f, uint32_t node)
{
	return intern_get(&f->names, key_of(f, node)->name, NULL);
}

static int by_parent_and_name(const void *a, const void *b, void *arg)
{
	const struct flame *f = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	const struct node_key *kx = key_of(f, x), *ky = key_of(f, y);
	int order;

	/* the root's children first: NO_PARENT + 1 is 0 */
	if (kx->parent != ky->parent)
		return kx->parent + 1 < ky->parent + 1 ? -1 : 1;
	order = strcmp(name_of(f, x), name_of(f, y));
	return order ? order : (kx->kind > ky->kind) - (kx->kind < ky->kind);
}

/* Siblings stand beside each other by name. A parent has a lower number than its children, so that
 * it has its place when they get theirs. Returns the numbers in that order; NULL: no memory. */
static uint32_t *place(struct flame *f)
{
	uint32_t *order = calloc(f->keys.nr + 1, sizeof(*order));
	uint64_t given = 0;

	if (!order)
		return NULL;
	for (uint32_t i = 0; i < f->keys.nr; i++) {
		order[i] = i;
		f->nodes[i].given = 0;
	}
	qsort_r(order, f->keys.nr, sizeof(*order), by_parent_and_name, f);
	for (uint32_t i = 0; i < f->keys.nr; i++) {
		struct node *n = &f->nodes[order[i]];
		uint32_t parent = key_of(f, order[i])->parent;
		struct node *p = parent == NO_PARENT ? NULL : &f->nodes[parent];

		n->left = p ? p->left + p->given : given;
		*(p ? &p->given : &given) += n->total;
	}
	return order;
}

/* The same name has the same shade, in every picture. */
static unsigned int shade(const char *name)
{
	unsigned int h = 0;

	for (; *name; name++)
		h = h * 31 + (unsigned char)*name;
	return h % SHADES;
}

static void out_px(struct out *o, const char *attribute, double v)
{
	out_char(o, ' ');
	out_str(o, attribute);
	out_str(o, "=\"");
	out_fixed(o, (uint64_t)(v * 10 + 0.5), 1);
	out_char(o, '"');
}

/* Writes a frame, of which @n has the total, left and depth; @all is the weight of the picture. */
static void out_frame(struct out *o, const char *name, const char *class, const char *unit,
		      const struct node *n, uint64_t all, double bottom)
{
	double scale = all ? (double)(WIDTH - 2 * SIDE) / (double)all : 0;
	double x = SIDE + (double)n->left * scale, w = (double)n->total * scale;
	double y = bottom - (double)n->depth * ROW;
	size_t room = w > 6 ? (size_t)((w - 6) / CHAR) : 0;

	out_printf(o, "<g class=\"%s\" data-l=\"%llu\" data-n=\"%llu\"><title>", class,
		   (unsigned long long)n->left, (unsigned long long)n->total);
	out_xml(o, name, SIZE_MAX);
	out_printf(o, " (%llu %s, %.2f %%)</title><rect", (unsigned long long)n->total, unit,
		   all ? 100.0 * (double)n->total / (double)all : 0.0);
	out_px(o, "x", x);
	out_px(o, "y", y);
	out_px(o, "width", w);
	out_printf(o, " height=\"%d\"/><text", ROW - 1);
	out_px(o, "x", x + 3);
	out_px(o, "y", y + 12);
	out_char(o, '>');
	if (nr_chars(name) <= room)
		out_xml(o, name, SIZE_MAX);
	else if (room >= 3) {
		out_xml(o, name, room - 2);
		out_str(o, "..");
	}
	out_str(o, "</text></g>\n");
}

static void out_node(const struct flame *f, struct out *o, uint32_t node, double bottom,
		     const char *unit)
{
	static const char kinds[] = { [FLAME_LABEL] = 'l',
				      [FLAME_USER] = 'u',
				      [FLAME_JIT] = 'j',
				      [FLAME_KERNEL] = 'k',
				      [FLAME_UNKNOWN] = 'x' };
	const char *name = name_of(f, node);
	char class[] = { kinds[key_of(f, node)->kind], '0' + shade(name), '\0' };

	out_frame(o, name, class, unit, &f->nodes[node], f->total, bottom);
}

static void out_head(struct out *o, int height, const char *title)
{
	out_printf(
		o,
		"<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\" role=\"application\" aria-label=\"flame graph\">\n<style>",
		WIDTH, height, WIDTH, height);
	out_str(o, style);
	out_printf(o,
		   "</style>\n<rect class=\"paper\" width=\"100%%\" height=\"100%%\"/>\n"
		   "<text class=\"title\" x=\"%d\" y=\"22\">",
		   WIDTH / 2);
	out_xml(o, title, SIZE_MAX);
	out_str(o, "</text>\n");
}

/* What the script brings to life; a viewer without scripts does not show it. At the foot, where the
 * root is. */
static void out_controls(struct out *o, int height)
{
	out_printf(o,
		   "<text id=\"details\" x=\"%d\" y=\"%d\" aria-live=\"polite\"></text>\n"
		   "<g id=\"controls\" style=\"display:none\">\n"
		   "<text id=\"reset\" class=\"button\" x=\"%d\" y=\"%d\" role=\"button\" "
		   "tabindex=\"0\" style=\"visibility:hidden\">Reset zoom (Esc)</text>\n"
		   "<text id=\"matched\" x=\"%d\" y=\"%d\" aria-live=\"polite\"></text>\n"
		   "<foreignObject x=\"%d\" y=\"%d\" width=\"250\" height=\"26\">"
		   "<input xmlns=\"http://www.w3.org/1999/xhtml\" id=\"search\" type=\"search\" "
		   "aria-label=\"search\" placeholder=\"Search, by a regexp (/)\"/>"
		   "</foreignObject>\n</g>\n",
		   SIDE, height - FOOT + 18, SIDE, height - 12, WIDTH - SIDE - 260, height - 12,
		   WIDTH - SIDE - 250, height - 30);
}

void flame_write(struct flame *f, struct out *o, const char *title, const char *unit)
{
	double scale = f->total ? (double)(WIDTH - 2 * SIDE) / (double)f->total : 0;
	const struct node whole = { .total = f->total };
	uint32_t *order = place(f), depth = 0;
	int height;

	if (!order) {
		o->error = o->error ? o->error : ENOMEM;
		return;
	}
	for (uint32_t i = 0; i < f->keys.nr; i++)
		if ((double)f->nodes[i].total * scale >= NARROWEST && f->nodes[i].depth >= depth)
			depth = f->nodes[i].depth + 1;
	height = HEAD + (depth + 1) * ROW + FOOT;
	out_head(o, height, title);
	out_controls(o, height);
	out_str(o, "<g id=\"frames\">\n");
	out_frame(o, "all", "l0", unit, &whole, f->total, height - FOOT - ROW);
	for (uint32_t i = 0; i < f->keys.nr; i++)
		if ((double)f->nodes[order[i]].total * scale >= NARROWEST)
			out_node(f, o, order[i], height - FOOT - 2 * ROW, unit);
	out_str(o, "</g>\n<script><![CDATA[\n");
	out_str(o, script);
	out_str(o, "]]></script>\n</svg>\n");
	free(order);
}
