/* SPDX-License-Identifier: Apache-2.0 */
/* Drives the pod module over fake_parts in a folder of its own, with a real loop. */
#ifndef TESTS_POD_HARNESS_H
#define TESTS_POD_HARNESS_H

#include "base/buf.h"
#include "pod/pod.h"
#include "proto/guest_msg.h"

#define BACKOFF_MS 250
#define SLACK_MS   250
#define REFRESH_MS 400

/* What goes behind the uid of a pod that is to be deleted. */
#define DELETED(grace) \
	",\"deletionTimestamp\":\"2026-01-02T03:04:05Z\",\"deletionGracePeriodSeconds\":" grace

extern struct pods *pods;
extern struct json *measured_pods; /* what the last measurement found */
extern char pods_dir[96], logs_dir[96], last_status[8192],
	trail[4096]; /* the trail has the events' reasons */
extern int statuses, deleted, measured,
	asked; /* asked: how often an object of the API was wanted */
extern const char *api_host; /* for pods_start(); "" */
extern uint32_t guest_patience_ms; /* for pods_start(); 0: as in life */

void run_ms(uint64_t ms);
/* Lets everything that is due happen, reports too */
void settle(void);
void pods_start(void);
int setup(void **state);
int teardown(void **state);
/* The API says */
void apply(const char *uid, const char *restart, const char *meta, const char *container,
	   const char *rest);
void list_pods(const char *text);
/**
 * api_answer() - Answer the question for the object of that name
 * @text: the object; NULL: there is none; no object: the words of a failure
 * Return: whether there was one.
 */
bool api_answer(const char *name, const char *text);
/* What the guest says */
void guest_started(uint32_t restarts);
void guest_exit(uint8_t code, uint32_t restarts, uint32_t backoff_ms);
void guest_log(enum guest_stream stream, uint64_t offset, const char *text);
/* One pod whose container runs */
void to_running(const char *uid, const char *restart);
bool status_has(const char *text);
/* Compares the last status with a golden file; times vary */
void golden(const char *name);
/* The log of u1's container, or "none" */
void log_text(const char *suffix, struct buf *b);
/* A pod with one container; @meta goes behind the uid, @container into it, @rest behind the spec */
struct json_doc *pod_json(const char *uid, const char *restart, const char *meta,
			  const char *container, const char *rest);

#endif
