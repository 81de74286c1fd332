// SPDX-License-Identifier: Apache-2.0
/* From a payload to readings, by the rules of the generated updaters (smartcockpit.vehicle.updater_source). */

#include "decode.h"

enum quality { INVALID = 1, VALID = 3 };

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

void forget_signals(struct decoder *d, const struct message *m, struct message_state *state)
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

int64_t update_message(struct look *look, const struct message *m, struct message_state *state)
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
