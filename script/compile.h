/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * compile: what the files that check a script and lower it share. Others see script/check.h.
 *
 * A clause is checked and lowered once for each variant: for all its targets that it can serve with
 * the same code. What the maps are is found first, in rounds over all variants until nothing
 * changes; in those rounds nothing is said. Then each variant is checked for the last time, which
 * says what is wrong, and lowered right after, while the tree carries the types of this variant.
 */
#ifndef BORESCOPE_SCRIPT_COMPILE_H
#define BORESCOPE_SCRIPT_COMPILE_H

#include "script.shared.h"
#include "script/cdecl.h"
#include "script/check.h"
#include "script/ir.h"
#include "script/load.h"
#include "script/names.h"
#include "script/program.h"

/* A $variable of a variant. In each round, the one that is declared as the n-th is the same. */
struct variable {
	const char *name;
	const struct type *type; /* NULL: not known yet */
	unsigned scope;
	uint32_t width; /* of the widest integer that it was given, in bytes: for bswap() */
	bool hidden;	/* its scope has ended */
	bool assigned;	/* it began with an assignment, not with let or for */
	bool outlives;	/* ... and is used behind the block that has it */
	ir_value value; /* of a scalar */
	uint32_t place; /* of any other: in the scratch */
	bool placed;
};

struct variant {
	const struct clause *clause;
	struct latency *latency; /* of a pair's programs; NULL: none */
	struct target **targets;
	size_t nr_targets;
	bool by_cookie;
	bool alone; /* this and all other variants of the clause have one target each */
	/* Number of the first target's name in compiled.probe_names; behind the last one's are the
	 * names of their functions, unless .alone. Known when it is lowered. */
	size_t first_name;
	struct variable **variables;
	size_t nr_variables, variables_capacity;
	bool again; /* from the next round on, others are declared as the first, the second ... */
};

/* A map, and what is done with it. */
struct map_use {
	struct script_map map;
	bool read;     /* by a program, so that all CPUs share a value */
	bool cleared;  /* while programs may write to it */
	bool told;     /* that it is never assigned */
	bool assigned; /* something, be its type known or not */
};

/*
 * A clause with latency: is two programs for each call: that at the entry notes the time, and what
 * the clause asks of the entry, in a map of its own; the clause itself runs at the return.
 */
struct latency {
	struct map_use *map;
	struct node **kept; /* expressions: what entry.x and entry(x) stand for */
	size_t nr_kept, capacity;
	uint32_t pairs; /* so far */
};

struct loop {
	uint32_t again, after; /* blocks */
	struct loop *outer;
};

struct compiler {
	struct arena *arena;
	struct source *source;
	struct script *script;
	struct types *types;
	struct btf_types *btf;
	struct cdecl *cdecl;
	struct probes *probes;
	const struct compile_options *options;
	struct script_config *config;
	struct compiled *out;

	struct asked {				/* by getopt() */
		const char *name, *description; /* NULL: it has none */
	} * asked;
	size_t nr_asked, asked_capacity;

	struct variant **variants;
	size_t nr_variants, variants_capacity;
	struct names *map_names, *unknown; /* names that nothing has */
	struct names *outlive;		   /* see check_outlives() */
	struct map_use **maps;
	size_t nr_maps, maps_capacity;

	/* --- of the check --- */
	bool broken;	     /* what is not understood, or not there, is left out */
	bool final;	     /* what is wrong is said now */
	bool format_checked; /* and what formats have was said before */
	bool changed;	     /* by this round */
	bool guess;	     /* maps that are assigned what they are made of are numbers */
	struct span *told;
	size_t nr_told, told_capacity;
	unsigned scope, loops;
	size_t next_variable;	     /* which one is declared next */
	bool assigned_keys;	     /* what is being checked is assigned to a map that has keys */
	const struct node *assigned; /* the call that a map is assigned */

	/* --- of both --- */
	struct variant *variant;
	const struct target *target; /* the first of the variant */

	/* --- of the lowering --- */
	struct ir_function *f;
	uint32_t scratch;	/* where the next place goes */
	uint32_t scratch_max;	/* how far it went */
	uint32_t leave;		/* the block that ends the program */
	uint32_t which, record; /* of lower_folded.c: places of the probe's number, and of args */
	bool in_memory;		/* $variables are in the scratch: a callback sees them there, too */
	bool in_callback;
	uint32_t noted; /* of latency: where in the scratch the copy of what was noted is */
	struct loop *loop;
	unsigned char *rodata;
	size_t rodata_size, rodata_capacity;
	struct constant_bytes { /* of it, that may be shared */
		uint32_t at, size;
	} * constants;
	size_t nr_constants, constants_capacity;
	uint32_t zeroes, zeroes_size;
	size_t statements_capacity, literals_capacity, programs_capacity, names_capacity;
	size_t divisions_capacity;
};

/* --- check.c, check_expr.c ---------------------------------------------------------------- */

/* In the last round, once for each place: an error there. Returns NULL. */
const struct type *check_error(struct compiler *c, struct span at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void check_hint(struct compiler *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* One round over a variant. */
void check_variant(struct compiler *c, struct variant *v);
/* What a map gives as a part of an expression; NULL after saying that it can't be. */
const struct type *check_value_read(struct compiler *c, const struct map_use *m, struct span at);
void check_statements(struct compiler *c, struct node *n);

/* Gives @n and what is below it their types. NULL: not known, in the last round said why. */
const struct type *check_expr(struct compiler *c, struct node *n);
/* The same; an integer or a pointer is wanted, for @what ("a shift"). */
bool check_number(struct compiler *c, struct node *n, const char *what);
/* Is @n an integer constant, known now? */
bool check_constant(struct compiler *c, struct node *n, int64_t *value);

/* The keys of @n, a NODE_MAP, join those of the map. Returns it; NULL where a key is not known. */
struct map_use *check_map(struct compiler *c, struct node *n);
/* The map of a NODE_MAP takes values of @type. */
bool check_map_value(struct compiler *c, struct node *n, const struct type *type);
/* Nothing is ever assigned to @m, which stands at @n. */
const struct type *check_map_unknown(struct compiler *c, struct node *n, struct map_use *m);
struct map_use *check_map_named(struct compiler *c, const char *name, struct span at);
/* Keys that stand elsewhere, for delete(@x, k): those of a map. */
bool check_keys(struct compiler *c, struct map_use *m, struct node **keys, size_t nr,
		struct span at);

/* The innermost of this name. NULL: there is none. */
struct variable *check_variable(struct compiler *c, const char *name);
/* Is $@n->name, which is not known here, one that an inner block in front of it was the first to
 * assign? Until bpftrace 0.22 a probe's variables were all of one scope, and many a script says
 * if (...) { $x = 1; } else { $x = 2; } print($x). It is one of the outer block from now on. */
bool check_outlives(struct compiler *c, const struct node *n);

/* Where pointers lead that are made of numbers here: in probes of processes, to their memory. */
enum space check_space(const struct compiler *c);
/* What both have in common; NULL: nothing. */
const struct type *check_join(struct compiler *c, const struct type *a, const struct type *b);
/* The type that @n names, or typeof(@like) where it names none; NULL: neither, or not known. */
const struct type *check_type_named(struct compiler *c, struct node *n, struct node *like,
				    enum space space);
/* How a value of this type is kept in a variable or map: integers with 8 bytes. */
const struct type *check_kept(struct compiler *c, const struct type *type);
const char *check_text(struct compiler *c, const struct type *type); /* for messages */

/* --- builtins.c: names such as comm, nsecs, arg0 ------------------------------------------ */

/* The type of a builtin here; sets n->info. NULL with *@known false: it is none. */
const struct type *builtin_check(struct compiler *c, struct node *n, bool *known);
ir_value builtin_lower(struct compiler *c, struct node *n);
/* The type of @n, which has been checked. Where it is a name that is known now, as probe and func
 * are in a program of one target, it is a text from here on. */
const struct type *builtin_as_text(struct compiler *c, struct node *n);
/* The record that args is here; NULL, after saying why: it is not known. */
const struct type *builtin_args(struct compiler *c, struct span at);
/* How many bytes of the context are before the registers it holds, or -1: it holds none. */
int builtin_registers(const struct compiler *c);
/* The n-th argument of the function, as a number. */
ir_value builtin_argument(struct compiler *c, unsigned n);
/* Whether the verifier does not let a program load this one: then it is read like other memory. */
bool builtin_is_refused(const struct compiler *c, unsigned n);
/* What it returned. */
ir_value builtin_result(struct compiler *c);
/* The stack pointer. */
ir_value builtin_stack_pointer(struct compiler *c);
/* The address of the name of the thread on the CPU: 16 bytes, zeroes behind its end. */
ir_value builtin_comm(struct compiler *c, struct span at);
/* Is it a literal text? Also str("text"), as which parameters come. (call_values.c) */
bool call_literal(struct node *n);
/* pid and tid, also as calls. (call_values.c) */
ir_value call_ids(struct compiler *c, struct node *n);
/* The n-th argument of a usdt probe, and its type. (call_usdt.c) */
ir_value usdt_argument(struct compiler *c, unsigned n);
const struct type *usdt_argument_type(struct compiler *c, unsigned n);
/* The offset of a register by its name ("ip", "di", "r0"); -1: there is none. */
int builtin_register(const char *name);

/* --- builtins_task.c: curtask, ppid, pcomm ... --------------------------------------------- */

const struct type *builtin_task_check_curtask(struct compiler *c, struct node *n);
ir_value builtin_task_lower_curtask(struct compiler *c, struct node *n);
const struct type *builtin_task_check_ppid(struct compiler *c, struct node *n);
ir_value builtin_task_lower_ppid(struct compiler *c, struct node *n);
const struct type *builtin_task_check_pcomm(struct compiler *c, struct node *n);
ir_value builtin_task_lower_pcomm(struct compiler *c, struct node *n);

/* --- latency.c: one clause for a begin and its end ---------------------------------------- */

/* For the clause: its nodes that ask for the entry become NODE_ENTRY. NULL: no probe of it is a
 * pair. */
struct latency *latency_new(struct compiler *c, const struct clause *clause);
/* What ends the call that begins at @entry; both become a pair. NULL: nothing does, which is said
 * where @alone. */
struct target *latency_pair(struct compiler *c, struct latency *l, struct target *entry,
			    bool alone);
/* One round over what is kept at the entry. */
void latency_check_entry(struct compiler *c, struct variant *v);
/* All that the program at the entry does. */
void latency_lower_entry(struct compiler *c);
/* What the other one begins with: what follows runs only where the entry was seen. */
void latency_lower_return(struct compiler *c);
/* The builtin latency, and a NODE_ENTRY. */
const struct type *latency_check(struct compiler *c, struct node *n);
ir_value latency_lower(struct compiler *c, struct node *n);
const struct type *latency_check_kept(struct compiler *c, struct node *n);
ir_value latency_lower_kept(struct compiler *c, struct node *n);

/* --- functions.c and call_*.c: calls ------------------------------------------------------ */

struct function_def {
	const char *name;
	unsigned min_args, max_args;
	/* Gives the call its type; the arguments have none yet. */
	const struct type *(*check)(struct compiler *c, struct node *n);
	ir_value (*lower)(struct compiler *c, struct node *n);
	bool is_unsafe;
	/* Only as a statement, or only as what a map is assigned. */
	enum { CALL_VALUE, CALL_STATEMENT, CALL_AGGREGATE } where;
};
/* The table's parts, each ends with { 0 }. */
extern const struct function_def function_actions[], function_texts[], function_values[],
	function_maps[], function_addresses[], builtin_task_functions[];

const struct type *function_check(struct compiler *c, struct node *n);
/* Is there a function of this name? */
bool function_is(const char *name);
ir_value function_lower(struct compiler *c, struct node *n);
/* Says which named parameters were given that no getopt() asks for, or with --help what can be.
 * (call_values.c) */
void function_named_check(struct compiler *c);
/* @map = count(), sum(x), hist(x) and so on. (call_maps.c) */
void function_aggregate(struct compiler *c, struct node *map, struct node *call);

/* --- lower.c, lower_expr.c: values and places --------------------------------------------- */

void lower_variant(struct compiler *c, struct variant *v);
void lower_statements(struct compiler *c, struct node *n);
/* What follows runs only where @a .cond @value. */
void lower_keep_if(struct compiler *c, enum ir_cond cond, ir_value a, int64_t value);

/* A scalar $variable. */
ir_value lower_variable(struct compiler *c, const struct variable *v);
void lower_variable_set(struct compiler *c, const struct variable *v, ir_value value);
/* for ($kv : @map) { } */
void lower_for_map(struct compiler *c, struct node *n);
/* Is the body of this loop a function that the kernel calls? A loop that is not has LOWER_ROUNDS at
 * the most: every verifier follows it round by round. */
#define LOWER_ROUNDS 1024
bool lower_is_called(struct compiler *c, struct node *n);
/* Is there such a loop in these statements? */
bool lower_has_called(struct compiler *c, struct node *n);
/* Is the address of a $variable taken there? */
bool lower_has_addresses(struct compiler *c, struct node *n);
ir_value lower_map_length(struct compiler *c, const struct map_use *m, struct node *n);
void lower_called_loop(struct compiler *c, struct node *n);
/* Says that a loop was left for want of rounds. */
void lower_loop_left(struct compiler *c, struct node *n, unsigned rounds);

/* A scalar: the number; any other: the address of its place. */
ir_value lower_expr(struct compiler *c, struct node *n);
/* The number @n, as what is added to a value of @type. */
ir_value lower_steps(struct compiler *c, struct node *n, const struct type *type);
/* Of numbers: a op b, OP_ADD to OP_SHR. */
ir_value lower_arithmetic(struct compiler *c, enum op op, ir_value a, ir_value b, bool is_signed);
/* Goes on in @then or @otherwise. */
void lower_condition(struct compiler *c, struct node *n, uint32_t then, uint32_t otherwise);
/* Writes the value of @n, of its type, to @offset of @to; integers become as wide as @type. Texts
 * have @type's room. */
void lower_into(struct compiler *c, struct node *n, const struct type *type, ir_value to,
		uint32_t offset);

/* Room in the scratch, for as long as the statement lasts (or the function, if a variable's): its
 * offset. Aligned to 8. */
uint32_t lower_place(struct compiler *c, uint32_t size, struct span at);
/* Bytes of the read-only data, aligned to 8; the same bytes are there once. */
uint32_t lower_rodata(struct compiler *c, const void *bytes, size_t size);
/* Bytes that nothing else shares. */
uint32_t lower_rodata_own(struct compiler *c, const void *bytes, size_t size);
/* So many zeroes there. */
uint32_t lower_zeroes(struct compiler *c, uint32_t size);
/* A struct rt_string of these bytes there. */
uint32_t lower_literal(struct compiler *c, const char *text, size_t len);
/* A scalar out of a pointer: what the verifier is to forget. */
ir_value lower_forget(struct compiler *c, ir_value pointer);
void lower_zero(struct compiler *c, ir_value base, uint32_t offset, uint32_t size);
void lower_copy(struct compiler *c, ir_value to, uint32_t to_offset, ir_value from,
		uint32_t from_offset, uint32_t size);

/* --- lower_tuple.c: tuples that are places already ---------------------------------------- */

/* What is at @from_offset of @from, of @from_type, becomes what is of @type at @offset of @to; both
 * have been joined, or @type is that of a key. */
void lower_convert(struct compiler *c, const struct type *type, ir_value to, uint32_t offset,
		   const struct type *from_type, ir_value from, uint32_t from_offset);
/* Where the i-th value of @n, a NODE_TUPLE or NODE_RECORD, stands in @type. */
const struct field *lower_part(const struct node *n, const struct type *type, size_t i);
/* Can values of these be compared by == and !=? */
bool lower_comparable(const struct type *a, const struct type *b);
/* Goes on in @then where the places @a and @b are equal. */
void lower_equal(struct compiler *c, struct node *a, struct node *b, uint32_t then,
		 uint32_t otherwise);

/* --- lower_places.c: what is reached by . -> [] and * ------------------------------------- */

struct location {
	ir_value base;
	int64_t offset;
	enum space space;
	const struct field *bits;     /* a bit field; NULL: none */
	const struct field *data_loc; /* where it is stands at the location */
};
const struct type *check_field(struct compiler *c, struct node *n);
const struct type *check_index(struct compiler *c, struct node *n);
const struct type *check_deref(struct compiler *c, struct node *n);
ir_value lower_location(struct compiler *c, struct node *n);
/* Where the array @n is, as a number. */
ir_value lower_address(struct compiler *c, struct node *n);
/* Reads @size bytes (a constant) from @from into the scratch at @place. */
void lower_read(struct compiler *c, enum space space, uint32_t place, uint32_t size, ir_value from);

/* --- lower_folded.c: many system calls' tracepoints by one program ------------------------ */

/* Those of @targets, of one point of @clause, that are many alike become ATTACH_FOLDED. */
void lower_folded_choose(struct compiler *c, const struct clause *clause, struct target **targets,
			 size_t nr);
/* What such a program begins with: it goes on for the calls that are meant. */
void lower_folded(struct compiler *c, const struct variant *v);
/* The builtin probe. */
ir_value lower_folded_probe(struct compiler *c);
/* Where the field of args at @offset is. */
struct location lower_folded_args(struct compiler *c, uint32_t offset);

/* --- lower_text.c: strings ---------------------------------------------------------------- */

/* The value of @n, which is a text, as a struct rt_string with room for @room bytes at @place. */
void lower_text_to(struct compiler *c, struct node *n, uint32_t place, uint32_t room);
/* 1 where both are equal; with @length, in its first bytes. */
ir_value lower_text_equal(struct compiler *c, struct node *a, struct node *b, ir_value length);
/* The struct rt_string at @from into that at @to, which has so much room. */
void lower_text_copy(struct compiler *c, ir_value to, uint32_t room, ir_value from);
/* As an address of a struct rt_string, wherever it is. */
ir_value lower_text(struct compiler *c, struct node *n);
/* The name of the function that reads from there: rt_str_user for "rt_str" and SPACE_USER. */
const char *lower_reader(struct compiler *c, const char *stem, enum space space);

/* A call that gives a text writes it to @to, a struct rt_string with so much room. False: @n is
 * none of these, and nothing is done. (call_texts.c) */
bool call_text_to(struct compiler *c, struct node *n, ir_value to, uint32_t room);
/* The same into a record that is being made: it is read right there.
 * Returns the new offset; 0: @n is none of these. @where: see rt_append(). */
ir_value call_text_append(struct compiler *c, struct node *n, ir_value record, ir_value offset,
			  uint32_t room, int64_t where);

/* --- lower_map.c -------------------------------------------------------------------------- */

/* The address of the key that @keys make. */
ir_value lower_keys(struct compiler *c, const struct map_use *m, struct node **keys, size_t nr);
/* The map for a helper; with generations, where there is none it goes on in block @missing. */
ir_value lower_map(struct compiler *c, const struct map_use *m, uint32_t missing);
/* One more for this @counter of the losses (struct rt_globals, lost). */
void lower_count_lost(struct compiler *c, unsigned counter);
/* Goes on in @found with the address of the value of @key, which is returned, or in @missing. */
ir_value lower_map_lookup(struct compiler *c, const struct map_use *m, ir_value key, uint32_t found,
			  uint32_t missing);
ir_value lower_map_read(struct compiler *c, struct node *n);
void lower_map_assign(struct compiler *c, struct node *n, struct node *value);
/* @x op= v, @x++: atomic where it can be. Returns the value before, or after, if @wanted. */
ir_value lower_map_change(struct compiler *c, struct node *n, enum op op, ir_value by, bool wanted,
			  bool before);
/* The address of the value of @n's map, made where it is missing; what follows runs only where
 * there is room: the rest is counted. Goes on in block @after. */
ir_value lower_map_slot(struct compiler *c, struct node *n, uint32_t after);
/* One part of a key as the map has it, at @offset of @to. */
void lower_key_part(struct compiler *c, struct node *n, const struct type *type, ir_value to,
		    uint32_t offset);
/* The id of a text of @type that is at @from, and that of a stack: 16 bytes at @offset of @to. */
void lower_place_id(struct compiler *c, const struct type *type, ir_value from, ir_value to,
		    uint32_t offset);
void lower_stack_id(struct compiler *c, struct node *n, ir_value to, uint32_t offset);
/* How many frames the stack that @n stands for has. */
ir_value lower_stack_length(struct compiler *c, struct node *n);

/* --- lower_record.c: what is sent --------------------------------------------------------- */

/* A statement of @action with the values of @args: made, and sent here. */
struct statement *lower_send(struct compiler *c, struct node *n, enum action action,
			     struct node **args, size_t nr);
/* For a call that makes its record itself: arguments of which the first is a number, and the others
 * are texts of so much room. */
struct statement *lower_statement_new(struct compiler *c, struct node *n, enum action action,
				      size_t nr_args, uint32_t room);
/* The record in the scratch, of @size bytes and at most @most, is sent. */
void lower_send_record(struct compiler *c, const struct statement *s, uint32_t record,
		       ir_value size, uint32_t most);
/* print(@x[k]): the key, as the map has it. @key: a tuple where there are several. */
struct statement *lower_send_key(struct compiler *c, struct node *n, const struct map_use *m,
				 struct node *key);

#endif
