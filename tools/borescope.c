/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * borescope: the front door. It lists the tools by their questions, runs them, shows their pages,
 * and says what each would see here (doctor). It has no programs for the kernel itself.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/status.h"
#include "base/util.h"
#include "run/complete.h"
#include "run/doctor.h"

/* From man/borescope.7 (man/questions), in its order. */
static const struct {
	const char *tool, *question;
} questions[] = {
#include "questions.inc"
};

/* From tools/links. */
static const struct {
	const char *name, *tool;
} links[] = {
#include "links.inc"
};

/* What stands before and behind the names of programs and pages where they are installed. */
static const char *const affixes[] = {
#include "affixes.inc"
};

#define WIDTH	   80
#define NAME_WIDTH 12

/* --- where the tools are ------------------------------------------------------------------ */

static const char *tool_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++)
		if (!strcmp(questions[i].tool, name))
			return name;
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (!strcmp(links[i].name, name))
			return links[i].tool;
	return NULL;
}

static const char *called(const char *name)
{
	static char text[NAME_MAX];

	snprintf(text, sizeof(text), "%s%s%s", affixes[0], name, affixes[1]);
	return text;
}

/* This program is all tools at once: packaging/multicall.c says so, which make static builds. */
bool borescope_is_all_in_one(void);
__attribute__((weak)) bool borescope_is_all_in_one(void)
{
	return false;
}

/* In the directory of this very program, by the name that it has where it is installed, or as it
 * was built. False: it is not there. */
static bool find_beside(const char *name, char path[PATH_MAX])
{
	const char *names[] = { called(name), name };
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - NAME_MAX - 1);
	char *end;

	if (len <= 0)
		return false;
	path[len] = '\0';
	if (borescope_is_all_in_one())
		return true;
	end = strrchr(path, '/') + 1;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(end, NAME_MAX, "%s", names[i]);
		if (!access(path, X_OK))
			return true;
	}
	return false;
}

/* In the directories of PATH. What is there by the plain name may be another project's. */
static bool find_in_path(const char *name, char path[PATH_MAX])
{
	const char *at = getenv("PATH");

	for (size_t len; at && *at; at += len + (at[len] == ':')) {
		len = strcspn(at, ":");
		if (snprintf(path, PATH_MAX, "%.*s/%s", (int)len, at, called(name)) < PATH_MAX &&
		    *at == '/' && !access(path, X_OK))
			return true;
	}
	return false;
}

/* False after saying that it is not there. */
static bool find(const char *name, char path[PATH_MAX])
{
	if (find_beside(name, path) || find_in_path(name, path))
		return true;
	error("%s is neither beside this program nor in PATH", called(name));
	return false;
}

static int unknown(const char *name)
{
	error("there is no tool '%s': borescope list shows them all", name);
	return STATUS_USAGE;
}

/* Becomes the tool. It is called "borescope TOOL", whatever its file is called: the word TOOL is
 * what one with several names chooses by, and all of it what it calls itself (base/called.h). */
static int become(const char *name, char **argv)
{
	char path[PATH_MAX], title[NAME_MAX];

	if (!tool_of(name))
		return unknown(name);
	if (!find(name, path))
		return STATUS_FAILED;
	snprintf(title, sizeof(title), "borescope %s", name);
	argv[0] = title;
	execv(path, argv);
	error("cannot run %s: %s", path, strerror(errno));
	return STATUS_FAILED;
}

/* --- texts -------------------------------------------------------------------------------- */

/* How many bytes of @text are the sentences that fit into @room columns. */
static int sentences(const char *text, int room)
{
	int fits = 0;

	for (int i = 1; text[i - 1]; i++)
		if ((!text[i] || text[i] == ' ') && strchr("?.", text[i - 1]) && i <= room)
			fits = i;
	return fits;
}

static int list(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		const char *like = "like it: ";

		printf("%-*s%.*s\n", NAME_WIDTH, questions[i].tool,
		       sentences(questions[i].question, WIDTH - NAME_WIDTH), questions[i].question);
		for (size_t k = 0; k < ARRAY_SIZE(links); k++) {
			if (strcmp(links[k].tool, questions[i].tool))
				continue;
			printf("%*s%s%s", *like == 'l' ? NAME_WIDTH : 0, "", like, links[k].name);
			like = ", ";
		}
		if (*like == ',')
			printf("\n");
	}
	return STATUS_OK;
}

static const struct opt options[] = {
	OPT('h', "help", .help = "show this"),
	OPT('V', "version", .help = "show the version"),
};
static const struct opt doctor_options[] = {
	OPT('j', "json", .help = "one JSON object a line"),
};
static const struct {
	const char *name, *args, *about;
} commands[] = {
	{ "list", "", "the tools, each with the question that it answers (also without anything)" },
	{ "help", "[TOOL]", "the page of a tool, or which tool answers which question" },
	{ "doctor", "[-j] [TOOL...]", "what the kernel grants here, and what each tool would see" },
};

static int help(void)
{
	printf("borescope: looks into a running kernel, by one tool for each question\n\n"
	       "usage: borescope TOOL [ARGUMENTS]    run a tool\n"
	       "       borescope COMMAND\n\nCommands:\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %s %s\n      %s\n", commands[i].name, commands[i].args,
		       commands[i].about);
	printf("\nOptions:\n"
	       "  -h, --help                show this\n"
	       "  -V, --version             show the version\n\n"
	       "Examples:\n"
	       "  borescope                           which tools there are\n"
	       "  borescope biolatency 5 1            are the disks slow?\n"
	       "  borescope help biolatency           what does it say there?\n"
	       "  borescope doctor                    what works here, and for this user?\n"
	       "\nThe manual: man 8 borescope\n");
	return STATUS_OK;
}

/* man(1), or where there is none what the tool itself says. */
static int show_page(const char *name)
{
	char *tool_help[] = { NULL, (char *)"--help", NULL };

	if (name && !tool_of(name))
		return unknown(name);
	if (name)
		execlp("man", "man", "8", called(name), NULL);
	else
		execlp("man", "man", "7", "borescope", NULL);
	if (errno != ENOENT) {
		error("cannot run man: %s", strerror(errno));
		return STATUS_FAILED;
	}
	return name ? become(name, tool_help) : help();
}

/* --- doctor ------------------------------------------------------------------------------- */

struct doctored {
	char paths[ARRAY_SIZE(questions)][PATH_MAX];
	struct doctor_tool tools[ARRAY_SIZE(questions)];
	size_t nr;
};

/* Returns GO_ON, or the status to exit with after printing why. */
static int add_tool(struct doctored *d, const char *name)
{
	char *path;

	if (!tool_of(name))
		return unknown(name);
	if (d->nr == ARRAY_SIZE(d->tools)) {
		error("doctor takes at most %zu tools", d->nr);
		return STATUS_USAGE;
	}
	path = d->paths[d->nr];
	d->tools[d->nr].name = name;
	d->tools[d->nr].path = find_beside(name, path) || find_in_path(name, path) ? path : NULL;
	d->nr++;
	return GO_ON;
}

static int doctor(char **argv)
{
	static struct doctored d;
	bool json = false;
	int status = GO_ON;

	for (; status == GO_ON && *argv; argv++) {
		if (!strcmp(*argv, "-j") || !strcmp(*argv, "--json")) {
			json = true;
		} else if (**argv == '-') {
			error("doctor has no option %s: see borescope --help", *argv);
			return STATUS_USAGE;
		} else {
			status = add_tool(&d, *argv);
		}
	}
	if (!d.nr && status == GO_ON)
		for (size_t i = 0; i < ARRAY_SIZE(questions); i++)
			add_tool(&d, questions[i].tool);
	return status == GO_ON ? (int)doctor_examine(d.tools, d.nr, json) : status;
}

/* --- what it is to do --------------------------------------------------------------------- */

static void offer_tools(struct offers *o)
{
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++)
		offers_add(o, questions[i].tool, questions[i].question);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		offers_add(o, links[i].name, NULL);
}

/* In the place of a command, all that may stand there; behind a tool, what that itself offers. */
static void offer_commands(struct offers *o, int argc, char **argv)
{
	const struct complete doctors = { .options = doctor_options,
					  .nr = ARRAY_SIZE(doctor_options) };

	if (argc <= 1) {
		for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
			offers_add(o, commands[i].name, commands[i].about);
		offer_tools(o);
	} else if (!strcmp(argv[0], "doctor") && *o->typed == '-') {
		complete_print(&doctors, 1, argv + argc - 1);
	} else if (!strcmp(argv[0], "help") || !strcmp(argv[0], "doctor")) {
		offer_tools(o);
	} else if (tool_of(argv[0])) {
		char path[PATH_MAX];
		char **ask = calloc(argc + 2, sizeof(*ask));

		if (!ask || !find_beside(argv[0], path))
			return;
		ask[0] = argv[0];
		ask[1] = (char *)"--complete";
		memcpy(ask + 2, argv + 1, (argc - 1) * sizeof(*ask));
		execv(path, ask);
		free(ask);
	}
}

static int complete(int argc, char **argv)
{
	const struct complete c = {
		.options = options,
		.nr = ARRAY_SIZE(options),
		.rest = offer_commands,
		.options_first = true,
	};

	complete_print(&c, argc, argv);
	return STATUS_OK;
}

static int too_many(const char *word)
{
	error("argument '%s' is one too many: see borescope --help", word);
	return STATUS_USAGE;
}

static int version(void)
{
	printf("borescope %s\n", BORESCOPE_VERSION);
	return STATUS_OK;
}

/* @argv: what follows the program's name; there is a first word. */
static int obey(int argc, char **argv)
{
	const char *word = argv[0];

	if (!strcmp(word, "--complete"))
		return complete(argc - 1, argv + 1);
	if (!strcmp(word, "-h") || !strcmp(word, "--help"))
		return help();
	if (!strcmp(word, "-V") || !strcmp(word, "--version"))
		return version();
	if (!strcmp(word, "list"))
		return argc > 1 ? too_many(argv[1]) : list();
	if (!strcmp(word, "help"))
		return argc > 2 ? too_many(argv[2]) : show_page(argv[1]);
	if (!strcmp(word, "doctor"))
		return doctor(argv + 1);
	if (*word == '-') {
		error("there is no option %s: see borescope --help", word);
		return STATUS_USAGE;
	}
	return become(word, argv);
}

int main(int argc, char **argv)
{
	int status;

	msg_init("borescope");
	status = argc > 1 ? obey(argc - 1, argv + 1) : list();
	if ((!fflush(stdout) && !ferror(stdout)) || errno == EPIPE)
		return status;
	error("cannot write: %s", strerror(errno));
	return STATUS_FAILED;
}
