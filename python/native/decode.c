// SPDX-License-Identifier: Apache-2.0
/* Frames to readings, by the rules of the generated updaters (smartcockpit.vehicle.updater_source). */

#include <string.h>

#include "table.h"

#define REPEATED (-1) /* as due: the counter stood still, the frame is no sign of life */

enum quality { INVALID = 1, VALID = 3 };
enum can_flag { EFF = 0x80000000u, RTR = 0x40000000u, ERR = 0x20000000u };

/* What one look at a frame needs; `have` bytes of it are there. */
struct look {
	struct decoder *d;
	const struct range *ranges;
	const uint8_t *payload;
	int64_t now_ns, time_us, due_ns;
	uint32_t have;
};

static double half(uint64_t bits)
{
	int exponent = bits >> 10 & 0x1F;
	double value = bits & 0x3FF;
	union number special;

	if (exponent == 0x1F) {
		special.bits = (uint64_t)0x7FF << 52 | (bits & 0x3FF) << 42 | (bits & 0x8000) << 48;
		return special.real;
	}
	value = exponent ? value + 1024 : value;
	for (exponent = exponent ? exponent - 25 : -24; exponent > 0; exponent--)
		value *= 2;
	for (; exponent < 0; exponent++)
		value /= 2;
	return bits & 0x8000 ? -value : value;
}

static union number read_field(const struct place *p, const uint8_t *payload)
{
	const uint8_t *from = payload + p->byte;
	union number raw;
	float single;

	memcpy(&raw.bits, from, sizeof(raw.bits));
	if (p->form & BIG_ENDIAN_FIELD) {
		raw.bits = __builtin_bswap64(raw.bits) << p->shift;
		if (p->shift + p->length > 64)
			raw.bits |= from[8] >> (8 - p->shift);
	} else {
		raw.bits >>= p->shift;
		if (p->shift + p->length > 64)
			raw.bits |= (uint64_t)from[8] << (64 - p->shift);
		raw.bits <<= 64 - p->length;
	}
	if (p->form & SIGNED_FIELD)
		raw.whole >>= 64 - p->length;
	else
		raw.bits >>= 64 - p->length;
	if (p->form & FLOAT_FIELD && p->length == 16) {
		raw.real = half(raw.bits);
	} else if (p->form & FLOAT_FIELD && p->length == 32) {
		uint32_t bits = (uint32_t)raw.bits;

		memcpy(&single, &bits, sizeof(single));
		raw.real = single;
	}
	return raw;
}

static bool in_ranges(const struct range *ranges, uint32_t first, uint32_t count, int64_t value)
{
	for (const struct range *r = ranges + first; r < ranges + first + count; r++)
		if (r->low <= value && value <= r->high)
			return true;
	return false;
}

/* ---- values ---------------------------------------------------------------------------------------- */

static bool within_limits(const struct look *look, const struct signal *s, union number raw)
{
	if (s->place.form & FLOAT_FIELD) /* not-a-number is within nothing */
		return (!(s->flags & HAS_LOW) || s->low.real <= raw.real) &&
		       (!(s->flags & HAS_HIGH) || raw.real <= s->high.real);
	return (!(s->flags & HAS_LOW) || s->low.whole <= raw.whole) &&
	       (!(s->flags & HAS_HIGH) || raw.whole <= s->high.whole) &&
	       !in_ranges(look->ranges, s->first_excluded, s->excluded, raw.whole);
}

static int64_t floor_divide(int64_t top, int64_t bottom)
{
	return top / bottom - (top % bottom < 0);
}

static int64_t floor_whole(double value)
{
	int64_t whole;

	if (!(value > -9.2e18 && value < 9.2e18)) /* the writer of the table lets no such thing pass */
		return 0;
	whole = (int64_t)value;
	return whole - (whole > value);
}

/* raw · scale + offset in whole numbers, over the divisor. Sums that could overflow are not in a table. */
static union number exact_value(const struct signal *s, int64_t raw)
{
	uint64_t sum = (uint64_t)raw * s->scale.bits + s->offset.bits;
	union number value = {.bits = sum};

	if (s->kind == DOUBLE)
		value.real = (double)value.whole / (double)s->divisor;
	else if (s->kind == BOOLEAN)
		value.bits = value.whole == s->divisor;
	else if (s->divisor > 1)
		value.whole = floor_divide((int64_t)(2 * sum + (uint64_t)s->divisor), 2 * s->divisor);
	return value;
}

static union number floating_value(const struct signal *s, union number raw)
{
	/* Kept apart by the qualifier, else compilers for some processors fuse both steps and round once only. */
	volatile double product = (s->place.form & FLOAT_FIELD ? raw.real : (double)raw.whole) * s->scale.real;
	union number value = {.real = product};

	if (s->offset.real != 0) /* adding 0 would lose the sign of -0 */
		value.real = product + s->offset.real;
	if (s->kind == INTEGER)
		value.whole = floor_whole(value.real + 0.5);
	else if (s->kind == BOOLEAN)
		value.bits = value.real != 0;
	return value;
}

static bool listed_value(struct decoder *d, const struct signal *s, int64_t raw, union number *value)
{
	const struct row *rows = at(d, d->rows_at);
	uint32_t low = s->first_row, high = s->first_row + s->rows;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (rows[middle].high < raw)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == s->first_row + s->rows || rows[low].low > raw)
		return false;
	value->bits = rows[low].value;
	return true;
}

static bool value_of(const struct look *look, const struct signal *s, union number raw, union number *value)
{
	if (s->conversion == LISTED)
		return listed_value(look->d, s, raw.whole, value);
	if (!within_limits(look, s, raw))
		return false;
	*value = s->conversion == EXACT ? exact_value(s, raw.whole) : floating_value(s, raw);
	return true;
}

/* ---- readings -------------------------------------------------------------------------------------- */

/* Gives a reading. Of several of one quality in one call the newest stays: nobody would send the others. */
static void give(const struct look *look, const struct signal *s, struct signal_state *state, uint8_t quality)
{
	struct decoder *d = look->d;
	struct reading *readings = at(d, d->results.found_at[s->kind]);
	struct reading reading = {s->index, state->value.bits, quality, look->time_us};

	if (s->end > look->have)
		return;
	if (state->turn != d->turn || readings[state->at].quality != quality) {
		state->turn = d->turn;
		state->at = d->results.found[s->kind]++;
	}
	readings[state->at] = reading;
}

static bool same_raw(const struct signal *s, union number a, union number b)
{
	return s->place.form & FLOAT_FIELD ? a.real == b.real : a.whole == b.whole;
}

static bool same_value(const struct signal *s, union number a, union number b)
{
	return s->kind == DOUBLE ? a.real == b.real : a.whole == b.whole;
}

static void wait_until(struct look *look, int64_t due_ns)
{
	if (due_ns < look->due_ns)
		look->due_ns = due_ns;
}

/* Forwards a good value: holds it back until the interval is over, drops what is no news. */
static void forward(struct look *look, const struct signal *s, struct signal_state *state, union number raw,
		    union number value)
{
	bool on_change = s->flags & ON_CHANGE;

	if (on_change && !(s->flags & ONE_TO_ONE) && state->quality == VALID && same_value(s, value, state->value)) {
		state->raw = raw;
		state->known = true;
	} else if (s->interval_ns && look->now_ns < state->due_ns && state->quality == VALID) {
		if (on_change)
			wait_until(look, state->due_ns);
	} else {
		state->raw = raw;
		state->known = true;
		state->value = value;
		state->quality = VALID;
		state->due_ns = (int64_t)((uint64_t)look->now_ns + (uint64_t)s->interval_ns);
		give(look, s, state, VALID);
	}
}

static void update_signal(struct look *look, const struct signal *s, struct signal_state *state)
{
	union number raw = read_field(&s->place, look->payload), value;
	bool again = !(s->flags & ON_CHANGE) && look->now_ns >= state->due_ns;

	if (again || !state->known || !same_raw(s, raw, state->raw)) {
		if (value_of(look, s, raw, &value)) {
			forward(look, s, state, raw, value);
		} else {
			state->raw = raw;
			state->known = true;
			if (state->quality != INVALID) {
				state->quality = INVALID;
				look->d->results.tally[OUT_OF_RANGE]++;
				give(look, s, state, INVALID);
			}
		}
	}
	if (!(s->flags & ON_CHANGE))
		wait_until(look, state->due_ns);
}

/* ---- messages -------------------------------------------------------------------------------------- */

static bool carries(const struct look *look, const struct signal *s)
{
	const struct condition *conditions = at(look->d, look->d->conditions_at);
	const struct mux *muxes = at(look->d, look->d->muxes_at);

	for (const struct condition *c = conditions + s->first_condition;
	     c < conditions + s->first_condition + s->conditions; c++) {
		int64_t value = read_field(&muxes[c->mux].place, look->payload).whole;

		if (!in_ranges(look->ranges, c->first_range, c->ranges, value))
			return false;
	}
	return true;
}

static void count_unknown_muxes(const struct look *look, const struct message *m)
{
	const struct mux *muxes = at(look->d, look->d->muxes_at);

	for (const struct mux *x = muxes + m->first_mux; x < muxes + m->first_mux + m->muxes; x++)
		if (x->top && !in_ranges(look->ranges, x->first_range, x->ranges,
					 read_field(&x->place, look->payload).whole))
			look->d->results.tally[UNKNOWN_MUX]++;
}

/* Says whether the counter moved on, which is what makes the frame a sign of life. */
static bool counter_moved(const struct look *look, const struct message *m, struct message_state *state)
{
	int64_t count = read_field(&m->counter, look->payload).whole;

	if (m->modulus > 1 && state->counting && count != state->expected) {
		look->d->results.tally[COUNTER_ERRORS]++;
		if (count == state->count)
			return false;
	}
	state->counting = true;
	state->count = count;
	state->expected = m->modulus ? (int64_t)(((uint64_t)count + m->step) % m->modulus) : 0;
	return true;
}

static void forget_signals(struct decoder *d, const struct message *m, struct message_state *state)
{
	struct signal_state *signals = at(d, d->signal_state_at);

	state->counting = false;
	for (uint32_t i = m->first_signal; i < m->first_signal + m->signals; i++) {
		signals[i].known = false;
		signals[i].quality = 0;
		signals[i].due_ns = 0;
	}
}

static bool checksum_holds(const struct look *look, const struct message *m, struct message_state *state)
{
	const struct signal *signals = at(look->d, look->d->signals_at);
	struct signal_state *states = at(look->d, look->d->signal_state_at);

	if (!checksum_matches(m, look->payload)) {
		look->d->results.tally[CHECKSUM_ERRORS]++;
		if (!state->bad)
			for (uint32_t i = m->first_signal; i < m->first_signal + m->signals; i++)
				give(look, &signals[i], &states[i], INVALID);
		state->bad = true;
		return false;
	}
	if (state->bad)
		forget_signals(look->d, m, state);
	state->bad = false;
	return true;
}

/* Looks at a whole (or filled up) frame; returns until when an equal one needs no look, or REPEATED. */
static int64_t update_message(struct look *look, const struct message *m, struct message_state *state)
{
	const struct signal *signals = at(look->d, look->d->signals_at);
	struct signal_state *states = at(look->d, look->d->signal_state_at);

	look->due_ns = NEVER;
	if (m->algorithm && !checksum_holds(look, m, state))
		return NEVER;
	if (m->flags & HAS_COUNTER && !counter_moved(look, m, state))
		return REPEATED;
	count_unknown_muxes(look, m);
	for (uint32_t i = m->first_signal; i < m->first_signal + m->signals; i++)
		if (carries(look, &signals[i]))
			update_signal(look, &signals[i], &states[i]);
	return m->flags & HAS_COUNTER ? 0 : look->due_ns;
}

static void keep(struct message_state *state, enum kept kept, const uint8_t *body, uint32_t length)
{
	state->kept = kept;
	state->kept_length = length;
	memcpy(state->body, body, length);
}

/* ---- frames ---------------------------------------------------------------------------------------- */

/* Takes what a frame shorter than its message carries; the rest keeps its last reading. */
static void feed_short(struct look *look, const struct message *m, struct message_state *state,
		       const uint8_t *body, uint32_t length, int64_t *seen_ns)
{
	uint8_t filled[sizeof(state->body)] = {0};
	uint32_t room = HEADER_BYTES + m->length;

	look->d->results.tally[SHORT_FRAME]++;
	look->have = length < HEADER_BYTES ? 0 : length - HEADER_BYTES < body[0] ? length - HEADER_BYTES : body[0];
	if (!look->have)
		return;
	if (state->kept) {
		room = state->kept_length;
		memcpy(filled, state->body, room);
	}
	memcpy(filled, body, HEADER_BYTES + look->have);
	look->payload = filled + HEADER_BYTES;
	if (update_message(look, m, state) != REPEATED)
		*seen_ns = look->now_ns;
	keep(state, FILLED, filled, room);
	state->due_ns = NEVER;
}

static void feed_whole(struct look *look, const struct message *m, struct message_state *state,
		       const uint8_t *body, uint32_t length, int64_t *seen_ns)
{
	int64_t due_ns;

	look->have = DATA_MAX;
	look->payload = body + HEADER_BYTES;
	if (state->kept == FILLED) { /* what was filled up then counts as never seen */
		state->kept = NOTHING;
		forget_signals(look->d, m, state);
	}
	state->time_us = look->time_us;
	due_ns = update_message(look, m, state);
	if (due_ns == REPEATED)
		return;
	keep(state, WHOLE, body, length);
	state->due_ns = due_ns;
	*seen_ns = look->now_ns;
}

static void count_stranger(struct decoder *d, uint32_t can_id)
{
	d->results.tally[can_id & ERR ? ERROR_FRAMES : can_id & RTR ? REMOTE_FRAMES : UNKNOWN_ID]++;
}

/* Returns the number of the message with this id, plus 1; 0: there is none. */
static uint32_t find(struct decoder *d, const struct message *messages, uint32_t can_id)
{
	const uint32_t *slots = at(d, d->slots_at);
	uint32_t slot = slot_of(can_id, d->slots);

	while (slots[slot] && messages[slots[slot] - 1].can_id != can_id)
		slot = (slot + 1) & (d->slots - 1);
	return slots[slot];
}

static void feed_record(struct look *look, const struct record *record, uint32_t number)
{
	struct decoder *d = look->d;
	const struct message *messages = at(d, d->messages_at), *m;
	const uint8_t *body = record->data + ID_BYTES;
	uint32_t size = record->length, length, k, can_id;
	struct message_state *state;
	int64_t *seen_ns;

	if (size > ID_BYTES + BODY_MAX)
		size = ID_BYTES + BODY_MAX;
	length = size < ID_BYTES ? 0 : size - ID_BYTES;
	memcpy(&can_id, record->data, sizeof(can_id));
	k = find(d, messages, can_id);
	if (k && !(messages[k - 1].flags & DECODED_HERE)) {
		((uint32_t *)at(d, d->results.handed_at))[d->results.handed++] = number;
		return;
	}
	d->results.tally[FRAMES]++;
	if (!k) {
		count_stranger(d, can_id);
		return;
	}
	m = &messages[k - 1];
	state = (struct message_state *)at(d, d->message_state_at) + k - 1;
	seen_ns = (int64_t *)at(d, d->results.seen_at) + k - 1;
	look->time_us = record->time_us;
	if (state->kept == WHOLE && state->kept_length == length && look->now_ns < state->due_ns &&
	    !memcmp(state->body, body, length)) {
		d->results.tally[UNCHANGED]++;
		*seen_ns = look->now_ns;
	} else if (length < HEADER_BYTES + (uint32_t)m->length || body[0] < m->length) {
		feed_short(look, m, state, body, length, seen_ns);
	} else {
		feed_whole(look, m, state, body, length, seen_ns);
	}
}

static struct look begin(struct decoder *d, int64_t now_ns)
{
	struct look look = {.d = d, .ranges = at(d, d->ranges_at), .now_ns = now_ns, .have = DATA_MAX};

	d->turn++;
	memset(d->results.found, 0, sizeof(d->results.found));
	d->results.handed = 0;
	return look;
}

static bool has_room(const struct decoder *d)
{
	for (int kind = 0; kind < KINDS; kind++)
		if (d->results.found[kind] + d->biggest > d->room[kind])
			return false;
	return d->results.handed < HANDED_MAX;
}

API uint32_t canreceive_feed(void *decoder, const struct record *records, uint32_t count, int64_t now_ns)
{
	struct look look = begin(decoder, now_ns);
	uint32_t taken = 0;

	for (; taken < count && has_room(decoder); taken++)
		feed_record(&look, &records[taken], taken);
	return taken;
}

API uint32_t canreceive_flush(void *decoder, uint32_t first, int64_t now_ns)
{
	struct look look = begin(decoder, now_ns);
	struct decoder *d = decoder;
	const struct message *messages = at(d, d->messages_at);
	struct message_state *states = at(d, d->message_state_at);

	for (; first < d->results.messages && has_room(d); first++) {
		struct message_state *state = &states[first];

		if (!(messages[first].flags & HOLDS_BACK) || state->kept != WHOLE || state->due_ns > now_ns)
			continue;
		look.payload = state->body + HEADER_BYTES;
		look.time_us = state->time_us;
		state->due_ns = update_message(&look, &messages[first], state);
	}
	return first;
}

API void canreceive_forget(void *decoder, uint32_t message)
{
	struct decoder *d = decoder;
	struct message_state *state = (struct message_state *)at(d, d->message_state_at) + message;

	if (message >= d->results.messages)
		return;
	state->kept = NOTHING;
	state->due_ns = NEVER;
	forget_signals(d, (const struct message *)at(d, d->messages_at) + message, state);
}
