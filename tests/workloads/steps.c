/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * steps STEP ...: does these, in their order, as often as a number in front of a '*' says, and
 * nothing else but what it takes to say so: one write, and exit_group. So a test knows what there
 * was: "5*lseek:100" is five times lseek(fd, 100, SEEK_SET). Prints pid, and how many steps there
 * were.
 *
 *	lseek:OFFSET	of a file of its own; below 0 it fails (EINVAL)
 *	write:BYTES	to /dev/null
 *	read:BYTES	of /dev/zero
 *	getppid
 *	open:PATH	an openat, of whatever there is
 *	nanosleep:NS
 *	add:A:B		a call of step_add(A, B), which returns the sum
 *	text:TEXT	a call of step_text(TEXT), which returns its length
 *	point:A:B	a call of step_point() with a struct step_point { A, B, { 1, 2, 3 },
 *			"a point" }
 *	probe:A:B	a USDT probe, steps:probe, with two arguments; and steps:guarded, which
 *			has a semaphore
 *	marked		a call of marked(), which begins with the mark of where jumps may go,
 *			endbr64, and has no frame
 *	malloc:BYTES	and free
 *	touch:PAGES	page faults, one for each
 *	name:COMM	calls itself so
 *	doze:DEPTH:NS	a call of step_doze(DEPTH, NS), which sleeps, calls itself with a DEPTH that
 *			is less by one, down to 1, and returns how deep it went
 *	leap:DEPTH	a call of step_leap(DEPTH), which does so, too, and is left by longjmp()
 *	threads:T:N	on each of T threads at the same time N calls of step_add(1, 2) and getppid
 */
#include <pthread.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "workload.h"

/* Functions that are there, with frame pointers, for whoever looks for them. */
#define FUNCTION __attribute__((noinline, noclone, used))

struct step_point {
	int x, y;
	unsigned short parts[3];
	char name[16];
};

long step_add(long a, long b);
FUNCTION long step_add(long a, long b)
{
	__asm__ volatile("" ::: "memory");
	return a + b;
}

long step_text(const char *text);
FUNCTION long step_text(const char *text)
{
	__asm__ volatile("" ::: "memory");
	return strlen(text);
}

int step_point(const struct step_point *point);
FUNCTION int step_point(const struct step_point *point)
{
	__asm__ volatile("" ::: "memory");
	return point->x - point->y;
}

long step_doze(long depth, long ns);
FUNCTION __attribute__((optimize("no-optimize-sibling-calls"))) long step_doze(long depth, long ns)
{
	const struct timespec ts = { ns / 1000000000, ns % 1000000000 };

	syscall(SYS_nanosleep, &ts, NULL);
	return depth > 1 ? 1 + step_doze(depth - 1, ns) : 1;
}

static jmp_buf landing;

long step_leap(long depth);
FUNCTION __attribute__((optimize("no-optimize-sibling-calls"))) long step_leap(long depth)
{
	if (depth < 1)
		return 0;
	if (depth == 1)
		longjmp(landing, 1);
	return 1 + step_leap(depth - 1);
}

/*
 * A USDT probe is a nop, and a note that says where it is, its names, the address of its semaphore
 * and where its arguments are: "-8@" and an operand of the assembler, each 8 bytes and signed. The
 * byte in .stapsdt.base is what addresses were counted from at link time.
 */
#define PROBE(name, semaphore, a, b)                                                               \
	__asm__ volatile("1:\tnop\n"                                                               \
			 "\t.pushsection .note.stapsdt, \"\", \"note\"\n"                          \
			 "\t.balign 4\n"                                                           \
			 "\t.4byte 3f - 2f, 5f - 4f, 3\n"                                          \
			 "2:\t.asciz \"stapsdt\"\n"                                                \
			 "3:\t.balign 4\n"                                                         \
			 "4:\t.8byte 1b, _.stapsdt.base, " semaphore "\n"                          \
			 "\t.asciz \"steps\"\n"                                                    \
			 "\t.asciz \"" name "\"\n"                                                 \
			 "\t.asciz \"-8@%0 -8@%1\"\n"                                              \
			 "5:\t.balign 4\n"                                                         \
			 "\t.popsection\n"                                                         \
			 "\t.ifndef _.stapsdt.base\n"                                              \
			 "\t.pushsection .stapsdt.base, \"aG\", \"progbits\", .stapsdt.base, "     \
			 "comdat\n"                                                                \
			 "\t.weak _.stapsdt.base\n"                                                \
			 "\t.hidden _.stapsdt.base\n"                                              \
			 "_.stapsdt.base:\t.space 1\n"                                             \
			 "\t.popsection\n"                                                         \
			 "\t.endif\n" ::"r"(a),                                                    \
			 "r"(b))

/* Who looks at the probe counts up here. */
unsigned short step_semaphore __attribute__((section(".probes"), used));

void step_probe(long a, long b);
FUNCTION void step_probe(long a, long b)
{
	PROBE("probe", "0", a, b);
	if (*(volatile unsigned short *)&step_semaphore)
		PROBE("guarded", "step_semaphore", a + b, a - b);
}

void marked(void);
__asm__(".text\n"
	".globl marked\n"
	".type marked, %function\n"
	"marked:\n"
#ifdef __x86_64__
	"\tendbr64\n"
#endif
	"\tret\n"
	".size marked, . - marked\n");

/* For who reads the memory of this program. */
unsigned int step_marker = 0x12345678;
unsigned char step_small = 0xab;

struct step {
	const char *kind, *text;
	long times, a, b;
};

static int file, null, zero;
static volatile long result;

static void *run_thread(void *step)
{
	for (long i = 0; i < ((struct step *)step)->b; i++) {
		step_add(1, 2);
		syscall(SYS_getppid);
	}
	return NULL;
}

static void run_threads(struct step *s)
{
	pthread_t threads[16];

	for (long i = 0; i < s->a; i++)
		if ((errno = pthread_create(&threads[i], NULL, run_thread, s)))
			die("pthread_create");
	for (long i = 0; i < s->a; i++)
		pthread_join(threads[i], NULL);
}

static void touch(long pages)
{
	size_t page = getpagesize();
	volatile char *at = mmap(NULL, pages * page, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		die("mmap");
	if (madvise((void *)at, pages * page, MADV_NOHUGEPAGE) && errno != EINVAL)
		die("madvise");
	for (long i = 0; i < pages; i++)
		at[i * page] = 1;
}

/* A write or a read of some bytes, whatever they are. */
static void transfer(const struct step *s)
{
	static char buffer[1 << 20];

	if ((size_t)s->a > sizeof(buffer))
		die("too many bytes");
	if (s->kind[0] == 'w')
		result = syscall(SYS_write, null, buffer, s->a);
	else
		result = syscall(SYS_read, zero, buffer, s->a);
}

/* With a frame, which a function that calls none may do without. */
void make_call(const struct step *s);
FUNCTION __attribute__((optimize("no-omit-frame-pointer", "no-optimize-sibling-calls"))) void
make_call(const struct step *s)
{
	const struct step_point point = { s->a, s->b, { 1, 2, 3 }, "a point" };

	if (s->kind[0] == 'a')
		result = step_add(s->a, s->b);
	else if (!strcmp(s->kind, "doze"))
		result = step_doze(s->a, s->b);
	else if (!strcmp(s->kind, "leap"))
		result = setjmp(landing) ? 0 : step_leap(s->a);
	else if (!strcmp(s->kind, "probe"))
		step_probe(s->a, s->b);
	else if (s->kind[0] == 't')
		result = step_text(s->text);
	else if (s->kind[0] == 'm')
		marked();
	else
		result = step_point(&point);
}

static void run(struct step *s)
{
	const struct timespec ns = { s->a / 1000000000, s->a % 1000000000 };
	const char *kind = s->kind;
	void *volatile memory;

	if (!strcmp(kind, "lseek")) {
		result = syscall(SYS_lseek, file, s->a, SEEK_SET);
	} else if (!strcmp(kind, "write") || !strcmp(kind, "read")) {
		transfer(s);
	} else if (!strcmp(kind, "getppid")) {
		result = syscall(SYS_getppid);
	} else if (!strcmp(kind, "open")) {
		result = syscall(SYS_openat, AT_FDCWD, s->text, O_RDONLY | O_CLOEXEC);
		if (result >= 0)
			syscall(SYS_close, result);
	} else if (!strcmp(kind, "nanosleep")) {
		result = syscall(SYS_nanosleep, &ns, NULL);
	} else if (!strcmp(kind, "malloc")) {
		memory = malloc(s->a);
		free(memory);
	} else if (!strcmp(kind, "touch")) {
		touch(s->a);
	} else if (!strcmp(kind, "name")) {
		prctl(PR_SET_NAME, s->text);
	} else if (!strcmp(kind, "threads")) {
		run_threads(s);
	} else {
		make_call(s);
	}
}

/* "5*lseek:-3" */
static struct step parse(char *text)
{
	static const char known[] = " lseek write read getppid open nanosleep add text point probe "
				    "marked malloc touch name threads doze leap ";
	struct step s = { .times = 1 };
	char *star = strchr(text, '*'), *colon = strchr(text, ':'), word[32];

	if (star && (!colon || star < colon)) {
		*star = '\0';
		s.times = number(text);
		text = star + 1;
	}
	s.kind = text;
	s.text = "";
	if (colon) {
		*colon = '\0';
		s.text = colon + 1;
		s.a = strtol(s.text, &colon, 10);
		if (*colon == ':')
			s.b = strtol(colon + 1, NULL, 10);
	}
	snprintf(word, sizeof(word), " %s ", s.kind);
	if (!strstr(known, word))
		usage("STEP ...");
	return s;
}

int main(int argc, char **argv)
{
	struct step *steps = calloc(argc, sizeof(*steps));
	long done = 0, pid = getpid();
	char said[128];
	int len;

	if (argc < 2 || !steps)
		usage("STEP ...");
	for (int i = 1; i < argc; i++)
		steps[i] = parse(argv[i]);
	file = memfd_create("steps", MFD_CLOEXEC);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	wait_for_go();
	for (int i = 1; i < argc; i++)
		for (long k = 0; k < steps[i].times; k++, done++)
			run(&steps[i]);
	len = snprintf(said, sizeof(said), "pid=%ld\tdone=%ld\n", pid, done);
	_exit(write(STDOUT_FILENO, said, len) != len);
}
