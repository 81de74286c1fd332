// SPDX-License-Identifier: Apache-2.0
/* Checksums of payloads. Parameters and sources: smartcockpit.core.checksum; a test holds both together. */

#include "table.h"

static const struct {
	uint16_t polynomial, final;
	uint8_t bits;
} CRC[ALGORITHMS] = {
	[CRC8_SAE_J1850] = {0x1D, 0xFF, 8},
	[CRC8_H2F] = {0x2F, 0xFF, 8},
	[CRC16_CCITT_FALSE] = {0x1021, 0x0000, 16},
};

static uint16_t steps[ALGORITHMS][256];

__attribute__((constructor)) static void fill_steps(void)
{
	for (int a = 0; a < ALGORITHMS; a++) {
		uint32_t top = CRC[a].bits ? 1u << (CRC[a].bits - 1) : 0;

		for (uint32_t byte = 0; top && byte < 256; byte++) {
			uint32_t value = byte << (CRC[a].bits - 8);

			for (int bit = 0; bit < 8; bit++)
				value = value & top ? value << 1 ^ CRC[a].polynomial : value << 1;
			steps[a][byte] = (uint16_t)(value & (top * 2 - 1));
		}
	}
}

static uint16_t step(uint8_t algorithm, uint16_t value, uint8_t byte)
{
	switch (algorithm) {
	case SUM8:
		return (value + byte) & 0xFF;
	case XOR8:
		return value ^ byte;
	case CRC16_CCITT_FALSE:
		return (uint16_t)(value << 8 ^ steps[algorithm][(value >> 8 ^ byte) & 0xFF]);
	default:
		return steps[algorithm][(value ^ byte) & 0xFF];
	}
}

uint8_t checksum_bytes(uint8_t algorithm)
{
	return algorithm == CRC16_CCITT_FALSE ? 2 : 1;
}

bool checksum_matches(const struct message *message, const uint8_t *payload)
{
	uint8_t algorithm = message->algorithm, at = message->check_at, after = at + checksum_bytes(algorithm);
	uint16_t value = message->check_start ^ CRC[algorithm].final, carried = payload[at];

	for (uint8_t i = 0; i < at; i++)
		value = step(algorithm, value, payload[i]);
	for (uint8_t i = after; i < message->length; i++)
		value = step(algorithm, value, payload[i]);
	if (after == at + 2)
		carried = (uint16_t)(message->check_big_endian ? payload[at] << 8 | payload[at + 1]
							       : payload[at + 1] << 8 | payload[at]);
	return (value ^ CRC[algorithm].final) == carried;
}
