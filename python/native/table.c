// SPDX-License-Identifier: Apache-2.0
/* Opens a decode table: checks each number that could lead out of bounds, lays out a decoder's memory. */

#include <string.h>

#include "table.h"

enum { COUNT_MAX = 1 << 20 }; /* of anything in a table; keeps sums far from 32 bits */

struct layout {
	struct head head;
	uint64_t messages, signals, ranges, rows, muxes, conditions, end; /* offsets into the table */
};

static uint64_t section(uint64_t *end, uint32_t count, size_t size)
{
	uint64_t start = *end;

	*end += (uint64_t)count * size;
	return start;
}

static bool lay_out(struct layout *l, const void *table, size_t size)
{
	const struct head *h = &l->head;

	if (size < sizeof(l->head))
		return false;
	memcpy(&l->head, table, sizeof(l->head));
	if (h->magic != TABLE_MAGIC || h->version != CANRECEIVE_VERSION || h->messages > COUNT_MAX ||
	    h->signals > COUNT_MAX || h->ranges > COUNT_MAX || h->rows > COUNT_MAX || h->muxes > COUNT_MAX ||
	    h->conditions > COUNT_MAX)
		return false;
	l->end = sizeof(l->head);
	l->messages = section(&l->end, h->messages, sizeof(struct message));
	l->signals = section(&l->end, h->signals, sizeof(struct signal));
	l->ranges = section(&l->end, h->ranges, sizeof(struct range));
	l->rows = section(&l->end, h->rows, sizeof(struct row));
	l->muxes = section(&l->end, h->muxes, sizeof(struct mux));
	l->conditions = section(&l->end, h->conditions, sizeof(struct condition));
	return l->end == size;
}

static bool within(uint32_t first, uint32_t count, uint32_t all)
{
	return first <= all && count <= all - first;
}

static bool place_is_sound(const struct place *p, uint8_t message_length)
{
	uint32_t bytes = (p->shift + p->length + 7u) / 8;

	if (p->length < 1 || p->length > 64 || p->shift > 7 || p->byte + bytes > message_length)
		return false;
	return !(p->form & FLOAT_FIELD) || p->length == 16 || p->length == 32 || p->length == 64;
}

static bool signal_is_sound(const struct layout *l, const struct message *m, const struct signal *s)
{
	bool real = s->place.form & FLOAT_FIELD;

	if (!place_is_sound(&s->place, m->length) || s->kind >= KINDS || s->conversion >= CONVERSIONS ||
	    s->divisor < 1 || s->divisor > INT64_MAX / 4 || s->interval_ns < 0)
		return false;
	if ((real && (s->conversion != FLOATING || s->excluded)) || (s->kind == TEXT && s->conversion != LISTED))
		return false;
	return within(s->first_condition, s->conditions, l->head.conditions) &&
	       within(s->first_excluded, s->excluded, l->head.ranges) && within(s->first_row, s->rows, l->head.rows);
}

static bool message_is_sound(const struct layout *l, const struct message *m, const uint8_t *table)
{
	const struct signal *signals = (const void *)(table + l->signals);
	const struct mux *muxes = (const void *)(table + l->muxes);
	const struct condition *conditions = (const void *)(table + l->conditions);

	if (m->length > DATA_MAX || !within(m->first_signal, m->signals, l->head.signals) ||
	    !within(m->first_mux, m->muxes, l->head.muxes) || m->algorithm >= ALGORITHMS)
		return false;
	if (m->algorithm && m->check_at + checksum_bytes(m->algorithm) > m->length)
		return false;
	if (m->flags & HAS_COUNTER && (!place_is_sound(&m->counter, m->length) || m->counter.form & FLOAT_FIELD))
		return false;
	for (const struct mux *x = muxes + m->first_mux; x < muxes + m->first_mux + m->muxes; x++)
		if (!place_is_sound(&x->place, m->length) || x->place.form & FLOAT_FIELD ||
		    !within(x->first_range, x->ranges, l->head.ranges))
			return false;
	for (const struct signal *s = signals + m->first_signal; s < signals + m->first_signal + m->signals; s++) {
		if (!signal_is_sound(l, m, s))
			return false;
		for (uint32_t c = s->first_condition; c < s->first_condition + s->conditions; c++)
			if (conditions[c].mux < m->first_mux || conditions[c].mux >= m->first_mux + m->muxes ||
			    !within(conditions[c].first_range, conditions[c].ranges, l->head.ranges))
				return false;
	}
	return true;
}

static uint32_t slots_for(uint32_t messages)
{
	uint32_t slots = 8;

	while (slots < 2 * messages)
		slots *= 2;
	return slots;
}

/* Says whether the table is sound, and what a decoder of it looks like in memory. `table` must be aligned. */
static size_t plan(struct decoder *d, const struct layout *l, const uint8_t *table)
{
	const struct message *messages = (const void *)(table + l->messages);
	const struct signal *signals = (const void *)(table + l->signals);
	uint32_t kinds[KINDS] = {0};
	uint64_t end = sizeof(*d);

	memset(d, 0, sizeof(*d));
	for (uint32_t k = 0; k < l->head.messages; k++) {
		if (!message_is_sound(l, &messages[k], table))
			return 0;
		if (messages[k].signals > d->biggest)
			d->biggest = messages[k].signals;
	}
	for (uint32_t i = 0; i < l->head.signals; i++)
		kinds[signals[i].kind < KINDS ? signals[i].kind : 0]++;
	d->table_at = section(&end, 1, (l->end + 7) / 8 * 8);
	d->messages_at = d->table_at + l->messages;
	d->signals_at = d->table_at + l->signals;
	d->ranges_at = d->table_at + l->ranges;
	d->rows_at = d->table_at + l->rows;
	d->muxes_at = d->table_at + l->muxes;
	d->conditions_at = d->table_at + l->conditions;
	d->results.messages = l->head.messages;
	d->results.seen_at = section(&end, l->head.messages, sizeof(int64_t));
	d->message_state_at = section(&end, l->head.messages, sizeof(struct message_state));
	d->signal_state_at = section(&end, l->head.signals, sizeof(struct signal_state));
	d->slots = slots_for(l->head.messages);
	d->slots_at = section(&end, d->slots, sizeof(uint32_t));
	d->results.handed_at = section(&end, HANDED_MAX, sizeof(uint32_t));
	for (int kind = 0; kind < KINDS; kind++) {
		/* Each signal once, again for each change of its quality; past that a call gives back control. */
		d->room[kind] = 2 * kinds[kind] + d->biggest;
		d->results.found_at[kind] = section(&end, d->room[kind], sizeof(struct reading));
	}
	return end;
}

static void fill_slots(struct decoder *d)
{
	const struct message *messages = at(d, d->messages_at);
	uint32_t *slots = at(d, d->slots_at);

	for (uint32_t k = 0; k < d->results.messages; k++) {
		uint32_t slot = slot_of(messages[k].can_id, d->slots);

		while (slots[slot]) /* there are at least twice as many slots as messages */
			slot = (slot + 1) & (d->slots - 1);
		slots[slot] = k + 1;
	}
}

API uint32_t canreceive_version(void)
{
	return CANRECEIVE_VERSION;
}

API size_t canreceive_decoder_size(const void *table, size_t table_size)
{
	struct decoder d;
	struct layout l;

	return (uintptr_t)table % 8 == 0 && lay_out(&l, table, table_size) ? plan(&d, &l, table) : 0;
}

API int canreceive_open(void *decoder, size_t size, const void *table, size_t table_size)
{
	struct decoder *d = decoder;
	size_t needed = canreceive_decoder_size(table, table_size);
	struct layout l;

	if (!needed || size < needed || (uintptr_t)decoder % 8)
		return -1;
	memset(decoder, 0, size);
	if (!lay_out(&l, table, table_size) || plan(d, &l, table) != needed)
		return -1;
	memcpy(at(d, d->table_at), table, table_size);
	fill_slots(d);
	for (uint32_t k = 0; k < d->results.messages; k++)
		canreceive_forget(d, k);
	return 0;
}
