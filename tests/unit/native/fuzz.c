// SPDX-License-Identifier: Apache-2.0
/*
 * Drives libcanreceive with broken tables and hostile frames under the address and undefined-behaviour
 * sanitizers, which end the program where it reads or writes what it should not. Every buffer has exactly the
 * size that the library was told.
 *
 *     fuzz TABLE SEED ROUNDS      prints how many tables were taken, how many readings came, and their digest
 *
 * Equal arguments give equal lines on every processor.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "canreceive.h"

enum { HEAD_BYTES = 32, MESSAGE_BYTES = 48, RECORDS = 40 };

static uint64_t state, digest;

static uint64_t any(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return below ? state % below : state;
}

static void *exactly(size_t size)
{
	void *memory = malloc(size ? size : 1);

	if (!memory)
		abort();
	return memory;
}

/* Changes some bytes, or a whole word into one that numbers go wrong with. */
static void spoil(uint8_t *table, size_t size)
{
	static const uint64_t words[] = {0, 1, 63, 64, 65, 0x7FFFFFFF, 0xFFFFFFFF, INT64_MAX, (uint64_t)INT64_MIN};

	for (uint64_t n = any(4); n; n--) {
		uint64_t how = any(4), at = any(size - 8), what = any(0);

		if (how < 2)
			table[at] ^= (uint8_t)(1u << what % 8);
		else if (how == 2)
			table[at] = (uint8_t)what;
		else
			memcpy(table + at / 4 * 4, &words[what % (sizeof(words) / 8)], what & 256 ? 8 : 4);
	}
}

static void fill(struct record *records, const uint8_t *table, size_t size, uint32_t messages)
{
	static const uint32_t lengths[] = {0, 1, 3, 4, 5, 8, 15, 16, 17, 71, 72, 73, 200, UINT32_MAX};

	for (int i = 0; i < RECORDS; i++) {
		size_t id_at = HEAD_BYTES + MESSAGE_BYTES * any(messages ? messages : 1);

		records[i].time_us = (int64_t)any(0);
		records[i].length = any(8) ? (any(2) ? 16 : 72) : lengths[any(sizeof(lengths) / 4)];
		for (size_t b = 0; b < sizeof(records[i].data); b++)
			records[i].data[b] = (uint8_t)any(any(2) ? 3 : 256);
		if (id_at + 4 <= size && any(8))
			memcpy(records[i].data, table + id_at, 4);
		records[i].data[4] = any(8) ? 64 : (uint8_t)any(256);
	}
}

/* Takes all that the library says it found into the digest; returns how many readings that is. */
static uint64_t look(const uint8_t *memory, size_t size)
{
	const struct results *results = (const void *)memory;
	uint64_t total = 0;

	for (int kind = 0; kind < KINDS; kind++) {
		size_t bytes = results->found[kind] * sizeof(struct reading);

		total += results->found[kind];
		if (results->found_at[kind] + bytes > size)
			abort();
		for (size_t b = 0; b < bytes; b++)
			digest = digest * 31 + memory[results->found_at[kind] + b];
	}
	return total;
}

static uint64_t drive(uint8_t *memory, size_t size, const uint8_t *table, size_t table_size)
{
	const struct results *results = (const void *)memory;
	struct record *records = exactly(RECORDS * sizeof(*records));
	uint64_t readings = 0;
	int64_t now_ns = 1;

	for (int turn = 0; turn < 8; turn++) {
		fill(records, table, table_size, results->messages);
		for (uint32_t done = 0, taken = 1; done < RECORDS && taken; done += taken) {
			taken = canreceive_feed(memory, records + done, RECORDS - done, now_ns);
			readings += look(memory, size);
		}
		now_ns += (int64_t)any(1u << 28);
		for (uint32_t first = 0, next; first < results->messages; first = next) {
			next = canreceive_flush(memory, first, now_ns);
			readings += look(memory, size);
			if (next <= first)
				abort();
		}
		canreceive_forget(memory, (uint32_t)any(results->messages + 2));
	}
	free(records);
	return readings;
}

static void receive(void)
{
	uint8_t datagram[100];
	int ends[2], flags = any(2) ? SOCK_DGRAM : SOCK_SEQPACKET;
	struct intake *intake = exactly(canreceive_intake_size());

	memset(intake, 0, canreceive_intake_size());
	if (socketpair(AF_UNIX, flags, 0, ends))
		abort();
	intake->slot = any(8) ? (any(2) ? 16 : 72) : (uint32_t)any(100);
	intake->ends = flags == SOCK_SEQPACKET;
	for (int turn = 0; turn < 3; turn++) {
		for (uint64_t n = any(40); n; n--) {
			size_t length = any(2) ? (any(2) ? 16 : 72) : any(sizeof(datagram));

			for (size_t b = 0; b < length; b++)
				datagram[b] = (uint8_t)any(256);
			if (send(ends[0], datagram, length, 0) < 0)
				abort();
		}
		if (canreceive_receive(intake, ends[1]) > INTAKE_FRAMES)
			abort();
	}
	close(ends[0]);
	canreceive_receive(intake, ends[1]);
	close(ends[1]);
	free(intake);
}

int main(int argc, char **argv)
{
	static uint8_t whole[1 << 20];
	uint64_t taken = 0, readings = 0;
	size_t size;
	FILE *file = argc == 4 ? fopen(argv[1], "rb") : NULL;

	if (!file)
		return 2;
	size = fread(whole, 1, sizeof(whole), file);
	fclose(file);
	state = strtoull(argv[2], NULL, 10) * 2654435761u + 1;
	for (long round = strtol(argv[3], NULL, 10); round; round--) {
		size_t table_size = any(50) ? size : any(size), needed;
		uint8_t *table = exactly(table_size), *memory;

		memcpy(table, whole, table_size);
		if (round % 4 && table_size > 8)
			spoil(table, table_size);
		needed = canreceive_decoder_size(table, table_size);
		memory = exactly(needed);
		if (needed && canreceive_open(memory, needed - 1, table, table_size) == 0)
			abort();
		if (needed && canreceive_open(memory, needed, table, table_size) == 0) {
			taken++;
			readings += drive(memory, needed, table, table_size);
		}
		free(memory);
		free(table);
		receive();
	}
	printf("%llu %llu %016llx\n", (unsigned long long)taken, (unsigned long long)readings,
	       (unsigned long long)digest);
	return 0;
}
