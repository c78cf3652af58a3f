// SPDX-License-Identifier: Apache-2.0
#include "vmm/serial.h"

#include <linux/serial_reg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "proto/vm_spec.h"

static const char serial_full[] = "\n[console log full]\n";

void serial_init(struct serial *s, int log_fd, uint32_t max_bytes, int irq_fd,
		 void (*on_mark)(struct serial *s, uint32_t mark))
{
	*s = (struct serial){.log_fd = log_fd, .irq_fd = irq_fd, .on_mark = on_mark};
	/* Room for the note that it is full is set aside. */
	if (max_bytes >= sizeof(serial_full))
		s->left_bytes = max_bytes - (uint32_t)(sizeof(serial_full) - 1);
	pthread_mutex_init(&s->lock, NULL);
}

static void serial_write_line(struct serial *s)
{
	unsigned int n = MIN(s->used, s->left_bytes);

	s->used = 0;
	if (s->log_fd < 0 || n == 0 || fd_write_full(s->log_fd, s->line, n) < 0)
		return;
	s->left_bytes -= n;
	if (s->left_bytes == 0)
		fd_write_full(s->log_fd, serial_full, sizeof(serial_full) - 1);
}

void serial_flush(struct serial *s)
{
	if (pthread_mutex_trylock(&s->lock) == 0) {
		serial_write_line(s);
		pthread_mutex_unlock(&s->lock);
	}
}

/* Return: whether @c belongs to a mark and is not to be logged */
static bool serial_mark(struct serial *s, uint8_t c)
{
	static const char head[] = "\033]mark=";

	if (s->mark_pos < sizeof(head) - 1) {
		if (c != (uint8_t)head[s->mark_pos]) {
			s->mark_pos = 0;
			return false;
		}
		s->mark_pos++;
		s->mark = 0;
		return true;
	}
	if (c >= '0' && c <= '9' && s->mark < VM_MARK_MAX) {
		s->mark = s->mark * 10 + (c - '0');
		return true;
	}
	s->mark_pos = 0;
	if (c == '\a')
		s->on_mark(s, s->mark);
	return true;
}

static void serial_send(struct serial *s, uint8_t c)
{
	if (s->mcr & UART_MCR_LOOP || serial_mark(s, c) || s->left_bytes == 0)
		return;
	s->line[s->used++] = c;
	if (c == '\n' || s->used == SERIAL_LINE_MAX)
		serial_write_line(s);
}

/* The transmitter is always empty: with its interrupt on, there is always one to take. */
static uint8_t serial_iir(const struct serial *s)
{
	uint8_t fifo = s->fcr & UART_FCR_ENABLE_FIFO ? 0xc0 : 0;

	return fifo | (s->ier & UART_IER_THRI ? UART_IIR_THRI : UART_IIR_NO_INT);
}

static uint8_t serial_msr(const struct serial *s)
{
	uint8_t out = 0;

	if (!(s->mcr & UART_MCR_LOOP))
		return UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD;
	out |= s->mcr & UART_MCR_DTR ? UART_MSR_DSR : 0;
	out |= s->mcr & UART_MCR_RTS ? UART_MSR_CTS : 0;
	out |= s->mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0;
	out |= s->mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0;
	return out;
}

static uint8_t serial_get(struct serial *s, unsigned int reg)
{
	if (s->lcr & UART_LCR_DLAB && reg <= UART_DLM)
		return s->divisor[reg];
	switch (reg) {
	case UART_IER:
		return s->ier;
	case UART_IIR:
		return serial_iir(s);
	case UART_LCR:
		return s->lcr;
	case UART_MCR:
		return s->mcr;
	case UART_LSR:
		return UART_LSR_TEMT | UART_LSR_THRE;
	case UART_MSR:
		return serial_msr(s);
	case UART_SCR:
		return s->scratch;
	}
	return 0;
}

static void serial_set(struct serial *s, unsigned int reg, uint8_t value)
{
	if (s->lcr & UART_LCR_DLAB && reg <= UART_DLM) {
		s->divisor[reg] = value;
		return;
	}
	switch (reg) {
	case UART_TX:
		serial_send(s, value);
		break;
	case UART_IER:
		s->ier = value & 0x0f;
		break;
	case UART_FCR:
		s->fcr = value;
		break;
	case UART_LCR:
		s->lcr = value;
		break;
	case UART_MCR:
		s->mcr = value & 0x1f;
		break;
	case UART_SCR:
		s->scratch = value;
		break;
	}
	if (reg <= UART_IER && s->ier & UART_IER_THRI)
		eventfd_write(s->irq_fd, 1);
}

uint8_t serial_in(struct serial *s, unsigned int reg)
{
	uint8_t value;

	pthread_mutex_lock(&s->lock);
	value = serial_get(s, reg);
	pthread_mutex_unlock(&s->lock);
	return value;
}

void serial_out(struct serial *s, unsigned int reg, uint8_t value)
{
	pthread_mutex_lock(&s->lock);
	serial_set(s, reg, value);
	pthread_mutex_unlock(&s->lock);
}
