// SPDX-License-Identifier: Apache-2.0
/* recvmmsg(2) with the kernel's time stamp of each frame: smartcockpit.adapters.recvmmsg, at less cost. */

#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "canreceive.h"

enum { CLASSIC_BYTES = 16, FD_BYTES = 72 }; /* linux/can.h: CAN_MTU, CANFD_MTU */
enum { TIMESTAMPNS = 35, RXQ_OVFL = 40 };   /* asm-generic/socket.h; the caller has asked for them */
enum { CONTROL_BYTES = 64 };		    /* a timespec and a counter, each behind its head, and some room */

/* Behind the part that Python knows. */
struct workings {
	struct intake intake;
	uint32_t used; /* headers that the kernel has written into */
	struct mmsghdr headers[INTAKE_FRAMES];
	struct iovec places[INTAKE_FRAMES];
	_Alignas(struct cmsghdr) uint8_t control[INTAKE_FRAMES][CONTROL_BYTES];
};

API size_t canreceive_intake_size(void)
{
	return sizeof(struct workings);
}

static void make_ready(struct workings *w)
{
	if (!w->headers[0].msg_hdr.msg_iov) {
		for (uint32_t i = 0; i < INTAKE_FRAMES; i++) {
			w->headers[i].msg_hdr.msg_iov = &w->places[i];
			w->headers[i].msg_hdr.msg_iovlen = 1;
			w->headers[i].msg_hdr.msg_control = w->control[i];
			w->places[i].iov_base = w->intake.records[i].data;
			w->places[i].iov_len = w->intake.slot;
		}
		w->used = INTAKE_FRAMES;
	}
	for (uint32_t i = 0; i < w->used; i++) /* the kernel left what it used, not what there is */
		w->headers[i].msg_hdr.msg_controllen = CONTROL_BYTES;
}

/* Returns the kernel's receive time in us, `fallback` where it gave none; notes the drop counter. */
static int64_t read_control(struct msghdr *header, uint32_t *dropped, int64_t *fallback)
{
	int64_t time_us = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == TIMESTAMPNS && c->cmsg_len >= CMSG_LEN(2 * sizeof(long))) {
			long stamp[2];

			memcpy(stamp, CMSG_DATA(c), sizeof(stamp));
			time_us = (int64_t)stamp[0] * 1000000 + stamp[1] / 1000;
		} else if (c->cmsg_type == RXQ_OVFL && c->cmsg_len >= CMSG_LEN(sizeof(*dropped))) {
			memcpy(dropped, CMSG_DATA(c), sizeof(*dropped));
		}
	}
	if (!time_us && !*fallback) {
		struct timespec now;

		clock_gettime(CLOCK_REALTIME, &now);
		*fallback = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	}
	return time_us ? time_us : *fallback;
}

API int canreceive_receive(void *intake, int fd)
{
	struct workings *w = intake;
	struct intake *in = &w->intake;
	int64_t fallback = 0;
	int count, kept = 0, empty = 0;

	if (in->slot != CLASSIC_BYTES && in->slot != FD_BYTES)
		return -EINVAL;
	make_ready(w);
	w->used = 0;
	count = recvmmsg(fd, w->headers, INTAKE_FRAMES, MSG_DONTWAIT, NULL);
	if (count < 0)
		return -errno;
	w->used = (uint32_t)count;
	in->more = count == INTAKE_FRAMES;
	for (int i = 0; i < count; i++) {
		uint32_t length = w->headers[i].msg_len;
		struct record *from = &in->records[i], *to = &in->records[kept];
		int64_t time_us = read_control(&w->headers[i].msg_hdr, &in->dropped, &fallback);

		empty += length == 0;
		if (length != CLASSIC_BYTES && length != FD_BYTES) {
			continue;
		}
		if (to != from)
			memcpy(to->data, from->data, length);
		to->time_us = time_us;
		to->length = length;
		kept++;
	}
	if (count && empty == count && in->ends)
		return -ENODEV;
	in->malformed += (uint64_t)(count - kept);
	return kept;
}
