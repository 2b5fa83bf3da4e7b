/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "script/trees.h"

char *trees_messages;

static char *line; /* what was shown last */

/* The lines of @dump, of which two blanks in front of a line are a level. */
static char *in_one_line(const char *dump)
{
	size_t size, depth = 0;
	char *text;
	FILE *out = open_memstream(&text, &size);

	for (bool first = true; *dump; first = false) {
		size_t indent = strspn(dump, " "), len = strcspn(dump, "\n");

		if (indent / 2 > depth) {
			fputc('[', out);
			depth++;
		} else {
			for (; indent / 2 < depth; depth--)
				fputc(']', out);
			fputs(first ? "" : ", ", out);
		}
		fprintf(out, "%.*s", (int)(len - indent), dump + indent);
		dump += len + (dump[len] == '\n');
	}
	while (depth--)
		fputc(']', out);
	fclose(out);
	return text;
}

const char *trees_read(const char *text, size_t size, const char *const *args, size_t nr_args)
{
	const struct positional positional = { .args = args, .nr = nr_args };
	struct source *src = source_new("stdin", text, size);
	size_t dump_size, messages_size;
	struct script *script;
	char *dump;
	FILE *out;

	free(line);
	free(trees_messages);
	src->messages = open_memstream(&trees_messages, &messages_size);
	script = script_parse(src, &positional);
	out = open_memstream(&dump, &dump_size);
	script_dump(script, out);
	fclose(out);
	fclose(src->messages);
	source_free(src);
	line = in_one_line(dump);
	free(dump);
	return line;
}

const char *trees_of_statements(const char *text)
{
	static const char before[] = "clause[probe begin, do[", after[] = "]]";
	size_t size;
	char *all;
	FILE *out = open_memstream(&all, &size);

	fprintf(out, "begin { %s }", text);
	fclose(out);
	trees_read(all, size, NULL, 0);
	free(all);
	if (strncmp(line, before, strlen(before)) ||
	    strcmp(line + strlen(line) - strlen(after), after))
		return line;
	line[strlen(line) - strlen(after)] = 0;
	return line + strlen(before);
}

const char *trees_errors(void)
{
	char *to = trees_messages, *next;

	for (char *at = trees_messages; *at; at = next) {
		next = at + strcspn(at, "\n");
		next += *next == '\n';
		if (strncmp(at, "stdin:", 6) && strncmp(at, "HINT: ", 6))
			continue;
		memmove(to, at, next - at);
		to += next - at;
	}
	*to = 0;
	return trees_messages;
}
