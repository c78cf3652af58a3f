/* SPDX-License-Identifier: Apache-2.0 */
/* A node against fake_api: what its tests share. One at a time: harness_setup() and harness_teardown() are cmocka's. */
#ifndef TESTS_NODE_HARNESS_H
#define TESTS_NODE_HARNESS_H

#include "fake_api.h"
#include "node/parts.h"

#define H1     "/api/v1/nodes/h1"
#define LEASES "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
#define LIST   "/api/v1/pods?fieldSelector=spec.nodeName%3Dh1&resourceVersion=0"
#define WATCH  "/api/v1/pods?fieldSelector=spec.nodeName%3Dh1&watch=true"
#define POD(name, rv) \
	"{\"metadata\":{\"name\":\"" name "\",\"resourceVersion\":\"" rv "\"},\"spec\":{}}"

struct node_harness {
	struct loop loop;
	struct node *node;
	char dir[64]; /* its state */
	char seen[1024]; /* callbacks, a word each */
	int lists, list_size; /* of pods that it was given */
	int image_bytes; /* that it is to tell of */
};
extern struct node_harness harness;

int harness_setup(void **state);
int harness_teardown(void **state);

/** harness_run_ms() - Let the loop run */
void harness_run_ms(uint64_t ms);
/** harness_wait() - Run until so many requests came, 5 s at most; fails the test after that */
void harness_wait(const char *method, const char *path, int count);

/** harness_rule() - The API answers so, @times (0: always) */
void harness_rule(const char *method, const char *path, int status, const char *body, int times);
/** harness_well() - The API answers well to all that a node asks */
void harness_well(void);

/** harness_start() - Start the node. Return: as node_new() */
int harness_start(const char *token, struct err *e);
/** harness_identity() - Leave a client certificate, as an earlier life of hostd did */
void harness_identity(void);
/** harness_known() - A node that was enrolled before, at an API that answers well */
void harness_known(void);

/** has() - Whether a text has a part */
bool has(const char *text, const char *part);

#endif
