/* SPDX-License-Identifier: Apache-2.0 */
/* A store with the system namespaces, and calls to the API without its server. */
#ifndef TESTS_API_WORLD_H
#define TESTS_API_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "api/internal.h"
#include "base/str.h"

#define PODS "/api/v1/namespaces/default/pods"
#define SMP  "application/strategic-merge-patch+json"

struct world {
	struct store *store;
	struct api_site site;
	struct api_user user;
	const char *accept, *type; /* of the next calls */
	struct json_doc *answer; /* of the last call */
	char headers[512];
};

int world_set_up(void **state);
int world_tear_down(void **state);

/* Who asks from now on. */
void be(struct world *w, const char *name, const char *group);

/* Return: the status, -1 for a stream; the body is in w->answer. */
int ask(struct world *w, const char *method, const char *path, const char *query, const char *body);
int ask_bytes(struct world *w, const char *method, const char *path, const char *query,
	      const void *body, size_t len);

void add_pod(struct world *w, const char *body);
void add_node(struct world *w, const char *name);

#define AT(w, ...)   json_at(json_root((w)->answer), __VA_ARGS__, NULL)
#define TEXT(w, ...) json_str(AT(w, __VA_ARGS__), "")

#define POD(name)                                                                  \
	"{\"metadata\":{\"name\":\"" name "\",\"labels\":{\"app\":\"" name "\"}}," \
	"\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"nginx\"}]}}"

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)

#endif
