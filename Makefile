# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# A new tool needs no line here: tools/NAME.c and bpf/NAME.bpf.c become build/bin/NAME. A tool's other
# names stand in tools/links. One without bpf/NAME.bpf.c makes its programs itself: bscope, of script/.
#
#   make [O=DIR] [V=1] [CC=clang] [CROSS_COMPILE=aarch64-linux-gnu-] [SANITIZE=1] [STATIC=1]
#        [LIBIBERTY=0] [VMLINUX_H=FILE] [SYSROOT=DIR]
#   make check | check-unit | check-native | check-vm [KERNEL=6.1] [DEAL=3] | check-types | check-cross
#   make fuzz [FUZZ_SECONDS=60]
#   make demo | bench | html | format | clean | cross-arm64
#   make install | uninstall [DESTDIR= prefix= PROGRAM_PREFIX= PROGRAM_SUFFIX=] | dist | static | static-arm64 | deb | rpm
#   make check-packages [PARTS='dist deb rpm static vm']

O ?= build
VERSION := $(shell cat VERSION)
prefix ?= /usr/local
sbindir ?= $(prefix)/sbin
datadir ?= $(prefix)/share
mandir ?= $(datadir)/man
docdir ?= $(datadir)/doc/borescope
# what to put around the tools' names: bpf-, or -borescope
PROGRAM_PREFIX ?=
PROGRAM_SUFFIX ?=
INSTALL ?= install

ifneq ($(CROSS_COMPILE),)
CC := $(CROSS_COMPILE)gcc
endif
# a root directory with the libraries and headers to build with, if not this machine's: made for CROSS_COMPILE's machine
ifneq ($(SYSROOT),)
CC += --sysroot=$(SYSROOT)
PKG_CONFIG := PKG_CONFIG_SYSROOT_DIR=$(SYSROOT) \
	PKG_CONFIG_LIBDIR=$(SYSROOT)/usr/lib/$(CROSS_COMPILE:-=)/pkgconfig:$(SYSROOT)/usr/share/pkgconfig pkg-config
endif
# What the compiler builds for, which need not be this machine, and the tools that go with it.
ARCH ?= $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
BPF_ARCH := $(patsubst x86_64,x86,$(patsubst i%86,x86,$(patsubst aarch64,arm64,$(ARCH))))
# musl-gcc comes alone.
CC_PREFIX := $(filter-out musl-,$(shell echo '$(firstword $(CC))' | sed -n 's/gcc\(-[0-9.]*\)\{0,1\}$$//p'))
ifeq ($(origin AR),default)
AR := $(CC_PREFIX)ar
endif
OBJCOPY ?= $(CC_PREFIX)objcopy
STRIP ?= $(CC_PREFIX)strip
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
PKG_CONFIG ?= $(CROSS_COMPILE)pkg-config
PYTHON ?= /usr/bin/python3
VMLINUX_H ?= vmlinux/vmlinux.h

comma := ,
ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n'
endif

# The same bytes wherever it is built: no path of this machine gets into an object, nor into BTF.
PREFIX_MAPS = -ffile-prefix-map=$(CURDIR)=. -ffile-prefix-map=$(O)/=build/
WARN := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wno-unused-parameter \
	-Wno-missing-field-initializers -Wno-gnu-variable-sized-type-not-at-end
CFLAGS ?= -O2 -g
LIBS := libbpf libelf zlib liblzma
comma := ,
# A tool carries of the library what it calls, and not what stands beside that in a file.
SECTIONS := -ffunction-sections -fdata-sections
ALL_CFLAGS = -std=gnu11 $(SECTIONS) -D_GNU_SOURCE -pthread $(WARN) -I. -Ilibcommon -Ibpf -I$(O)/skel -I$(O)/text -I$(O)/gen -DBORESCOPE_VERSION='"$(VERSION)"' \
	$(shell $(PKG_CONFIG) --cflags $(LIBS)) $(PREFIX_MAPS) $(CPPFLAGS) $(CFLAGS)
# libiberty, for demangle.c, is a static library without a pkg-config file. Without it names stay mangled.
ifneq ($(LIBIBERTY),0)
ALL_CFLAGS += -DHAVE_LIBIBERTY
IBERTY := -liberty
endif
ifeq ($(STATIC),1)
ALL_LDFLAGS = $(LDFLAGS) -Wl,--gc-sections -static
LDLIBS = $(IBERTY) $(shell $(PKG_CONFIG) --static --libs $(LIBS))
else
ALL_LDFLAGS = $(LDFLAGS) -Wl,--gc-sections
# A tool that names no addresses needs no liblzma.
LDLIBS = $(IBERTY) -Wl,--as-needed $(shell $(PKG_CONFIG) --libs $(LIBS))
endif
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
# Unit tests have them always, but with SANITIZE=0: where a build has no right to be traced, or no libasan.
UNIT_SANITIZERS := $(if $(filter 0,$(SANITIZE)),,$(SANITIZERS))
ifeq ($(SANITIZE),1)
ALL_CFLAGS += $(SANITIZERS)
ALL_LDFLAGS += $(SANITIZERS)
endif
BPF_CFLAGS = -g -O2 -mcpu=v3 -Wall -Wno-missing-declarations -target bpf -D__TARGET_ARCH_$(BPF_ARCH) -Ibpf \
	-Wno-gnu-variable-sized-type-not-at-end -I$(O)/vmlinux $(shell $(PKG_CONFIG) --cflags libbpf) $(PREFIX_MAPS)

TOOLS := $(patsubst tools/%.c,%,$(wildcard tools/*.c))
LINKS := $(shell sed -n 's/^\([a-z0-9]*\) \([a-z0-9]*\)$$/\1=\2/p' tools/links)
LIB_OBJS := $(patsubst libcommon/%.c,$(O)/obj/libcommon/%.o,$(wildcard libcommon/*/*.c))
SANITIZED_OBJS := $(LIB_OBJS:$(O)/obj/libcommon/%=$(O)/obj/sanitized/%)
# bscope's compiler
SCRIPT_OBJS := $(patsubst script/%.c,$(O)/obj/script/%.o,$(wildcard script/*.c))
SANITIZED_SCRIPT_OBJS := $(SCRIPT_OBJS:$(O)/obj/%=$(O)/obj/sanitized/%)
FUZZED_SCRIPT_OBJS := $(SCRIPT_OBJS:$(O)/obj/%=$(O)/obj/fuzzed/%)
UNIT := $(patsubst tests/unit/%.c,$(O)/unit/%,$(wildcard tests/unit/*/test_*.c))
WORKLOADS := $(patsubst tests/workloads/%.c,$(O)/workloads/%,$(wildcard tests/workloads/*.c))

.PHONY: all workloads
all: $(TOOLS:%=$(O)/bin/%)
workloads: $(WORKLOADS)

# Keep what is between: the next make needs it.
.SECONDARY:
.DELETE_ON_ERROR:

# What make was told on its command line is an input too: other flags, another build.
$(O)/flags: FLAGS = $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(LDLIBS) $(CLANG) $(BPF_CFLAGS) $(VMLINUX_H)
$(O)/unit-flags: FLAGS = $(UNIT_SANITIZERS)
$(O)/flags $(O)/unit-flags: FORCE
	@mkdir -p $(@D)
	@echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' > $@
.PHONY: FORCE
FORCE:

$(O)/vmlinux/vmlinux.h: $(VMLINUX_H)
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(O)/bpf/%.bpf.o: bpf/%.bpf.c $(O)/vmlinux/vmlinux.h $(O)/flags
	$(say) BPF $@
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -c $< -o $(@:.bpf.o=.tmp.o)
	$(Q)$(BPFTOOL) gen object $@ $(@:.bpf.o=.tmp.o)

# The functions that bscope's compiler puts behind a program. It reads clang's own object, and embeds it as it is. The
# verifier of 5.10 follows words of 64 bits best.
$(O)/bpf/script.bpf.o: bpf/script.bpf.c $(O)/vmlinux/vmlinux.h $(O)/flags
	$(say) BPF $@
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(filter-out -g -mcpu=v3,$(BPF_CFLAGS)) -mcpu=v2 -MMD -MP -MT $@ -MF $(@:.bpf.o=.tmp.d) -c $< -o $@
$(O)/gen/script-runtime.inc: $(O)/bpf/script.bpf.o
	@mkdir -p $(@D)
	$(Q)od -An -v -tx1 $< | sed 's/ \(..\)/0x\1,/g' > $@
$(patsubst %,$(O)/obj/%/link.o,script sanitized/script fuzzed/script): $(O)/gen/script-runtime.inc

$(O)/skel/%.skel.h: $(O)/bpf/%.bpf.o
	$(say) SKEL $@
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

$(O)/obj/tools/%.o: tools/%.c $(O)/skel/%.skel.h $(O)/flags
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# those without a skeleton
$(patsubst %,$(O)/obj/tools/%.o,$(filter-out $(patsubst bpf/%.bpf.c,%,$(wildcard bpf/*.bpf.c)),$(TOOLS))): \
		$(O)/obj/tools/%.o: tools/%.c $(O)/flags
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# text that is part of a program, as a C string
$(O)/text/%.inc: libcommon/output/%
	@mkdir -p $(@D)
	$(Q)sed -e 's/[\\"]/\\&/g' -e 's/.*/"&\\n"/' $< > $@
$(O)/obj/libcommon/output/flamegraph.o $(O)/obj/sanitized/output/flamegraph.o: $(O)/text/flamegraph.js.inc $(O)/text/flamegraph.css.inc

$(O)/obj/libcommon/%.o: libcommon/%.c $(O)/flags VERSION
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(O)/obj/script/%.o: script/%.c $(O)/flags VERSION
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# sanitized*.a: the same libraries for unit tests, which are linked with what they use of them
$(O)/libcommon.a: $(LIB_OBJS)
$(O)/sanitized.a: $(SANITIZED_OBJS)
$(O)/script.a: $(SCRIPT_OBJS)
$(O)/sanitized-script.a: $(SANITIZED_SCRIPT_OBJS)
$(O)/libcommon.a $(O)/sanitized.a $(O)/script.a $(O)/sanitized-script.a:
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(O)/bin/%: $(O)/obj/tools/%.o $(O)/libcommon.a
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -Wl,--start-group $^ -Wl,--end-group $(LDLIBS) -o $@
$(O)/bin/bscope: $(O)/script.a

# All tools in one program: each one's main() gets its name.
$(O)/gen/multicall.inc: tools/links $(TOOLS:%=tools/%.c)
	@mkdir -p $(@D)
	$(Q){ printf 'MAIN(%s)\n' $(TOOLS); printf 'NAME(%s)\n' $(foreach t,$(TOOLS),$t,$t) $(subst =,$(comma),$(LINKS)); } > $@
$(O)/obj/multicall/%.o: $(O)/obj/tools/%.o
	@mkdir -p $(@D)
	$(Q)$(OBJCOPY) --redefine-sym main=main_$* $< $@
$(O)/obj/multicall.o: packaging/multicall.c $(O)/gen/multicall.inc $(O)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@
$(O)/multicall: $(O)/obj/multicall.o $(TOOLS:%=$(O)/obj/multicall/%.o) $(O)/libcommon.a $(O)/script.a
	$(say) LINK $@
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -Wl,--start-group $^ -Wl,--end-group $(LDLIBS) -o $@

# $(call link,NAME,TOOL): another name for a tool, and for its page
define link
all: $(O)/bin/$(1)
$(O)/bin/$(1): $(O)/bin/$(2)
	$(Q)ln -sf $(2) $$@
man: $(O)/man/$(1).8
$(O)/man/$(1).8: $(O)/man/$(2).8
	$(Q)echo '.so man8/$(2).8' > $$@
endef
$(foreach l,$(LINKS),$(eval $(call link,$(word 1,$(subst =, ,$(l))),$(word 2,$(subst =, ,$(l))))))

# What borescope knows: the tools' questions, their other names, and how programs are called where they are installed.
$(O)/gen/questions.inc: man/borescope.7 man/questions
	@mkdir -p $(@D)
	$(Q)man/questions $< > $@
$(O)/gen/links.inc: tools/links
	@mkdir -p $(@D)
	$(Q)sed -n 's/^\([a-z0-9]*\) \([a-z0-9]*\)$$/{ "\1", "\2" },/p' $< > $@
$(O)/gen/affixes.inc: FORCE
	@mkdir -p $(@D)
	@echo '"$(PROGRAM_PREFIX)", "$(PROGRAM_SUFFIX)"' | cmp -s - $@ || echo '"$(PROGRAM_PREFIX)", "$(PROGRAM_SUFFIX)"' > $@
$(O)/obj/tools/borescope.o: $(patsubst %,$(O)/gen/%.inc,questions links affixes)

# The names of system calls, as this machine's headers have them.
$(O)/gen/syscalls-native.h: Makefile
	@mkdir -p $(@D)
	$(Q)echo '#include <asm/unistd.h>' | $(CC) $(CPPFLAGS) $(CFLAGS) -E -dM - | \
		sed -nE 's/^#define __NR_([a-z0-9_]+) .*/[__NR_\1] = "\1",/p' | grep -vE 'syscalls|arch_specific' > $@
$(O)/gen/syscalls-compat.h: Makefile
	@mkdir -p $(@D)
	$(Q)if [ $(BPF_ARCH) = x86 ]; then echo '#include <asm/unistd_32.h>' | $(CC) $(CPPFLAGS) $(CFLAGS) -E -dM - | \
		sed -nE 's/^#define __NR_([a-z0-9_]+) ([0-9]+)$$/[\2] = "\1",/p'; else echo NULL; fi > $@
$(O)/gen/syscalls-x32.h: Makefile
	@mkdir -p $(@D)
	$(Q)if [ $(BPF_ARCH) = x86 ]; then echo '#include <asm/unistd_x32.h>' | $(CC) $(CPPFLAGS) $(CFLAGS) -E -dM - | \
		sed -nE 's/^#define __NR_([a-z0-9_]+) \(__X32_SYSCALL_BIT \+ (5[0-9]+)\)$$/[\2] = "\1",/p'; else echo NULL; fi > $@
$(patsubst %,$(O)/obj/%/base/syscalls.o,libcommon sanitized fuzzed): \
	$(patsubst %,$(O)/gen/syscalls-%.h,native compat x32)

# --- tests ---

$(O)/obj/sanitized/%.o: libcommon/%.c $(O)/flags $(O)/unit-flags VERSION
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(UNIT_SANITIZERS) -MMD -MP -c $< -o $@
$(O)/obj/sanitized/script/%.o: script/%.c $(O)/flags $(O)/unit-flags VERSION
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(UNIT_SANITIZERS) -MMD -MP -c $< -o $@

$(O)/unit/%: tests/unit/%.c $(O)/sanitized.a
	$(say) UNIT $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Itests/unit $(UNIT_SANITIZERS) -MMD -MP -MF $@.d -Wl,--start-group $(filter-out %.h,$^) -Wl,--end-group $(LDLIBS) -lcmocka -lm -o $@

# script's tests, and what they share
SCRIPT_TESTS := $(wildcard tests/unit/script/test_*.c)
$(patsubst tests/unit/%.c,$(O)/unit/%,$(SCRIPT_TESTS)): $(filter-out $(SCRIPT_TESTS),$(wildcard tests/unit/script/*.c)) \
	$(O)/sanitized-script.a

# This one opens a BPF object.
$(O)/unit/kernel/test_object: $(O)/skel/biolatency.skel.h

$(O)/workloads/%: tests/workloads/%.c $(wildcard tests/workloads/*.h)
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -fno-omit-frame-pointer -Wall -Wextra -Wno-unused-parameter -pthread $(WORKLOAD_FLAGS) $< -o $@
$(O)/workloads/images: WORKLOAD_FLAGS := -fno-pie -no-pie

# The readers of other users' files, and of what comes from the network, fed with anything; clang has the fuzzer.
FUZZ := $(patsubst tests/fuzz/%.c,$(O)/fuzz/%,$(wildcard tests/fuzz/*.c))
FUZZED_OBJS := $(patsubst libcommon/%.c,$(O)/obj/fuzzed/%.o,$(wildcard libcommon/base/*.c libcommon/symbols/*.c) libcommon/net/dns.c)
FUZZ_SECONDS ?= 60
FUZZ_CFLAGS = $(filter-out $(SANITIZERS),$(ALL_CFLAGS)) -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=undefined
$(O)/obj/fuzzed/%.o: libcommon/%.c $(O)/flags VERSION
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -MMD -MP -c $< -o $@

$(O)/fuzz/%: tests/fuzz/%.c $(FUZZED_OBJS)
	$(say) FUZZ $@
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer $^ $(LDLIBS) -o $@

# bscope's compiler: what it calls of the library besides is as it is in the tools
$(O)/obj/fuzzed/script/%.o: script/%.c $(O)/flags VERSION
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -MMD -MP -c $< -o $@
$(patsubst tests/fuzz/%.c,$(O)/fuzz/%,$(wildcard tests/fuzz/script_*.c)): $(FUZZED_SCRIPT_OBJS) $(O)/libcommon.a
# This one runs what was compiled, and makes up what the compiler asks the kernel and the file system.
$(O)/fuzz/script_compile: tests/unit/script/interp.c tests/unit/script/interp_helpers.c
$(O)/fuzz/script_compile: FUZZ_FLAGS := -Itests/unit $(patsubst %,-Wl$(comma)--wrap=%,tracefs_open tracefs_read \
	knames_functions knames_symbols knames_events kname_is_symbol libbpf_probe_bpf_helper btf_raw_open userpath_find)

OBJS := $(LIB_OBJS) $(SANITIZED_OBJS) $(FUZZED_OBJS) $(SCRIPT_OBJS) $(SANITIZED_SCRIPT_OBJS) $(FUZZED_SCRIPT_OBJS) \
	$(TOOLS:%=$(O)/obj/tools/%.o) $(TOOLS:%=$(O)/bpf/%.tmp.o) $(O)/bpf/script.tmp.o
-include $(OBJS:.o=.d) $(UNIT:%=%.d)

.PHONY: setup-% check check-unit check-native check-vm check-types check-cross cross-arm64 demo bench bench-results fuzz
setup-%:
	@packaging/setup $*

check:
	$(Q)PYTHON=$(PYTHON) O=$(O) MAKE='$(MAKE)' tests/check setup unit native
check-unit check-native: check-%:
	$(Q)PYTHON=$(PYTHON) O=$(O) MAKE='$(MAKE)' tests/check $*
check-vm: setup-build setup-check setup-vm
	$(Q)$(MAKE) --no-print-directory all workloads
	$(Q)$(if $(filter %-arm64,$(KERNEL)),packaging/setup arm64 && $(MAKE) --no-print-directory cross-arm64)
	$(Q)tests/vm/run --build $(O) $(KERNEL:%=--kernel %) $(DEAL:%=--deal %)
# For arm64, with Debian's libraries for that. They are unpacked where kernels are (tests/vm/README.md), and this machine's
# Debian stays as it is. check-cross runs what was built in qemu, as far as that needs no kernel.
cross-arm64: setup-build setup-cross
	$(Q)root=$$(tests/vm/foreign.py arm64 libraries) && $(MAKE) --no-print-directory O=$(O)/$@ SYSROOT="$$root" \
		CROSS_COMPILE=aarch64-linux-gnu- all workloads
check-cross: cross-arm64 setup-check
	$(Q)PYTHON=$(PYTHON) tests/check-cross $(O)/cross-arm64 arm64
check-types: setup-build
	$(Q)tests/check-types $(VMLINUX_H) $(O)
demo: setup-build
	$(Q)$(MAKE) --no-print-directory all man
	$(Q)packaging/demo $(O)/bin
bench: setup-build setup-bench
	$(Q)$(MAKE) --no-print-directory all workloads
	$(Q)$(PYTHON) tests/bench/bench.py --build $(O)
bench-results: setup-build setup-bench setup-check setup-vm
	$(Q)$(MAKE) --no-print-directory all workloads
	$(Q)$(PYTHON) tests/bench/bench.py --build $(O) --results tests/bench/RESULTS.md
fuzz: setup-build setup-check
	$(Q)$(MAKE) --no-print-directory $(FUZZ)
	$(Q)tests/fuzz/run $(O) $(FUZZ_SECONDS)
# what tests/check builds
unit-tests: $(UNIT)
.PHONY: unit-tests

# make -s print-ALL_CFLAGS: a variable, for tests that compile by themselves
print-%:
	$(info $($*))@:

# --- packaging ---

MAN := $(wildcard man/*.[1-9])
INSTALL_VARIABLES = O='$(O)' VERSION='$(VERSION)' DESTDIR='$(DESTDIR)' prefix='$(prefix)' sbindir='$(sbindir)' \
	datadir='$(datadir)' mandir='$(mandir)' docdir='$(docdir)' PROGRAM_PREFIX='$(PROGRAM_PREFIX)' \
	PROGRAM_SUFFIX='$(PROGRAM_SUFFIX)' INSTALL='$(INSTALL)'

.PHONY: man html install uninstall dist deb rpm check-packages format clean
man: $(MAN:man/%=$(O)/man/%)
$(O)/man/%: man/% $(wildcard man/common/*) VERSION
	@mkdir -p $(@D)
	$(Q)man/expand $< $(VERSION) > $@
html: setup-html
	$(Q)man/html $(O)/html $(VERSION)
	$(say) HTML $(O)/html/index.html

install uninstall:
	$(Q)$(INSTALL_VARIABLES) packaging/install $@
install: all

# All tools as one static program, with all that belongs to them, as one file; for arm64 in a clean room with Debian's
# libraries for that.
.PHONY: static static-tarball static-arm64
static:
	$(Q)$(MAKE) --no-print-directory STATIC=1 O=$(O)/static-$(ARCH) OUT=$(O)/dist static-tarball
static-tarball: $(O)/multicall
	$(Q)STRIP='$(STRIP)' CC='$(CC)' PKG_CONFIG='$(PKG_CONFIG)' LIBIBERTY='$(LIBIBERTY)' packaging/static $(O) $(ARCH) $(OUT)
static-arm64: dist
	$(Q)rm -rf $(O)/arm64 && mkdir -p $(O)/arm64
	$(Q)cp $(O)/dist/borescope-$(VERSION).tar.gz packaging/cross $(O)/arm64
	$(Q)packaging/clean-room bookworm $(O)/arm64 /share/cross $(VERSION) arm64 aarch64-linux-gnu
	$(Q)mv $(O)/arm64/borescope-*-aarch64.* $(O)/dist

# The source as one file; and packages, built from that in a clean Debian each, which takes root and debootstrap.
DEB_SUITES ?= bookworm sid
dist:
	$(Q)packaging/dist $(O)/dist $(VERSION)
deb: $(DEB_SUITES:%=deb-%)
deb-%: dist
	$(say) DEB $(O)/deb/$*
	$(Q)rm -rf $(O)/deb/$* && mkdir -p $(O)/deb/$*
	$(Q)cp $(O)/dist/borescope-$(VERSION).tar.gz packaging/deb/build $(O)/deb/$*
	$(Q)packaging/clean-room $* $(O)/deb/$* /share/build $(VERSION)
	$(Q)rm $(O)/deb/$*/build

# with Debian's rpmbuild
rpm: dist
	$(say) RPM $(O)/rpm
	$(Q)rm -rf $(O)/rpm && mkdir -p $(O)/rpm
	$(Q)cp $(O)/dist/borescope-$(VERSION).tar.gz packaging/rpm/build $(O)/rpm
	$(Q)packaging/clean-room bookworm $(O)/rpm /share/build $(VERSION)
	$(Q)rm $(O)/rpm/build
# All of these, made and tried in clean systems; that takes an hour. PARTS: some of it (tests/packages/check).
PARTS ?= dist deb rpm static vm
check-packages:
	$(Q)PYTHON=$(PYTHON) MAKE='$(MAKE)' tests/packages/check $(O) '$(PARTS)' '$(DEB_SUITES)'

format: setup-format
	clang-format -i tools/*.c packaging/*.c libcommon/*/*.[ch] script/*.[ch] bpf/*.[ch] bpf/lib/*/*.h tests/unit/*.h tests/*/*.c tests/unit/*/*.c \
		tests/workloads/*.h

clean:
	rm -rf $(O)
