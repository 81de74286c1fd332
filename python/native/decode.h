// SPDX-License-Identifier: Apache-2.0
/* What the three steps of decoding share: feed.c, update.c, value.c. */
#ifndef DECODE_H
#define DECODE_H

#include "table.h"

#define REPEATED (-1) /* as due: the counter stood still, the frame is no sign of life */

/* What one look at a frame needs; `have` bytes of it are there. */
struct look {
	struct decoder *d;
	const struct range *ranges;
	const uint8_t *payload;
	int64_t now_ns, time_us, due_ns;
	uint32_t have;
};

/* ---- value.c --------------------------------------------------------------------------------------- */

union number read_field(const struct place *p, const uint8_t *payload);
bool in_ranges(const struct range *ranges, uint32_t first, uint32_t count, int64_t value);
/* Says whether raw is a good value, and which. */
bool value_of(const struct look *look, const struct signal *s, union number raw, union number *value);

/* ---- update.c -------------------------------------------------------------------------------------- */

/* Looks at a whole (or filled up) frame; returns until when an equal one needs no look, or REPEATED. */
int64_t update_message(struct look *look, const struct message *m, struct message_state *state);
void forget_signals(struct decoder *d, const struct message *m, struct message_state *state);

#endif
