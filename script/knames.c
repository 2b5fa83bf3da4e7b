/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "script/knames.h"

#define TEXT_MAX  (64u << 20) /* of one of the kernel's lists */
#define NAMES_MAX (1u << 20)

/* The whole file, with a NUL behind it. NULL: errno says why. */
static char *read_text(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC), err;
	size_t size = 1 << 20, len = 0;
	char *text = NULL, *more;
	ssize_t n = 1;

	if (fd < 0)
		return NULL;
	for (more = malloc(size); more; more = size < TEXT_MAX ? realloc(text, size *= 2) : NULL) {
		text = more;
		while (len < size - 1 && (n = read(fd, text + len, size - 1 - len)) > 0)
			len += n;
		if (n <= 0)
			break;
	}
	err = n < 0 ? errno : text && more ? 0 : ENOMEM;
	close(fd);
	if (err) {
		free(text);
		errno = err;
		return NULL;
	}
	text[len] = '\0';
	return text;
}

static void add(struct kname_list *l, const char *name, const char *group)
{
	if (l->nr == l->capacity) {
		size_t more = l->capacity ? l->capacity * 2 : 4096;
		struct kname *names =
			more <= NAMES_MAX ? realloc(l->names, more * sizeof(*names)) : NULL;

		if (!names)
			return;
		l->names = names;
		l->capacity = more;
	}
	l->names[l->nr++] = (struct kname){ name, group };
}

static int compare(const void *a, const void *b)
{
	const struct kname *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : strcmp(x->group, y->group);
}

/* The kernel lists some functions several times. */
static void sort(struct kname_list *l)
{
	size_t nr = 0;

	qsort(l->names, l->nr, sizeof(*l->names), compare);
	for (size_t i = 0; i < l->nr; i++)
		if (!nr || compare(&l->names[nr - 1], &l->names[i]))
			l->names[nr++] = l->names[i];
	l->nr = nr;
}

/* A part that the compiler has made of a function is called .part.0 or .cold; nobody can trace it
 * by what it is called in the source. */
static bool is_part(const char *name)
{
	return strstr(name, ".part.") || strstr(name, ".cold");
}

/* The module in brackets behind a name, which is cut off; "vmlinux" where there is none. */
static const char *cut_module(char *name, char **end)
{
	char *space = strpbrk(name, " \t"), *bracket;

	*end = space ? space : name + strlen(name);
	if (!space)
		return "vmlinux";
	bracket = strchr(space, '[');
	*space = '\0';
	if (!bracket)
		return "vmlinux";
	bracket[strcspn(bracket, "]")] = '\0';
	return bracket + 1;
}

/* Calls @fn for each line of the list's text. */
static const struct kname_list *read_list(struct kname_list *l, int dir, const char *path,
					  void (*fn)(struct kname_list *l, char *line))
{
	char *line, *end;

	if (l->state)
		return l->state > 0 ? l : NULL;
	l->text = read_text(dir, path);
	l->state = l->text ? 1 : -errno;
	for (line = l->text; line && *line; line = end) {
		end = strchrnul(line, '\n');
		if (*end)
			*end++ = '\0';
		fn(l, line);
	}
	if (l->state > 0)
		sort(l);
	return l->state > 0 ? l : NULL;
}

/* "tcp_sendmsg" or "ext4_file_open [ext4]" */
static void function_line(struct kname_list *l, char *line)
{
	char *end;
	const char *module = cut_module(line, &end);

	if (line[0] && !is_part(line) && strncmp(line, "__ftrace_invalid_address__", 26))
		add(l, line, module);
}

/* "ffffffff81000000 t ext4_file_open	[ext4]" */
static char *symbol_of_line(char *line)
{
	char *type = strchr(line, ' ');

	if (!type || !strchr("tTwW", type[1]) || type[2] != ' ')
		return NULL;
	return type + 3;
}

static void symbol_line(struct kname_list *l, char *line)
{
	char *name = symbol_of_line(line), *end;
	const char *module = name ? cut_module(name, &end) : NULL;

	if (name && name[0] && !is_part(name) && strcmp(module, "bpf"))
		add(l, name, module);
}

/* "sched:sched_switch" */
static void event_line(struct kname_list *l, char *line)
{
	char *colon = strchr(line, ':');

	if (!colon)
		return;
	*colon = '\0';
	add(l, colon + 1, line);
}

const struct kname_list *knames_functions(struct knames *k, int tracefs)
{
	if (k->functions_file)
		return read_list(&k->functions, AT_FDCWD, k->functions_file, function_line);
	if (!k->functions.state && tracefs < 0)
		k->functions.state = tracefs;
	return read_list(&k->functions, tracefs, "available_filter_functions", function_line);
}

const struct kname_list *knames_symbols(struct knames *k)
{
	return read_list(&k->symbols, AT_FDCWD, "/proc/kallsyms", symbol_line);
}

const struct kname_list *knames_events(struct knames *k, int tracefs)
{
	if (!k->events.state && tracefs < 0)
		k->events.state = tracefs;
	return read_list(&k->events, tracefs, "available_events", event_line);
}

const struct kname *kname_find(const struct kname_list *l, const char *name)
{
	size_t low = 0, high = l->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(l->names[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < l->nr && !strcmp(l->names[low].name, name) ? &l->names[low] : NULL;
}

static bool is_in_file(const char *module, const char *name)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[1024];
	bool found = !f;

	while (!found && f && fgets(line, sizeof(line), f)) {
		char *symbol, *end;
		const char *group;

		line[strcspn(line, "\n")] = '\0';
		symbol = symbol_of_line(line);
		if (!symbol)
			continue;
		group = cut_module(symbol, &end);
		found = !strcmp(symbol, name) && (!module || !strcmp(group, module));
	}
	if (f)
		fclose(f);
	return found;
}

bool kname_is_symbol(struct knames *k, const char *module, const char *name)
{
	const struct kname_list *list = NULL;
	const struct kname *n;

	if ((k->asked || k->symbols.state > 0) && !is_part(name))
		list = knames_symbols(k);
	if (!list) {
		k->asked = true;
		return is_in_file(module, name);
	}
	for (n = kname_find(list, name); n && n < list->names + list->nr; n++) {
		if (strcmp(n->name, name))
			return false;
		if (!module || !strcmp(n->group, module))
			return true;
	}
	return false;
}

static void free_list(struct kname_list *l)
{
	free(l->names);
	free(l->text);
	*l = (struct kname_list){ 0 };
}

void knames_free(struct knames *k)
{
	free_list(&k->functions);
	free_list(&k->symbols);
	free_list(&k->events);
}
