// SPDX-License-Identifier: Apache-2.0
/* From the bits of a field to its value, exactly as the generated Python computes it. */

#include <string.h>

#include "decode.h"

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

union number read_field(const struct place *p, const uint8_t *payload)
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

bool in_ranges(const struct range *ranges, uint32_t first, uint32_t count, int64_t value)
{
	for (const struct range *r = ranges + first; r < ranges + first + count; r++)
		if (r->low <= value && value <= r->high)
			return true;
	return false;
}

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

bool value_of(const struct look *look, const struct signal *s, union number raw, union number *value)
{
	if (s->conversion == LISTED)
		return listed_value(look->d, s, raw.whole, value);
	if (!within_limits(look, s, raw))
		return false;
	*value = s->conversion == EXACT ? exact_value(s, raw.whole) : floating_value(s, raw);
	return true;
}
