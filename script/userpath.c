/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "script/ldcache.h"
#include "script/userpath.h"
#include "symbols/maps.h"
#include "symbols/safeopen.h"

#define FILES_MAX 4096
#define CACHE_MAX (8 << 20)

static bool is_pattern(const char *name)
{
	return name[strcspn(name, "*?[")];
}

int userpath_open(const struct user_file *f)
{
	struct stat st;

	return safeopen_proc_link(f->path, &st);
}

static void add(struct arena *arena, struct user_files *to, const char *shown, const char *path,
		int keep)
{
	for (size_t i = 0; i < to->nr; i++) {
		if (!strcmp(to->files[i].shown, shown)) {
			if (keep >= 0)
				close(keep);
			return;
		}
	}
	if (to->nr == to->capacity)
		to->files = arena_grow(arena, to->files, &to->capacity, 4, sizeof(*to->files));
	to->files[to->nr++] =
		(struct user_file){ arena_strdup(arena, shown), arena_strdup(arena, path), keep };
}

/* --- another's root --- */

/* Whose file names are meant. */
struct view {
	struct arena *arena;
	pid_t pid;
	int root; /* -1: ours */
	struct user_files *found;
};

static bool same_namespace(pid_t pid)
{
	struct stat own, other;
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	return stat("/proc/self/ns/mnt", &own) || stat(path, &other) ||
	       (own.st_ino == other.st_ino && own.st_dev == other.st_dev);
}

/* Takes @path if it is a regular file. */
static bool take(struct view *v, const char *path)
{
	char proc[32];
	struct stat st;
	int at;

	if (v->root < 0) {
		if (stat(path, &st) || !S_ISREG(st.st_mode))
			return false;
		add(v->arena, v->found, path, path, -1);
		return true;
	}
	at = safeopen_find_in_root(v->root, path, false, &st);
	if (at < 0)
		return false;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", at);
	add(v->arena, v->found, path, proc, at);
	return true;
}

/* --- what processes have mapped --- */

struct mapped_search {
	struct view *v;
	const char *library; /* NULL: all files */
	bool done;
};

static int try_mapping(void *ctx, const struct mapping_line *line)
{
	struct mapped_search *s = ctx;
	const char *base = strrchr(line->path, '/');

	if (!line->executable || line->deleted || line->path[0] != '/' || !base)
		return 0;
	if (s->library && !ldcache_is_library(base + 1, s->library))
		return 0;
	if (take(s->v, line->path) && s->library)
		s->done = true;
	return s->done || s->v->found->nr >= FILES_MAX;
}

static bool find_mapped(struct view *v, pid_t pid, const char *library)
{
	struct mapped_search s = { .v = v, .library = library };
	char path[32];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	maps_each(f, try_mapping, &s);
	fclose(f);
	return s.done;
}

/* Files of processes that see others than we do are left out: their names are not ours. */
static void find_all_mapped(struct view *v)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		pid_t pid = atoi(entry->d_name);

		if (pid > 0 && same_namespace(pid))
			find_mapped(v, pid, NULL);
	}
	if (proc)
		closedir(proc);
}

/* --- libraries --- */

static bool find_cached(struct view *v, const char *name)
{
	int fd = v->root < 0 ? open("/etc/ld.so.cache", O_RDONLY | O_CLOEXEC)
			     : safeopen_in_root(v->root, "/etc/ld.so.cache", false,
						&(struct stat){ 0 });
	char *cache = fd >= 0 ? malloc(CACHE_MAX) : NULL;
	const char *path = NULL;
	size_t len = 0;
	ssize_t n;

	while (cache && (n = read(fd, cache + len, CACHE_MAX - len)) > 0)
		len += n;
	if (len)
		path = ldcache_library(v->arena, cache, len, name);
	free(cache);
	if (fd >= 0)
		close(fd);
	return path && take(v, path);
}

/* Where there is no such cache (musl), the usual directories. */
static bool find_in_usual_places(struct view *v, const char *name)
{
	static const char *const places[] = { "/lib",	"/usr/lib",   "/usr/local/lib",
					      "/lib64", "/usr/lib64", NULL };

	for (size_t i = 0; places[i]; i++) {
		if (take(v, arena_printf(v->arena, "%s/%s.so", places[i], name)) ||
		    take(v, arena_printf(v->arena, "%s/%s", places[i], name)))
			return true;
	}
	return false;
}

/* --- programs --- */

/* A wrapper, or another script of the same name, has no functions. */
static bool is_elf(const struct user_file *f)
{
	int fd = userpath_open(f);
	char magic[4] = "";
	bool is = fd >= 0 && read(fd, magic, sizeof(magic)) == sizeof(magic) &&
		  !memcmp(magic, "\177ELF", sizeof(magic));

	if (fd >= 0)
		close(fd);
	return is;
}

static bool take_program(struct view *v, const char *path)
{
	struct user_file *f;

	if (!take(v, path))
		return false;
	f = &v->found->files[v->found->nr - 1];
	if (is_elf(f))
		return true;
	if (f->keep >= 0)
		close(f->keep);
	v->found->nr--;
	return false;
}

static bool find_in_path(struct view *v, const char *name)
{
	const char *path = getenv("PATH"), *end;

	if (!path || !*path)
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	for (; *path; path = *end ? end + 1 : end) {
		end = strchrnul(path, ':');
		if (end != path && *path == '/' &&
		    take_program(v,
				 arena_printf(v->arena, "%.*s/%s", (int)(end - path), path, name)))
			return true;
	}
	return false;
}

/* -c ./a.out: uprobe:a.out means that one. */
static bool is_command(const char *command, const char *name, char *path, size_t size)
{
	size_t len = command ? strcspn(command, " \t") : 0;
	const char *base;

	if (!len || len >= size)
		return false;
	memcpy(path, command, len);
	path[len] = '\0';
	base = strrchr(path, '/');
	return base && !strcmp(base + 1, name);
}

static int find_pattern(struct view *v, const char *pattern)
{
	glob_t g;

	if (v->root >= 0)
		return -EOPNOTSUPP;
	if (glob(pattern, 0, NULL, &g))
		return 0;
	for (size_t i = 0; i < g.gl_pathc && v->found->nr < FILES_MAX; i++)
		take(v, g.gl_pathv[i]);
	globfree(&g);
	return 0;
}

static int find(struct view *v, const char *name, const char *command)
{
	char path[PATH_MAX];

	if (!strcmp(name, "*") || !name[0]) {
		if (v->pid)
			find_mapped(v, v->pid, NULL);
		else
			find_all_mapped(v);
		return 0;
	}
	if (is_pattern(name))
		return find_pattern(v, name);
	if (strchr(name, '/')) {
		take(v, name);
		return 0;
	}
	if (is_command(command, name, path, sizeof(path)) && take(v, path))
		return 0;
	if (find_in_path(v, name) || (v->pid && find_mapped(v, v->pid, name)) ||
	    find_cached(v, name) || find_in_usual_places(v, name))
		return 0;
	if (v->root < 0)
		take(v, name);
	return 0;
}

int userpath_find(struct arena *arena, const char *name, pid_t pid, const char *command,
		  struct user_files *found)
{
	struct view v = { .arena = arena, .pid = pid, .root = -1, .found = found };
	int err;

	if (pid && !same_namespace(pid)) {
		v.root = safeopen_root_of(pid);
		if (v.root < 0)
			return v.root;
	}
	err = find(&v, name, command);
	if (v.root >= 0)
		close(v.root);
	return err;
}
