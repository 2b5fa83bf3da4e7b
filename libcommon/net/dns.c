/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "net/dns.h"

#define HEADER_LEN  12
#define WIRE_MAX    255 /* of a name: RFC 1035, 3.1 */
#define LABEL_MAX   63
#define RECORDS_MAX 64
#define ALIASES_MAX 16 /* that are followed */

#define FLAG_ANSWER 0x8000
#define FLAGS_KIND  0x780f /* the operation; the error */

enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28 };
enum { CLASS_IN = 1 };

struct message {
	const uint8_t *bytes;
	size_t len, at;
};

/* A name as it is sent, but without pointers: labels, each with its length before it. */
struct name {
	uint8_t wire[WIRE_MAX];
	size_t len;
};

struct record {
	struct name owner, alias; /* of a CNAME: what it is an alias of */
	struct inet_addr addr;
	unsigned int type;
};

static bool read_u16(struct message *m, unsigned int *value)
{
	if (m->len - m->at < 2)
		return false;
	*value = m->bytes[m->at] << 8 | m->bytes[m->at + 1];
	m->at += 2;
	return true;
}

/* Each pointer has to point to before all that was read of this name, so that there is an end. */
static bool read_name(struct message *m, struct name *name)
{
	size_t at = m->at, before = at, behind = 0;

	name->len = 0;
	for (;;) {
		unsigned int n;

		if (at >= m->len)
			return false;
		n = m->bytes[at];
		if (n > LABEL_MAX) {
			if (n < 0xc0 || at + 1 >= m->len)
				return false;
			if (!behind)
				behind = at + 2;
			at = (n & 0x3f) << 8 | m->bytes[at + 1];
			if (at >= before)
				return false;
			before = at;
			continue;
		}
		if (n >= m->len - at || name->len + 1 + n > WIRE_MAX)
			return false;
		memcpy(name->wire + name->len, m->bytes + at, 1 + n);
		name->len += 1 + n;
		at += 1 + n;
		if (!n)
			break;
	}
	m->at = behind ? behind : at;
	return true;
}

/* Lengths are at most 63, which tolower() leaves alone. */
static bool same_name(const struct name *a, const struct name *b)
{
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++)
		if (tolower(a->wire[i]) != tolower(b->wire[i]))
			return false;
	return true;
}

static void name_text(const struct name *name, char *text)
{
	char *to = text;

	_Static_assert(DNS_NAME_LEN > 4 * WIRE_MAX, "each byte takes four at most");
	for (size_t at = 0; name->wire[at]; at += 1 + name->wire[at]) {
		if (at)
			*to++ = '.';
		for (unsigned int i = 1; i <= name->wire[at]; i++) {
			unsigned char c = name->wire[at + i];

			if (c <= ' ' || c >= 0x7f) {
				to += sprintf(to, "\\%03u", c);
				continue;
			}
			if (c == '.' || c == '\\')
				*to++ = '\\';
			*to++ = c;
		}
	}
	if (to == text)
		*to++ = '.';
	*to = '\0';
}

static bool read_question(struct message *m, struct name *asked)
{
	unsigned int flags, questions, answers, type, class;

	m->at = 2; /* behind the id */
	if (!read_u16(m, &flags) || !read_u16(m, &questions) || !read_u16(m, &answers))
		return false;
	if (!(flags & FLAG_ANSWER) || flags & FLAGS_KIND || questions != 1 || !answers)
		return false;
	m->at = HEADER_LEN;
	return m->len >= HEADER_LEN && read_name(m, asked) && read_u16(m, &type) &&
	       read_u16(m, &class) && class == CLASS_IN;
}

/* False: the message is over, or malformed. A record that does not matter has the type 0. */
static bool read_record(struct message *m, struct record *r)
{
	unsigned int class, len;
	size_t end;

	if (!read_name(m, &r->owner) || !read_u16(m, &r->type) || !read_u16(m, &class) ||
	    m->len - m->at < 4)
		return false;
	m->at += 4; /* how long it holds */
	if (!read_u16(m, &len) || len > m->len - m->at)
		return false;
	end = m->at + len;
	memset(&r->addr, 0, sizeof(r->addr));
	if (class == CLASS_IN && r->type == TYPE_A && len == 4) {
		r->addr.words[2] = htonl(0xffff);
		memcpy(&r->addr.words[3], m->bytes + m->at, len);
	} else if (class == CLASS_IN && r->type == TYPE_AAAA && len == 16) {
		memcpy(&r->addr, m->bytes + m->at, len);
	} else if (class != CLASS_IN || r->type != TYPE_CNAME || !read_name(m, &r->alias)) {
		r->type = 0;
	}
	m->at = end;
	return true;
}

/* Takes the addresses of @name. Returns what it is an alias of, or NULL. */
static const struct name *take(struct dns_answer *answer, const struct record *records, size_t nr,
			       const struct name *name)
{
	const struct name *alias = NULL;

	for (size_t i = 0; i < nr; i++) {
		if (!records[i].type || !same_name(&records[i].owner, name))
			continue;
		if (records[i].type == TYPE_CNAME)
			alias = &records[i].alias;
		else if (answer->nr < DNS_ADDRS_MAX)
			answer->addrs[answer->nr++] = records[i].addr;
	}
	return alias;
}

bool dns_read(struct dns_answer *answer, const void *message, size_t len)
{
	static struct record records[RECORDS_MAX];
	struct message m = { .bytes = message, .len = len };
	const struct name *name;
	struct name asked;
	size_t nr = 0;

	answer->nr = 0;
	if (len < HEADER_LEN || !read_question(&m, &asked))
		return false;
	while (nr < RECORDS_MAX && read_record(&m, &records[nr]))
		nr++;
	name = &asked;
	for (int i = 0; name && i < ALIASES_MAX; i++)
		name = take(answer, records, nr, name);
	name_text(&asked, answer->name);
	return answer->nr > 0;
}
