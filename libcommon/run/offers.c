/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/escape.h"
#include "base/intern.h"
#include "run/offers.h"

#define ABOUT_MAX     200
#define TASK_COMM_LEN 16
#define COMM_LEN      64 /* of a kernel's worker with its queue, too */

/* --- words -------------------------------------------------------------------------------- */

static bool is_typable(const char *word)
{
	size_t len = strlen(word);
	char text[512];

	return len && len <= sizeof(text) && escape_line(text, sizeof(text), word, len) == len &&
	       !memcmp(text, word, len);
}

void offers_add(struct offers *o, const char *word, const char *about)
{
	char text[ABOUT_MAX];
	size_t len;

	if (strncmp(word, o->typed, strlen(o->typed)) || !is_typable(word))
		return;
	len = about ? escape_line(text, sizeof(text), about, strlen(about)) : 0;
	printf("%.*s%s%s%.*s\n", o->before_len, o->before, word, len ? "\t" : "", (int)len, text);
}

void offers_words(struct offers *o, const char *words)
{
	char word[64];

	for (size_t len; words += strspn(words, " "), *words; words += len) {
		len = strcspn(words, " ");
		snprintf(word, sizeof(word), "%.*s", (int)len, words);
		offers_add(o, word, NULL);
	}
}

/* Calls @each with every entry of the directory @path that has no dot in front. */
static void each_entry(const char *path, struct offers *o,
		       void (*each)(struct offers *o, int dir, const char *name))
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			each(o, dirfd(dir), entry->d_name);
	if (dir)
		closedir(dir);
}

static void offer_entry(struct offers *o, int dir, const char *name)
{
	offers_add(o, name, NULL);
}

void offers_entries(struct offers *o, const char *dir)
{
	each_entry(dir, o, offer_entry);
}

/* --- processes ---------------------------------------------------------------------------- */

/* The name of the process or thread in the directory @id of @proc; "" if it has gone. */
static void read_comm(int proc, const char *id, char *comm)
{
	char path[300];
	ssize_t len = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/comm", id);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		len = read(fd, comm, COMM_LEN - 1);
		close(fd);
	}
	comm[len > 0 ? len - 1 : 0] = '\0'; /* without its newline */
}

/* Of what is in /proc, the directories of processes are called by numbers. */
static bool is_id(const char *name)
{
	return isdigit((unsigned char)name[0]);
}

static void offer_id(struct offers *o, int dir, const char *id)
{
	char comm[COMM_LEN];

	if (!is_id(id) || strncmp(id, o->typed, strlen(o->typed)))
		return; /* and its name need not be read */
	read_comm(dir, id, comm);
	offers_add(o, id, comm);
}

void offers_pids(struct offers *o)
{
	each_entry("/proc", o, offer_id);
}

static void offer_threads(struct offers *o, int dir, const char *pid)
{
	char path[300];

	if (!is_id(pid))
		return;
	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	each_entry(path, o, offer_id);
}

void offers_tids(struct offers *o)
{
	each_entry("/proc", o, offer_threads);
}

static struct intern offered; /* names: many processes have the same */

static void offer_comm(struct offers *o, int dir, const char *pid)
{
	char comm[COMM_LEN];
	uint32_t nr = offered.nr;

	if (!is_id(pid))
		return;
	read_comm(dir, pid, comm);
	comm[TASK_COMM_LEN - 1] = '\0'; /* of a kernel's worker, what --comm is compared with */
	if (intern(&offered, comm, strlen(comm)) == nr)
		offers_add(o, comm, NULL);
}

void offers_comms(struct offers *o)
{
	each_entry("/proc", o, offer_comm);
	intern_clear(&offered);
}

/* --- users, cgroups ----------------------------------------------------------------------- */

void offers_users(struct offers *o)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd *user;

	while (f && (user = fgetpwent(f)))
		offers_add(o, user->pw_name, NULL);
	if (f)
		fclose(f);
}

void offers_cgroups(struct offers *o)
{
	char mount[PATH_MAX], path[2 * PATH_MAX], word[PATH_MAX];
	const char *slash = strrchr(o->typed, '/');
	const int above = slash ? (int)(slash - o->typed) : 0;
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	if (cgroup_mount(mount))
		return;
	if (!strncmp(o->typed, mount, strlen(mount)))
		o->end = "dirs"; /* a path in the file system, which is allowed, too */
	snprintf(path, sizeof(path), "%s/%.*s", mount, above, o->typed);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || fstatat(dirfd(dir), entry->d_name, &st, 0) ||
		    !S_ISDIR(st.st_mode))
			continue;
		/* kernfs counts a directory's own among its links: 2, and those below */
		snprintf(word, sizeof(word), "%.*s/%s%s", above, o->typed, entry->d_name,
			 st.st_nlink > 2 ? "/" : "");
		offers_add(o, word, NULL);
	}
	if (dir)
		closedir(dir);
}
