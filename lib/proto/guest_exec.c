// SPDX-License-Identifier: Apache-2.0
/*
 * The frames of execs. The header's stream is the slot, which is checked here on both sides, so that
 * it can be an index behind.
 */
#include <errno.h>
#include <string.h>

#include "proto/guest_frame.h"

#define SIGNAL_MAX 64

enum {
	EXEC_ATTACH = 1 << 0,
	EXEC_TTY = 1 << 1,
	EXEC_STDIN = 1 << 2,
};

static bool exec_valid(uint16_t exec)
{
	return exec < GUEST_EXECS_MAX;
}

/* The rules of EXEC, for the one who writes it and the one who reads it. */
static bool exec_good(const struct guest_exec *m)
{
	size_t bytes = 0;

	if (!exec_valid(m->exec) || !container_valid(m->container))
		return false;
	for (uint32_t i = 0; i < m->args.count && bytes <= GUEST_EXEC_BYTES_MAX; i++)
		bytes += strlen(m->args.at[i]) + 1;
	if (bytes > GUEST_EXEC_BYTES_MAX || m->args.count > GUEST_EXEC_ARGS_MAX)
		return false;
	return m->attach || (m->args.count && m->args.at[0][0]);
}

long guest_exec_encode(const struct guest_exec *m, void *out, size_t size)
{
	struct wire_writer w;

	if (!exec_good(m))
		return -EINVAL;
	frame_begin(&w, out, size, GUEST_MSG_EXEC, m->exec);
	wire_put_u16(&w, m->container);
	wire_put_u8(&w, (uint8_t)((m->attach ? EXEC_ATTACH : 0) | (m->tty ? EXEC_TTY : 0) |
				  (m->with_stdin ? EXEC_STDIN : 0)));
	wire_put_u16(&w, m->cols);
	wire_put_u16(&w, m->rows);
	wire_put_u32(&w, m->window);
	wire_put_u32(&w, m->args.count);
	for (uint32_t i = 0; i < m->args.count; i++)
		wire_put_str(&w, m->args.at[i]);
	return frame_end(&w);
}

int guest_exec_decode(const struct guest_frame *f, struct guest_exec *m)
{
	struct wire_reader r;
	uint8_t flags;

	frame_read(&r, f);
	m->exec = f->stream;
	m->container = wire_u16(&r);
	flags = wire_u8(&r);
	m->attach = flags & EXEC_ATTACH;
	m->tty = flags & EXEC_TTY;
	m->with_stdin = flags & EXEC_STDIN;
	m->cols = wire_u16(&r);
	m->rows = wire_u16(&r);
	m->window = wire_u32(&r);
	m->args.at = m->strings;
	m->args.count = wire_count(&r, GUEST_EXEC_ARGS_MAX);
	for (uint32_t i = 0; i < m->args.count; i++)
		m->strings[i] = wire_str(&r, GUEST_EXEC_BYTES_MAX);
	return wire_ok(&r) && exec_good(m) ? 0 : -EBADMSG;
}

long guest_stdin_encode(const struct guest_stdin *m, void *out, size_t size)
{
	struct wire_writer w;

	if (!exec_valid(m->exec) || m->len > GUEST_EXEC_DATA_MAX)
		return -EINVAL;
	frame_begin(&w, out, size, GUEST_MSG_STDIN, m->exec);
	wire_put_bytes(&w, m->data, m->len);
	return frame_end(&w);
}

int guest_stdin_decode(const struct guest_frame *f, struct guest_stdin *m)
{
	m->exec = f->stream;
	m->data = f->payload;
	m->len = f->len;
	return exec_valid(m->exec) && m->len <= GUEST_EXEC_DATA_MAX ? 0 : -EBADMSG;
}

long guest_resize_encode(const struct guest_resize *m, void *out, size_t size)
{
	struct wire_writer w;

	if (!exec_valid(m->exec))
		return -EINVAL;
	frame_begin(&w, out, size, GUEST_MSG_RESIZE, m->exec);
	wire_put_u16(&w, m->cols);
	wire_put_u16(&w, m->rows);
	return frame_end(&w);
}

int guest_resize_decode(const struct guest_frame *f, struct guest_resize *m)
{
	struct wire_reader r;

	frame_read(&r, f);
	m->exec = f->stream;
	m->cols = wire_u16(&r);
	m->rows = wire_u16(&r);
	return wire_ok(&r) && exec_valid(m->exec) ? 0 : -EBADMSG;
}

static bool signal_good(const struct guest_signal *m)
{
	return exec_valid(m->exec) && m->signal && m->signal <= SIGNAL_MAX;
}

long guest_signal_encode(const struct guest_signal *m, void *out, size_t size)
{
	struct wire_writer w;

	if (!signal_good(m))
		return -EINVAL;
	frame_begin(&w, out, size, GUEST_MSG_SIGNAL, m->exec);
	wire_put_u8(&w, m->signal);
	wire_put_u32(&w, m->kill_ms);
	return frame_end(&w);
}

int guest_signal_decode(const struct guest_frame *f, struct guest_signal *m)
{
	struct wire_reader r;

	frame_read(&r, f);
	m->exec = f->stream;
	m->signal = wire_u8(&r);
	m->kill_ms = wire_u32(&r);
	return wire_ok(&r) && signal_good(m) ? 0 : -EBADMSG;
}

long guest_exec_output_encode(const struct guest_exec_output *m, void *out, size_t size)
{
	struct wire_writer w;

	if (!exec_valid(m->exec) || m->len > GUEST_EXEC_DATA_MAX)
		return -EINVAL;
	frame_begin(&w, out, size, GUEST_MSG_EXEC_OUTPUT, m->exec);
	wire_put_u8(&w, (uint8_t)m->stream);
	wire_put_bytes(&w, m->data, m->len);
	return frame_end(&w);
}

int guest_exec_output_decode(const struct guest_frame *f, struct guest_exec_output *m)
{
	struct wire_reader r;
	uint8_t stream;

	frame_read(&r, f);
	m->exec = f->stream;
	stream = wire_u8(&r);
	m->stream = (enum guest_stream)stream;
	m->len = (uint32_t)wire_left(&r);
	m->data = wire_bytes(&r, m->len);
	return wire_ok(&r) && exec_valid(m->exec) && stream <= GUEST_STREAM_STDERR &&
			       m->len <= GUEST_EXEC_DATA_MAX
		       ? 0
		       : -EBADMSG;
}

long guest_exec_end_encode(const struct guest_exec_end *m, void *out, size_t size)
{
	struct wire_writer w;

	if (!exec_valid(m->exec))
		return -EINVAL;
	frame_begin(&w, out, size, GUEST_MSG_EXEC_END, m->exec);
	wire_put_u8(&w, m->code);
	wire_put_u8(&w, m->signal);
	wire_put_str(&w, m->reason);
	wire_put_str(&w, m->message);
	return frame_end(&w);
}

int guest_exec_end_decode(const struct guest_frame *f, struct guest_exec_end *m)
{
	struct wire_reader r;

	frame_read(&r, f);
	m->exec = f->stream;
	m->code = wire_u8(&r);
	m->signal = wire_u8(&r);
	m->reason = wire_str(&r, GUEST_REASON_MAX);
	m->message = wire_str(&r, GUEST_MESSAGE_MAX);
	return wire_ok(&r) && exec_valid(m->exec) ? 0 : -EBADMSG;
}
