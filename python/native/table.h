// SPDX-License-Identifier: Apache-2.0
/*
 * The decode table as it stands in memory, and the state beside it. Its writer is
 * smartcockpit.vehicle.native_table; table.c has checked every number in it before feed.c sees it.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>

#include "canreceive.h"

#define TABLE_MAGIC 0x54524353u /* "SCRT" */
#define NEVER INT64_MAX

/* Head of a table. The sections follow in the order of the counts. */
struct head {
	uint32_t magic, version;
	uint32_t messages, signals, ranges, rows, muxes, conditions;
};

enum form { BIG_ENDIAN_FIELD = 1, SIGNED_FIELD = 2, FLOAT_FIELD = 4 };

/* Bits of a frame. `shift`, little-endian: the lowest bit in `byte`; big-endian: bits above the highest. */
struct place {
	uint8_t byte, shift, length, form;
};

union number {
	int64_t whole;
	double real;
	uint64_t bits;
};

enum message_flag { DECODED_HERE = 1, HOLDS_BACK = 2, HAS_COUNTER = 4 };
enum algorithm { NO_CHECKSUM, CRC8_SAE_J1850, CRC8_H2F, CRC16_CCITT_FALSE, SUM8, XOR8, ALGORITHMS };

struct message {
	uint32_t can_id;
	uint8_t length, flags, algorithm, check_at;
	uint8_t check_big_endian, unused;
	uint16_t check_start; /* checksum of the data id alone */
	struct place counter;
	uint64_t modulus;
	uint32_t step, first_signal, signals, first_mux, muxes, unused2;
};

enum conversion { EXACT, FLOATING, LISTED, CONVERSIONS };
enum signal_flag { ON_CHANGE = 1, ONE_TO_ONE = 2, HAS_LOW = 4, HAS_HIGH = 8 };

/* Numbers of a FLOAT_FIELD are real, others whole; scale and offset are real when FLOATING. */
struct signal {
	uint32_t index;
	struct place place;
	uint8_t end, conversion, kind, flags; /* end: bytes that a frame needs to carry it */
	uint32_t first_condition;
	uint16_t conditions, excluded;
	uint32_t first_excluded, first_row, rows;
	int64_t interval_ns;
	union number low, high, scale, offset;
	int64_t divisor;
};

struct range {
	int64_t low, high;
};

/* Raw numbers from low to high mean `value`. */
struct row {
	int64_t low, high;
	uint64_t value;
};

/* A multiplexer; `ranges` are the values that carry signals. An inner one (`top` 0) may well have another. */
struct mux {
	struct place place;
	uint32_t top, first_range, ranges;
};

struct condition {
	uint32_t mux, first_range, ranges;
};

/* ---- state ----------------------------------------------------------------------------------------- */

enum kept { NOTHING, WHOLE, FILLED }; /* FILLED: a short frame, filled up */

struct message_state {
	int64_t due_ns, time_us; /* of a WHOLE body: until when it needs no look, and when it came */
	int64_t count, expected;
	bool counting, bad;
	uint8_t kept;
	uint32_t kept_length;
	uint8_t body[BODY_MAX + OVER_READ + 3];
};

struct signal_state {
	union number raw, value;
	int64_t due_ns;
	uint64_t turn; /* of its newest reading, */
	uint32_t at;   /* and where that stands while the turn lasts */
	uint8_t quality;
	bool known;
};

/* A decoder's memory: this, then the table, then the state. */
struct decoder {
	struct results results;
	uint64_t turn; /* calls so far */
	uint32_t biggest; /* most signals of a message */
	uint32_t room[KINDS];
	uint32_t slots; /* of the hash table of ids, a power of two */
	uint64_t table_at, message_state_at, signal_state_at, slots_at;
	uint64_t messages_at, signals_at, ranges_at, rows_at, muxes_at, conditions_at;
};

static inline void *at(struct decoder *d, uint64_t offset)
{
	return (uint8_t *)d + offset;
}

static inline uint32_t slot_of(uint32_t can_id, uint32_t slots)
{
	return (can_id * 0x9E3779B1u) >> 7 & (slots - 1);
}

/* guard.c: says whether the payload carries the right checksum. */
bool checksum_matches(const struct message *message, const uint8_t *payload);
uint8_t checksum_bytes(uint8_t algorithm);

#endif
