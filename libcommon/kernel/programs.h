/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * programs: the BPF programs and maps that a tool has loaded, as file descriptors, whoever loaded
 * them. What reads counters, rings and histograms needs no more than this.
 *
 * The descriptors belong to the loader (object.h), which closes them; a set only names them. The
 * names of maps are those in the program's source, or for its global variables the name of their
 * section (".data.hist").
 */
#ifndef BORESCOPE_KERNEL_PROGRAMS_H
#define BORESCOPE_KERNEL_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct programs {
	struct program_fd {
		int fd;
		bool iterates; /* runs in the time of the tool itself, which reads from it */
	} * programs;
	struct program_map {
		const char *name;
		int fd;
	} * maps;
	size_t nr_programs, nr_maps;
};

/* Both return 0 or -ENOMEM. @name is not copied: it has to live as long as the set. */
int programs_add(struct programs *p, int fd, bool iterates);
int programs_add_map(struct programs *p, const char *name, int fd);

/* Empties the set, also one that is all zeros. */
void programs_free(struct programs *p);

/* The descriptor of the map of this name; -ENOENT: there is none. */
int programs_map(const struct programs *p, const char *name);

/* Writes the variables of a section, all of them. Returns 0 or -errno; -ENOENT: no such section. */
int programs_write(const struct programs *p, const char *section, const void *data);
/* Reads them into @data. Returns the same. */
int programs_read(const struct programs *p, const char *section, void *data);

/* The sum over all CPUs of the u64 at @index of a per-CPU array. 0 when there is no such map. */
uint64_t programs_percpu_sum(const struct programs *p, const char *map, uint32_t index);

/* Reads the u64 at @index of a per-CPU array, of each possible CPU, into memory that is for the
 * caller to free(); *@nr: how many. NULL: there is no such map, or no memory. */
uint64_t *programs_percpu(const struct programs *p, const char *map, uint32_t index, int *nr);

/* Waits until the programs that run now have ended, those that may sleep excepted. @any_map_fd: of
 * whatever map. */
void programs_wait(int any_map_fd);

/*
 * For counters of which there are two: has the programs, which read @section (a u32, 0 or 1), write
 * to the other ones from now on, and waits until those that run now have ended. *@epoch, 0 at
 * first, says which. Returns the one before, to whose counters nothing writes any more.
 * @any_map_fd: as for programs_wait().
 */
uint32_t programs_flip(const struct programs *p, const char *section, uint32_t *epoch,
		       int any_map_fd);

/* The keys of a map, of @size bytes each, at most @max of them, into @keys. Returns how many. */
size_t programs_keys(int map_fd, void *keys, size_t size, size_t max);

/* Runs that the kernel left out because the same program was running already on that CPU. */
uint64_t programs_missed(const struct programs *p);

#endif
