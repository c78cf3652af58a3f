/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An API server that answers as it is told: rules by method and path, each for a number of times.
 * Plain HTTP on loopback, on the test's own loop; every request is written down.
 */
#ifndef TESTS_FAKE_API_H
#define TESTS_FAKE_API_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/loop.h"

#define FAKE_RULES_MAX 24

struct fake_rule {
	const char *method, *path; /* a prefix of the path with its query */
	int status;
	const char *body; /* NULL: the request's own body, with uid and resourceVersion added */
	const char *headers;
	int times; /* 0: for ever */
	bool stream; /* the answer stays open: fake_api_stream() */
};

void fake_api_start(struct loop *loop);
void fake_api_stop(void);
/** fake_api_url() - "http://127.0.0.1:PORT" */
const char *fake_api_url(void);

/** fake_api_on() - The newest rule that fits wins; without one the answer is 404 */
void fake_api_on(const struct fake_rule *rule);

/** fake_api_count() - How many requests had this method and path prefix so far */
int fake_api_count(const char *method, const char *path);

/** fake_api_body() - The body of the latest such request, "" */
const char *fake_api_body(const char *method, const char *path);

/** fake_api_header() - A header that is always noted: the latest request's Authorization */
const char *fake_api_authorization(void);

/** fake_api_index() - The place of the first such request in the order of all, -1 none */
int fake_api_index(const char *method, const char *path);

/** fake_api_stream() - Send bytes on the open stream; NULL ends it. Return: whether one is open */
bool fake_api_stream(const char *text);

#endif
