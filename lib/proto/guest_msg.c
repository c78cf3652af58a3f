// SPDX-License-Identifier: Apache-2.0
/*
 * Frames that both ends of the guest protocol write and read, all but RUN (guest_run.c), FILES
 * (guest_files.c) and those of execs (guest_exec.c) and of probes (guest_probe.c).
 *
 * An encoder writes header and payload in one go and fills in the length at the end. A decoder reads
 * all fields first and judges afterwards; enumerations and indices are checked here, so that nobody
 * behind it needs to.
 */
#include "proto/guest_msg.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "proto/guest_frame.h"

long guest_frame_parse(const void *data, size_t len, struct guest_frame *f)
{
	struct wire_reader r;
	uint32_t payload;

	wire_read(&r, data, len);
	payload = wire_u32(&r);
	f->type = wire_u16(&r);
	f->stream = wire_u16(&r);
	if (!wire_ok(&r))
		return 0;
	if (payload > GUEST_FRAME_PAYLOAD_MAX)
		return -EMSGSIZE;
	f->len = payload;
	f->payload = wire_bytes(&r, payload);
	return f->payload ? (long)r.pos : 0;
}

/* The length field of a frame comes before type and stream, so it isn't a record of wire.h. */
void frame_begin(struct wire_writer *w, void *out, size_t size, enum guest_msg_type type,
		 uint16_t stream)
{
	wire_write(w, out, size);
	wire_put_u32(w, 0);
	wire_put_u16(w, (uint16_t)type);
	wire_put_u16(w, stream);
}

long frame_end(struct wire_writer *w)
{
	size_t len = w->len;
	struct wire_writer head;

	if (w->failed || len > GUEST_FRAME_HEADER + GUEST_FRAME_PAYLOAD_MAX)
		return -ENOBUFS;
	wire_write(&head, w->data, 4);
	wire_put_u32(&head, (uint32_t)(len - GUEST_FRAME_HEADER));
	return (long)len;
}

void frame_read(struct wire_reader *r, const struct guest_frame *f)
{
	wire_read(r, f->payload, f->len);
}

long frame_split(uint8_t *out, const uint8_t *payload, size_t len, enum guest_msg_type type)
{
	uint8_t *to = out;

	do {
		uint32_t part = (uint32_t)MIN(len, (size_t)GUEST_FRAME_PAYLOAD_MAX);
		struct wire_writer w;

		wire_write(&w, to, GUEST_FRAME_HEADER);
		wire_put_u32(&w, part);
		wire_put_u16(&w, (uint16_t)type);
		wire_put_u16(&w, part < len);
		memmove(to + GUEST_FRAME_HEADER, payload, part);
		to += GUEST_FRAME_HEADER + part;
		payload += part;
		len -= part;
	} while (len);
	return to - out;
}

bool container_valid(uint16_t container)
{
	return container < GUEST_CONTAINERS_MAX;
}

long guest_hello_encode(const struct guest_hello *m, void *out, size_t size)
{
	struct wire_writer w;

	frame_begin(&w, out, size, GUEST_MSG_HELLO, 0);
	wire_put_u16(&w, m->version_min);
	wire_put_u16(&w, m->version_max);
	wire_put_u8(&w, (uint8_t)m->state);
	wire_put_u64(&w, m->uptime_ms);
	wire_put_str(&w, m->build);
	return frame_end(&w);
}

int guest_hello_decode(const struct guest_frame *f, struct guest_hello *m)
{
	struct wire_reader r;
	uint8_t state;

	frame_read(&r, f);
	m->version_min = wire_u16(&r);
	m->version_max = wire_u16(&r);
	state = wire_u8(&r);
	m->uptime_ms = wire_u64(&r);
	m->build = wire_str(&r, GUEST_NAME_MAX);
	if (!wire_ok(&r) || state > GUEST_STATE_ENDED || m->version_min > m->version_max)
		return -EBADMSG;
	m->state = (enum guest_state)state;
	return 0;
}

long guest_welcome_encode(const struct guest_welcome *m, void *out, size_t size)
{
	struct wire_writer w;

	frame_begin(&w, out, size, GUEST_MSG_WELCOME, 0);
	wire_put_u16(&w, m->version);
	wire_put_u32(&w, m->log_window);
	return frame_end(&w);
}

int guest_welcome_decode(const struct guest_frame *f, struct guest_welcome *m)
{
	struct wire_reader r;

	frame_read(&r, f);
	m->version = wire_u16(&r);
	m->log_window = wire_u32(&r);
	return wire_ok(&r) ? 0 : -EBADMSG;
}

long guest_started_encode(const struct guest_started *m, void *out, size_t size)
{
	struct wire_writer w;

	frame_begin(&w, out, size, GUEST_MSG_STARTED, 0);
	wire_put_u16(&w, m->container);
	wire_put_u32(&w, m->pid);
	wire_put_u64(&w, m->started_ns);
	wire_put_u32(&w, m->restart_count);
	return frame_end(&w);
}

int guest_started_decode(const struct guest_frame *f, struct guest_started *m)
{
	struct wire_reader r;

	frame_read(&r, f);
	m->container = wire_u16(&r);
	m->pid = wire_u32(&r);
	m->started_ns = wire_u64(&r);
	m->restart_count = wire_u32(&r);
	return wire_ok(&r) && container_valid(m->container) ? 0 : -EBADMSG;
}

long guest_exit_encode(const struct guest_exit *m, void *out, size_t size)
{
	struct wire_writer w;

	if (m->message_len > GUEST_TERMINATION_MAX)
		return -EINVAL;
	frame_begin(&w, out, size, GUEST_MSG_EXIT, 0);
	wire_put_u16(&w, m->container);
	wire_put_u8(&w, m->code);
	wire_put_u8(&w, m->signal);
	wire_put_u8(&w, m->oom);
	wire_put_u64(&w, m->started_ns);
	wire_put_u64(&w, m->finished_ns);
	wire_put_u32(&w, m->restart_count);
	wire_put_u32(&w, m->backoff_ms);
	wire_put_u32(&w, m->message_len);
	wire_put_bytes(&w, m->message, m->message_len);
	return frame_end(&w);
}

int guest_exit_decode(const struct guest_frame *f, struct guest_exit *m)
{
	struct wire_reader r;

	frame_read(&r, f);
	m->container = wire_u16(&r);
	m->code = wire_u8(&r);
	m->signal = wire_u8(&r);
	m->oom = wire_u8(&r) != 0;
	m->started_ns = wire_u64(&r);
	m->finished_ns = wire_u64(&r);
	m->restart_count = wire_u32(&r);
	m->backoff_ms = wire_u32(&r);
	m->message_len = wire_count(&r, GUEST_TERMINATION_MAX);
	m->message = wire_bytes(&r, m->message_len);
	return wire_ok(&r) && container_valid(m->container) ? 0 : -EBADMSG;
}

long guest_failed_encode(const struct guest_failed *m, void *out, size_t size)
{
	struct wire_writer w;

	frame_begin(&w, out, size, GUEST_MSG_FAILED, 0);
	wire_put_u16(&w, m->container);
	wire_put_u8(&w, m->code);
	wire_put_u64(&w, m->finished_ns);
	wire_put_u32(&w, m->restart_count);
	wire_put_u32(&w, m->backoff_ms);
	wire_put_str(&w, m->reason);
	wire_put_str(&w, m->message);
	return frame_end(&w);
}

int guest_failed_decode(const struct guest_frame *f, struct guest_failed *m)
{
	struct wire_reader r;

	frame_read(&r, f);
	m->container = wire_u16(&r);
	m->code = wire_u8(&r);
	m->finished_ns = wire_u64(&r);
	m->restart_count = wire_u32(&r);
	m->backoff_ms = wire_u32(&r);
	m->reason = wire_str(&r, GUEST_REASON_MAX);
	m->message = wire_str(&r, GUEST_MESSAGE_MAX);
	if (!wire_ok(&r) || !m->reason[0])
		return -EBADMSG;
	return container_valid(m->container) || m->container == GUEST_POD ? 0 : -EBADMSG;
}

long guest_log_encode(const struct guest_log *m, void *out, size_t size)
{
	struct wire_writer w;

	if (m->len > GUEST_LOG_DATA_MAX || !container_valid(m->container))
		return -EINVAL;
	frame_begin(&w, out, size, GUEST_MSG_LOG,
		    (uint16_t)(m->container * 2 + (uint16_t)m->stream));
	wire_put_u64(&w, m->offset);
	wire_put_u64(&w, m->time_ns);
	wire_put_bytes(&w, m->data, m->len);
	return frame_end(&w);
}

int guest_log_decode(const struct guest_frame *f, struct guest_log *m)
{
	struct wire_reader r;

	if (f->stream >= GUEST_STREAMS_MAX)
		return -EBADMSG;
	frame_read(&r, f);
	m->container = f->stream / 2;
	m->stream = f->stream % 2 ? GUEST_STREAM_STDERR : GUEST_STREAM_STDOUT;
	m->offset = wire_u64(&r);
	m->time_ns = wire_u64(&r);
	m->len = (uint32_t)wire_left(&r);
	m->data = wire_bytes(&r, m->len);
	return wire_ok(&r) && m->len <= GUEST_LOG_DATA_MAX ? 0 : -EBADMSG;
}

long guest_done_encode(void *out, size_t size)
{
	struct wire_writer w;

	frame_begin(&w, out, size, GUEST_MSG_DONE, 0);
	return frame_end(&w);
}

long guest_stop_encode(const struct guest_stop *m, void *out, size_t size)
{
	struct wire_writer w;

	frame_begin(&w, out, size, GUEST_MSG_STOP, 0);
	wire_put_u32(&w, m->grace_ms);
	wire_put_u8(&w, m->done_seen);
	return frame_end(&w);
}

int guest_stop_decode(const struct guest_frame *f, struct guest_stop *m)
{
	struct wire_reader r;

	frame_read(&r, f);
	m->grace_ms = wire_u32(&r);
	m->done_seen = wire_u8(&r) != 0;
	return wire_ok(&r) ? 0 : -EBADMSG;
}

long guest_credit_encode(uint16_t stream, uint32_t bytes, void *out, size_t size)
{
	struct wire_writer w;

	frame_begin(&w, out, size, GUEST_MSG_CREDIT, stream);
	wire_put_u32(&w, bytes);
	return frame_end(&w);
}

int guest_credit_decode(const struct guest_frame *f, uint16_t *stream, uint32_t *bytes)
{
	struct wire_reader r;

	frame_read(&r, f);
	*stream = f->stream;
	*bytes = wire_u32(&r);
	return wire_ok(&r) && f->stream < GUEST_CREDIT_STREAMS_MAX ? 0 : -EBADMSG;
}

uint16_t guest_version_pick(uint16_t min, uint16_t max)
{
	uint16_t v = MIN(max, (uint16_t)GUEST_MSG_VERSION_MAX);

	return v >= MAX(min, (uint16_t)GUEST_MSG_VERSION_MIN) ? v : 0;
}
