/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A 16550A that only sends: the guest's early console and its last words.
 *
 * Every byte costs an exit, so the guest's kernel is quiet; what it says is collected by line and
 * appended to a log file of bounded size. Nothing can be typed. One sequence is not logged: ESC ] mark=N BEL
 * notes a moment as a write to VM_PORT_MARK does.
 */
#ifndef VMM_SERIAL_H
#define VMM_SERIAL_H

#include <pthread.h>
#include <stdint.h>

#define SERIAL_PORTS	8
#define SERIAL_LINE_MAX 256

struct serial {
	pthread_mutex_t lock;
	int log_fd; /* -1: nowhere */
	int irq_fd;
	uint32_t left_bytes; /* that may still be written */
	uint8_t ier, lcr, mcr, scratch, divisor[2], fcr;
	uint8_t line[SERIAL_LINE_MAX];
	unsigned int used;
	void (*on_mark)(struct serial *s, uint32_t mark);
	unsigned int mark_pos; /* characters of the sequence's head seen */
	uint32_t mark;
};

/**
 * serial_init() - Set up
 * @log_fd:    receives the output, at most @max_bytes of it; -1: it is dropped
 * @irq_fd:    eventfd tied to the interrupt line
 * @on_mark:   called on the vCPU's thread, under the port's lock
 */
void serial_init(struct serial *s, int log_fd, uint32_t max_bytes, int irq_fd,
		 void (*on_mark)(struct serial *s, uint32_t mark));

/** serial_in(), serial_out() - One byte from or to register 0..7. vCPU threads */
uint8_t serial_in(struct serial *s, unsigned int reg);
void serial_out(struct serial *s, unsigned int reg, uint8_t value);

/** serial_flush() - Write out an unfinished line; does not wait for a vCPU that holds the lock */
void serial_flush(struct serial *s);

#endif
