/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>
#include <linux/mount.h>

#include "base/util.h"
#include "script/formats.h"

#define FIELDS_MAX 256 /* of one event */

/* --- tracefs --- */

/* A directory is tracefs or not, whatever its name is. */
static int open_tracefs(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;
	struct statfs fs;

	if (fd < 0)
		return -errno;
	if (!fstatfs(fd, &fs) && fs.f_type == TRACEFS_MAGIC)
		return fd;
	err = errno ? -errno : -ENOENT;
	close(fd);
	return err < 0 ? err : -ENOENT;
}

/* For us alone, and nowhere: it is gone when its descriptor is. Linux 5.2. */
static int mount_tracefs(void)
{
	int context = syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC), fd = -1, err;

	if (context < 0)
		return -errno;
	if (!syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	err = errno;
	close(context);
	return fd < 0 ? -err : fd;
}

int tracefs_open(void)
{
	static const char *const places[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		int fd = open_tracefs(places[i]);

		if (fd >= 0)
			return fd;
	}
	return mount_tracefs();
}

char *tracefs_read(struct arena *arena, int dir, const char *path, size_t max)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC), err = 0;
	size_t size = 4096, len = 0;
	char *text, *copy = NULL;
	ssize_t n = 0;

	if (fd < 0)
		return NULL;
	text = malloc(size);
	while (text && len < max && (n = read(fd, text + len, size - len - 1)) > 0) {
		len += n;
		if (size - len > 1)
			continue;
		copy = realloc(text, size *= 2);
		if (!copy)
			break;
		text = copy;
	}
	if (n < 0 || !text)
		err = errno;
	if (text && n >= 0)
		copy = arena_strndup(arena, text, len < max ? len : max);
	free(text);
	close(fd);
	errno = err;
	return err ? NULL : copy;
}

/* --- lines --- */

/* The number behind @key in what is left of a line. */
static bool number_behind(const char *at, const char *end, const char *key, uint32_t *value)
{
	const char *found = memmem(at, end - at, key, strlen(key));
	uint64_t n = 0;

	if (!found)
		return false;
	found += strlen(key);
	if (found == end || *found < '0' || *found > '9')
		return false;
	for (; found < end && *found >= '0' && *found <= '9'; found++) {
		n = n * 10 + (*found - '0');
		if (n > UINT32_MAX)
			return false;
	}
	*value = n;
	return true;
}

/* "	field:char prev_comm[16];	offset:8;	size:16;	signed:0;" */
static bool parse_line(const char *line, const char *end, struct format_field *f)
{
	const char *field = memmem(line, end - line, "field:", 6), *stop;
	uint32_t is_signed = 0;

	if (!field)
		return false;
	for (const char *p = line; p < field; p++)
		if (*p != ' ' && *p != '\t')
			return false;
	field += strlen("field:");
	stop = memchr(field, ';', end - field);
	if (!stop || stop == field || !number_behind(stop, end, "\toffset:", &f->offset) ||
	    !number_behind(stop, end, "\tsize:", &f->size))
		return false;
	number_behind(stop, end, "\tsigned:", &is_signed); /* very old kernels don't say */
	f->declaration = field;
	f->length = stop - field;
	f->is_signed = is_signed;
	return true;
}

void format_each_field(const char *text, void (*fn)(void *ctx, const struct format_field *f),
		       void *ctx)
{
	struct format_field f = { .is_common = true };
	bool any = false;

	for (const char *line = text; *line;) {
		const char *end = strchrnul(line, '\n');

		if (!strncmp(line, "print fmt:", 10))
			break;
		if (parse_line(line, end, &f)) {
			any = true;
			fn(ctx, &f);
		} else if (any && line == end) {
			f.is_common = false; /* behind the empty line */
		}
		line = *end ? end + 1 : end;
	}
}

bool format_id(const char *text, uint64_t *id)
{
	const char *line = text;
	char *end;

	while (line && strncmp(line, "ID: ", 4)) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (!line || line[4] < '0' || line[4] > '9')
		return false;
	errno = 0;
	*id = strtoull(line + 4, &end, 10);
	return !errno && (*end == '\n' || !*end);
}

/* --- declarations --- */

/* The integers that a record may point to or hold, where the format's size is not theirs. */
static const struct {
	const char *name;
	uint8_t size;
	bool is_signed;
} integers[] = {
	{ "char", 1, true },
	{ "signed char", 1, true },
	{ "unsigned char", 1, false },
	{ "u8", 1, false },
	{ "__u8", 1, false },
	{ "uint8_t", 1, false },
	{ "s8", 1, true },
	{ "__s8", 1, true },
	{ "bool", 1, false },
	{ "short", 2, true },
	{ "unsigned short", 2, false },
	{ "u16", 2, false },
	{ "__u16", 2, false },
	{ "uint16_t", 2, false },
	{ "__be16", 2, false },
	{ "__le16", 2, false },
	{ "s16", 2, true },
	{ "umode_t", 2, false },
	{ "int", 4, true },
	{ "signed int", 4, true },
	{ "unsigned int", 4, false },
	{ "unsigned", 4, false },
	{ "u32", 4, false },
	{ "__u32", 4, false },
	{ "uint32_t", 4, false },
	{ "__be32", 4, false },
	{ "__le32", 4, false },
	{ "s32", 4, true },
	{ "__s32", 4, true },
	{ "pid_t", 4, true },
	{ "uid_t", 4, false },
	{ "gid_t", 4, false },
	{ "qid_t", 4, false },
	{ "key_t", 4, true },
	{ "key_serial_t", 4, true },
	{ "mqd_t", 4, true },
	{ "timer_t", 4, true },
	{ "clockid_t", 4, true },
	{ "rwf_t", 4, true },
	{ "dev_t", 4, false },
	{ "gfp_t", 4, false },
	{ "long", 8, true },
	{ "unsigned long", 8, false },
	{ "long long", 8, true },
	{ "unsigned long long", 8, false },
	{ "u64", 8, false },
	{ "__u64", 8, false },
	{ "uint64_t", 8, false },
	{ "s64", 8, true },
	{ "__s64", 8, true },
	{ "size_t", 8, false },
	{ "ssize_t", 8, true },
	{ "off_t", 8, true },
	{ "loff_t", 8, true },
	{ "sector_t", 8, false },
	{ "aio_context_t", 8, false },
};

struct reader {
	struct types *types;
	struct arena *arena;
	struct btf_types *btf;
	enum space space; /* of pointers */
	bool is_syscall;
	struct field fields[FIELDS_MAX + 1];
	size_t nr;
	uint32_t size;
	uint32_t room;
};

static const struct type *integer(struct reader *r, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(integers); i++)
		if (!strcmp(integers[i].name, name))
			return type_int(r->types, integers[i].size, integers[i].is_signed);
	return NULL;
}

static bool is_word(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

static void cut_end(char *text)
{
	size_t len = strlen(text);

	while (len && text[len - 1] == ' ')
		text[--len] = '\0';
}

/* Takes a word off the front where it stands there. */
static bool take_word(char **text, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*text, word, len) || is_word((*text)[len]))
		return false;
	*text += len;
	*text += strspn(*text, " ");
	return true;
}

/* ... and off the end. */
static bool take_last(char *text, const char *word)
{
	size_t len = strlen(text), n = strlen(word);

	if (len < n || strcmp(text + len - n, word) || (len > n && is_word(text[len - n - 1])))
		return false;
	text[len - n] = '\0';
	cut_end(text);
	return true;
}

static void drop_qualifiers(char **text)
{
	bool any;

	cut_end(*text);
	do {
		any = take_word(text, "const") || take_word(text, "volatile") ||
		      take_word(text, "__user") || take_last(*text, "const") ||
		      take_last(*text, "__user") || take_last(*text, "__rcu");
	} while (any);
}

/* The type that the text of a declaration without its name says. NULL: it is not known. */
static const struct type *type_of_text(struct reader *r, char *text, int depth)
{
	const struct type *found;
	char *star;

	drop_qualifiers(&text);
	star = strrchr(text, '*');
	if (star && !star[1]) {
		*star = '\0';
		found = depth ? type_of_text(r, text, depth - 1) : NULL;
		return type_pointer(r->types, found ? found : type_void(r->types), r->space);
	}
	if (take_word(&text, "struct"))
		return text[0] ? btf_type_later(r->btf, "struct", text) : NULL;
	if (take_word(&text, "union"))
		return text[0] ? btf_type_later(r->btf, "union", text) : NULL;
	if (take_word(&text, "enum")) /* the kernel's have 4 bytes; BTF is asked when it is shown */
		return type_intern(r->types, &(struct type){ .kind = TYPE_ENUM,
							     .size = 4,
							     .align = 4,
							     .name = arena_strdup(r->arena, text),
							     .btf = r->btf });
	if (!strcmp(text, "bool"))
		return type_bool(r->types);
	if (!strcmp(text, "void"))
		return type_void(r->types);
	return integer(r, text);
}

/* A scalar of its size in the record. */
static const struct type *scalar(struct reader *r, const struct type *type,
				 const struct format_field *f)
{
	uint32_t size = f->size;

	if (type && type->kind == TYPE_POINTER && size == 8)
		return type;
	if (type && type->kind == TYPE_BOOL && size == 1)
		return type;
	if (type && type->kind == TYPE_ENUM && size == type->size)
		return type;
	if (size != 1 && size != 2 && size != 4 && size != 8)
		return type_array(r->types, type_int(r->types, 1, false), size);
	/* The kernel takes no more of a register than the argument's type has. */
	if (r->is_syscall && type && type->kind == TYPE_INT && type->size <= size)
		return type;
	return type_int(r->types, size, f->is_signed);
}

/* "name[16]": how many there are is said by the size, for the text may have a macro there. */
static const struct type *array(struct reader *r, const struct type *of, const char *count,
				const struct format_field *f)
{
	uint32_t n = strtoul(count, NULL, 10);

	if (!of || !of->size || f->size % of->size) {
		uint32_t size = n && !(f->size % n) ? f->size / n : 1;

		size = size == 2 || size == 4 || size == 8 ? size : 1;
		of = type_int(r->types, size, f->is_signed);
	}
	if (of->kind == TYPE_INT && of->size == 1 && of->is_signed && f->size == 16)
		return type_of_kind(r->types, TYPE_COMM);
	return type_array(r->types, of, f->size / of->size);
}

/* What stands elsewhere in the record. */
static const struct type *located(struct reader *r, const struct type *of)
{
	if (!of || !of->size)
		of = type_int(r->types, 1, false);
	if (of->kind == TYPE_INT && of->size == 1 && of->is_signed)
		return type_string(r->types, r->room);
	return type_array(r->types, of, 0);
}

/* Splits "unsigned long args[6]" or "__data_loc char[] name". Returns the name; *@count is what
 * stood in brackets, NULL: nothing. NULL: it is no declaration. */
static char *split(char *text, char **count)
{
	size_t len, name;
	char *bracket;

	*count = NULL;
	cut_end(text);
	len = strlen(text);
	if (len && text[len - 1] == ']') {
		bracket = strrchr(text, '[');
		if (!bracket)
			return NULL;
		text[len - 1] = '\0';
		*count = bracket + 1;
		*bracket = '\0';
		cut_end(text);
		len = strlen(text);
	}
	for (name = len; name && is_word(text[name - 1]); name--)
		;
	if (name == len || !name)
		return NULL;
	bracket = text + name; /* the name itself ends the text */
	return bracket;
}

static const struct type *declared(struct reader *r, char *text, char *name, char *count,
				   const struct format_field *f, struct field *field)
{
	const struct type *type;
	char *bracket;

	name[-1] = name[-1] == ' ' ? '\0' : name[-1]; /* "char *name" keeps its star */
	if (name[-1])
		name[0] = '\0';
	field->data_loc = take_word(&text, "__data_loc");
	field->rel_loc = !field->data_loc && take_word(&text, "__rel_loc");
	if (field->data_loc || field->rel_loc) {
		bracket = strchr(text, '[');
		if (bracket)
			*bracket = '\0';
	}
	type = type_of_text(r, text, 4);
	if (field->data_loc || field->rel_loc)
		return located(r, type);
	return count ? array(r, type, count, f) : scalar(r, type, f);
}

static void add_field(void *ctx, const struct format_field *f)
{
	struct reader *r = ctx;
	char text[256], *name, *count;
	struct field *field = &r->fields[r->nr];

	if (r->nr == FIELDS_MAX || f->length >= sizeof(text) || !f->size || f->size > 65536 ||
	    f->offset > 65536)
		return;
	memcpy(text, f->declaration, f->length);
	text[f->length] = '\0';
	name = split(text, &count);
	if (!name)
		return;
	*field = (struct field){ .name = arena_strdup(r->arena, name), .offset = f->offset };
	field->type = declared(r, text, name, count, f, field);
	if ((field->data_loc || field->rel_loc) && f->size != 4)
		return;
	if (f->offset + f->size > r->size)
		r->size = f->offset + f->size;
	r->nr++;
}

const struct type *format_record(struct types *types, struct arena *arena, struct btf_types *btf,
				 const char *category, const char *name, const char *text,
				 uint32_t room)
{
	struct type record = { .kind = TYPE_RECORD, .align = 8 };
	struct reader r;

	r.types = types;
	r.arena = arena;
	r.btf = btf;
	r.is_syscall = !strcmp(category, "syscalls");
	r.space = r.is_syscall ? SPACE_USER : SPACE_KERNEL;
	r.nr = 0;
	r.size = 0;
	r.room = room;
	format_each_field(text, add_field, &r);
	record.name = arena_printf(arena, "_tracepoint_%s_%s", category, name);
	record.fields = r.fields;
	record.nr_fields = r.nr;
	record.size = (r.size + 7) & ~7u;
	return type_intern(types, &record);
}
