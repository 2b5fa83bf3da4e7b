/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The suite as one program, of which the tools are links (make static): what all have in common, libbpf and the C library
 * above all, is there once. The name that it is called by says which tool it is; called as "borescope TOOL", as when it
 * is the only file that there is, it is that one.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/called.h"
#include "base/util.h"

/* MAIN(TOOL): the main() of tools/TOOL.c, renamed; NAME(NAME, TOOL): a name and whose it is. */
#define MAIN(tool) int main_##tool(int argc, char **argv);
#define NAME(name, tool)
#include "multicall.inc"
#undef MAIN
#undef NAME

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} tools[] = {
#define MAIN(tool)
#define NAME(name, tool) { #name, main_##tool },
#include "multicall.inc"
};

/* For the front door: its tools need not be looked for. */
bool borescope_is_all_in_one(void);
bool borescope_is_all_in_one(void)
{
	return true;
}

int main(int argc, char **argv)
{
	static char title[64];

	/* "borescope" alone, or with a word that is no tool's name, is the front door, if there is one. */
	for (int i = 0; i < 2 && i < argc; i++) {
		for (size_t t = 0; t < ARRAY_SIZE(tools); t++) {
			if (!strcmp(tools[t].name, "borescope") ||
			    !(i ? !strcmp(argv[i], tools[t].name)
				: called_as(argv[i], tools[t].name)))
				continue;
			if (i) { /* as the front door calls it */
				snprintf(title, sizeof(title), "borescope %s", tools[t].name);
				argv[i] = title;
			}
			return tools[t].main(argc - i, argv + i);
		}
	}
	for (size_t t = 0; t < ARRAY_SIZE(tools); t++)
		if (!strcmp(tools[t].name, "borescope"))
			return tools[t].main(argc, argv);
	fputs("borescope: usage: borescope TOOL [ARGUMENT...], with one of these tools:", stderr);
	for (size_t t = 0; t < ARRAY_SIZE(tools); t++)
		fprintf(stderr, " %s", tools[t].name);
	fputs("\n", stderr);
	return 2;
}
