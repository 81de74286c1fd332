// SPDX-License-Identifier: Apache-2.0
/* From frames to payloads: which message, unchanged or not, whole or short; and the library's face to it. */

#include <string.h>

#include "decode.h"

enum can_flag { RTR = 0x40000000u, ERR = 0x20000000u }; /* linux/can.h */

static void keep(struct message_state *state, enum kept kept, const uint8_t *body, uint32_t length)
{
	state->kept = kept;
	state->kept_length = length;
	memcpy(state->body, body, length);
}

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
	forget_signals(d, (const struct message *)at(d, d->messages_at) + message, state);
}
