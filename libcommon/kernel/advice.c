/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <linux/capability.h>
#include <bpf/libbpf.h>

#include "base/line.h"
#include "base/msg.h"
#include "base/number.h"
#include "kernel/advice.h"
#include "kernel/btf.h"

#define OWN_STATUS     "/proc/self/status"
#define INITIAL_USERNS 0xEFFFFFFDU /* its inode: PROC_USER_INIT_INO of the kernel, since 3.8 */

bool advice_capabilities(void)
{
	uint64_t caps = ~0ULL;
	struct stat st;

	number_field(OWN_STATUS, "CapEff", 16, &caps); /* not to be had: then loading tells */

	if (!stat("/proc/self/ns/user", &st) && st.st_ino != INITIAL_USERNS) {
		error("needs CAP_BPF and CAP_PERFMON of the initial user namespace, and this is "
		      "another one (a rootless container?): run it outside, as root");
		return false;
	}
	if (caps >> CAP_SYS_ADMIN & 1)
		return true;
	if (!(caps >> CAP_BPF & 1) || !(caps >> CAP_PERFMON & 1)) {
		error("needs the capabilities CAP_BPF and CAP_PERFMON (%s missing): run it as "
		      "root, with sudo",
		      !(caps >> CAP_BPF & 1)
			      ? (!(caps >> CAP_PERFMON & 1) ? "both are" : "CAP_BPF is")
			      : "CAP_PERFMON is");
		return false;
	}
	return true;
}

/* Is this kernel locked down so far that programs may not read its memory? (In the other mode,
 * integrity, which comes with Secure Boot, they may.) The verifier then knows no such function. */
static bool is_locked_down(void)
{
	char text[64];

	return strstr(line_first("/sys/kernel/security/lockdown", text, sizeof(text)),
		      "[confidentiality]");
}

void advice_load(int err, const char *program)
{
	uint64_t seccomp = 0;
	struct utsname u;

	number_field(OWN_STATUS, "Seccomp", 10, &seccomp);
	uname(&u);
	if (err == -EMFILE)
		error("too many open files: raise the limit (ulimit -n)");
	else if (err == -ENOSYS)
		error("there is no bpf(2): a seccomp filter, as containers have, hides it, or the "
		      "kernel is built without CONFIG_BPF_SYSCALL");
	else if (err == -EPERM && !program[0] && seccomp)
		error("the kernel does not let us make BPF maps: the seccomp filter of this "
		      "container has to grant bpf(2), and before Linux 5.11 RLIMIT_MEMLOCK has to "
		      "be raised (ulimit -l unlimited)");
	else if (err == -EPERM && !program[0])
		error("the kernel does not let us make BPF maps: on kernels before 5.11 raise "
		      "RLIMIT_MEMLOCK (ulimit -l unlimited)");
	else if (err == -EPERM || (program[0] && is_locked_down()))
		error("the kernel refuses program %s: is it locked down? (see "
		      "/sys/kernel/security/lockdown)",
		      program);
	else if (err == -ENOMEM)
		error("not enough kernel memory for this tool's maps");
	else if (program[0])
		error("kernel %s refuses program %s (%s): -v shows the verifier's log", u.release,
		      program, strerror(-err));
	else
		error("cannot load into kernel %s (%s): -v shows why", u.release, strerror(-err));
}

void advice_btf(const char *btf, int err)
{
	const char *file = btf ? btf : BTF_KERNEL;

	if (err == -ENOENT && !btf && access("/sys/kernel", F_OK))
		error("/sys is empty here: mount -t sysfs none /sys");
	else if (err == -ENOENT && !btf)
		error(BTF_KERNEL
		      " is missing: it takes a kernel with CONFIG_DEBUG_INFO_BTF, or its "
		      "BTF by --btf FILE");
	else if (err == -EINVAL)
		error("%s is not raw BTF: it takes a file like " BTF_KERNEL, file);
	else
		error("cannot read BTF from %s: %s", file, strerror(-err));
}

static char failed_program[64];

/* May this user know where the kernel's code and data lie? (kallsyms_show_value() of the kernel) */
static bool may_know_addresses(void)
{
	uint64_t caps = 0;

	return !number_field(OWN_STATUS, "CapEff", 16, &caps) && (caps >> CAP_SYSLOG & 1);
}

/* Makes all that may be an address of the kernel unreadable: the verifier's log has those of maps
 * for who has CAP_PERFMON (allow_ptr_leaks), as a tool with capabilities on its file does. */
static void mask_addresses(char *text)
{
	size_t len;

	for (char *at = text; *at; at += len ? len : 1) {
		len = strspn(at, "0123456789abcdefABCDEF");
		if (len >= 16 && !strncasecmp(at + len - 16, "ffff", 4))
			memset(at + len - 12, 'x', 12);
	}
}

static void print_lines(const char *fmt, va_list args)
{
	char *text;

	if (vasprintf(&text, fmt, args) < 0)
		return;
	if (!may_know_addresses())
		mask_addresses(text);
	msg_foreign(text);
	free(text);
}

static int print_libbpf(enum libbpf_print_level level, const char *fmt, va_list args)
{
	if (level == LIBBPF_WARN) {
		char line[256];
		const char *at, *end;
		va_list copy;

		/* "prog 'NAME': BPF program load failed: ..." */
		va_copy(copy, args);
		vsnprintf(line, sizeof(line), fmt, copy);
		va_end(copy);
		at = strstr(line, "prog '");
		end = at ? strchr(at + 6, '\'') : NULL;
		if (end && strstr(end, "fail"))
			snprintf(failed_program, sizeof(failed_program), "%.*s",
				 (int)(end - at - 6), at + 6);
	}
	if (msg_verbose && level != LIBBPF_DEBUG)
		print_lines(fmt, args);
	return 0;
}

void advice_listen(void)
{
	failed_program[0] = '\0';
	libbpf_set_print(print_libbpf);
}

const char *advice_failed_program(void)
{
	return failed_program;
}
