// SPDX-License-Identifier: Apache-2.0
/*
 * libcanreceive: from a CAN socket to changed signal values, for smartcockpit.adapters.native_*.
 *
 * No Python in here and no allocation: the caller gives memory and reads results out of it. Frames are what
 * anybody put on the bus, so nothing in them is trusted; a table is checked once, when it is opened. What a
 * decoder does is fixed by tests/unit/decode, which holds for this one and for the one in Python.
 *
 * Tables are little-endian (smartcockpit.vehicle.native_table writes them), and so must the machine be.
 */
#ifndef CANRECEIVE_H
#define CANRECEIVE_H

#include <stddef.h>
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tables are little-endian"
#endif

#define API __attribute__((visibility("default")))

#define CANRECEIVE_VERSION 1 /* of everything in this file that the other side can see */

enum { ID_BYTES = 4, HEADER_BYTES = 4, DATA_MAX = 64, BODY_MAX = HEADER_BYTES + DATA_MAX };
enum { OVER_READ = 9 }; /* a field is read as eight bytes from its first one on, sometimes a ninth */

/* One received frame: linux/can.h's struct can_frame or canfd_frame in `data`, id first. */
struct record {
	int64_t time_us; /* CLOCK_REALTIME */
	uint32_t length; /* of what is in data */
	uint8_t data[ID_BYTES + BODY_MAX + OVER_READ + 11];
};
_Static_assert(sizeof(struct record) == 104, "native_receiver.py knows this size");

/* ---- receive.c ------------------------------------------------------------------------------------- */

#define INTAKE_FRAMES 256

/* What one wake-up brings: head, then room for INTAKE_FRAMES records and for what recvmmsg(2) needs. */
struct intake {
	uint32_t slot;      /* in: room per frame, 16 or 72 bytes */
	uint32_t ends;      /* in: an empty message means that the other side has gone (SOCK_SEQPACKET) */
	uint32_t dropped;   /* out: the kernel's count of frames lost for want of room */
	uint32_t more;      /* out: more may wait */
	uint64_t malformed; /* out: datagrams of another size so far */
	struct record records[INTAKE_FRAMES];
};

API size_t canreceive_intake_size(void);
/* Returns how many records there are now, or -errno. Never blocks. */
API int canreceive_receive(void *intake, int fd);

/* ---- table.c --------------------------------------------------------------------------------------- */

enum kind { DOUBLE, INTEGER, BOOLEAN, TEXT, KINDS };

/* A new reading as Python's struct module unpacks it: "=IdBq", "=IqBq", "=I?7xBq". */
struct __attribute__((packed)) reading {
	uint32_t index;
	uint64_t value;
	uint8_t quality;
	int64_t time_us;
};

enum tally {
	CHECKSUM_ERRORS, COUNTER_ERRORS, ERROR_FRAMES, FRAMES, OUT_OF_RANGE, REMOTE_FRAMES, SHORT_FRAME,
	UNCHANGED, UNKNOWN_ID, UNKNOWN_MUX, TALLIES
}; /* the order of smartcockpit.core.table.Tally */

#define HANDED_MAX INTAKE_FRAMES

/* Head of a decoder's memory: what Python reads. Places are offsets into that memory. */
struct results {
	uint32_t found[KINDS]; /* readings of the last call */
	uint32_t handed;       /* frames of the last call that are for the decoder in Python */
	uint32_t messages;
	uint64_t tally[TALLIES];
	uint64_t found_at[KINDS]; /* struct reading[] */
	uint64_t handed_at;       /* uint32_t[], index of the record */
	uint64_t seen_at;         /* int64_t[], monotonic ns of each message's last frame, 0: never */
};

API uint32_t canreceive_version(void);
/* Returns how much memory a decoder of this table needs, 0 when the table is broken. */
API size_t canreceive_decoder_size(const void *table, size_t table_size);
/* Returns 0, or -1 when table or memory will not do. Memory must be aligned to 8 bytes. */
API int canreceive_open(void *decoder, size_t size, const void *table, size_t table_size);

/* ---- feed.c ---------------------------------------------------------------------------------------- */

/* Decodes records until there is no room for more readings; returns how many were taken. */
API uint32_t canreceive_feed(void *decoder, const struct record *records, uint32_t count, int64_t now_ns);
/* Gives what an interval held back, from message `first` on; returns the message to go on with. */
API uint32_t canreceive_flush(void *decoder, uint32_t first, int64_t now_ns);
/* The next frame of this message gives all its signals again. */
API void canreceive_forget(void *decoder, uint32_t message);

#endif
