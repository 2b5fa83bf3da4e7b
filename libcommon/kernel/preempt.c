/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "base/util.h"
#include "kernel/preempt.h"

#define SETTING "sched/preempt"

static enum preempt by_word(const char *word, size_t len)
{
	static const struct {
		const char *word;
		enum preempt preempt;
	} words[] = {
		{ "none", PREEMPT_NOT },
		{ "voluntary", PREEMPT_NOT },
		{ "full", PREEMPT_INSIDE },
		{ "lazy", PREEMPT_INSIDE }, /* from 6.13 on (7c70cb94d29c) */
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i].word) == len && !strncmp(word, words[i].word, len))
			return words[i].preempt;
	return PREEMPT_UNKNOWN;
}

enum preempt preempt_by_version(const char *version)
{
	const char *word = strstr(version, "PREEMPT");

	if (!word)
		return PREEMPT_NOT;
	return strncmp(word, "PREEMPT_DYNAMIC", strlen("PREEMPT_DYNAMIC")) ? PREEMPT_INSIDE
									   : PREEMPT_UNKNOWN;
}

enum preempt preempt_by_setting(const char *setting)
{
	const char *word = strchr(setting, '(');

	return word ? by_word(word + 1, strcspn(word + 1, ")")) : PREEMPT_UNKNOWN;
}

/* The last one counts. */
enum preempt preempt_by_boot(const char *cmdline)
{
	enum preempt found = PREEMPT_UNKNOWN;

	while (*cmdline) {
		size_t len = strcspn(cmdline, " \n");
		const char *value = cmdline + strlen("preempt=");

		if (!strncmp(cmdline, "preempt=", strlen("preempt=")))
			found = by_word(value, len - strlen("preempt="));
		cmdline += len;
		cmdline += strspn(cmdline, " \n");
	}
	return found;
}

enum preempt preempt_by_config_line(const char *line)
{
	if (!strcmp(line, "CONFIG_PREEMPT_NONE=y") || !strcmp(line, "CONFIG_PREEMPT_VOLUNTARY=y"))
		return PREEMPT_NOT;
	if (!strcmp(line, "CONFIG_PREEMPT=y") || !strcmp(line, "CONFIG_PREEMPT_LAZY=y"))
		return PREEMPT_INSIDE;
	return PREEMPT_UNKNOWN;
}

/* --- where they are ----------------------------------------------------------------------- */

/* The text of a small file, or "". */
static void read_text(int dir, const char *path, char *text, size_t size)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	text[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

/* debugfs, mounted for us alone and nowhere; -1: we may not. */
static int debugfs(void)
{
	int context = syscall(SYS_fsopen, "debugfs", FSOPEN_CLOEXEC), fd = -1;

	if (context < 0)
		return -1;
	if (!syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	close(context);
	return fd;
}

static enum preempt by_setting_now(void)
{
	char text[64];
	int fd;

	read_text(AT_FDCWD, "/sys/kernel/debug/" SETTING, text, sizeof(text));
	fd = text[0] ? -1 : debugfs();
	if (fd >= 0) {
		read_text(fd, SETTING, text, sizeof(text));
		close(fd);
	}
	return preempt_by_setting(text);
}

static enum preempt by_config_file(const char *release)
{
	enum preempt found = PREEMPT_UNKNOWN;
	char path[sizeof("/boot/config-") + 65], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/boot/config-%s", release);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		found = preempt_by_config_line(line);
	}
	if (f)
		fclose(f);
	return found;
}

bool preempt_inside(void)
{
	enum preempt found = PREEMPT_UNKNOWN;
	struct utsname name;
	char text[4096];

	if (uname(&name))
		return false;
	found = preempt_by_version(name.version);
	if (!found)
		found = by_setting_now();
	if (!found) {
		read_text(AT_FDCWD, "/proc/cmdline", text, sizeof(text));
		found = preempt_by_boot(text);
	}
	if (!found)
		found = by_config_file(name.release);
	return found == PREEMPT_INSIDE;
}
