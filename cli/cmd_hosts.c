// SPDX-License-Identifier: Apache-2.0
/* hyper hosts, images, approve, cordon and uncordon. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cmd.h"
#include "table.h"

#define CSR_PATH  "/apis/certificates.k8s.io/v1/certificatesigningrequests"
#define NODE_USER "system:node:"

static const char *host_address(const struct json *node)
{
	struct json_iter it = json_iter(json_at(node, "status", "addresses", NULL));

	while (json_next(&it))
		if (str_eq(json_str(json_get(it.value, "type"), ""), "InternalIP"))
			return json_str(json_get(it.value, "address"), "");
	return "";
}

static int host_pods(const struct json *pods, const char *name)
{
	struct json_iter it = json_iter(json_get(pods, "items"));
	int count = 0;

	while (json_next(&it))
		count += str_eq(json_str(json_at(it.value, "spec", "nodeName", NULL), ""), name);
	return count;
}

static void host_row(struct table *t, const struct json *node, const struct json *pods)
{
	const char *name = json_str(json_at(node, "metadata", "name", NULL), "");
	bool cordoned = json_bool(json_at(node, "spec", "unschedulable", NULL), false);
	char status[64], count[16], memory[24], age[16], image[512];
	const char *cells[9];

	snprintf(status, sizeof(status), "%s%s", cmd_node_ready(node), cordoned ? ",cordoned" : "");
	snprintf(count, sizeof(count), "%d", host_pods(pods, name));
	cells[0] = name;
	cells[1] = status;
	cells[2] = cmd_age(age, json_at(node, "metadata", "creationTimestamp", NULL));
	cells[3] = host_address(node);
	cells[4] = json_str(json_at(node, "status", "capacity", "cpu", NULL), "");
	cells[5] =
		cmd_size(memory, json_str(json_at(node, "status", "capacity", "memory", NULL), ""));
	cells[6] = count;
	cells[7] = json_str(json_at(node, "status", "nodeInfo", "kernelVersion", NULL), "");
	cells[8] = cmd_node_image(node, image, sizeof(image));
	table_add(t, cells);
}

int cmd_hosts(struct cmd *c, int argc, char **argv)
{
	static const char *const headers[] = {"NAME",	"STATUS", "AGE",    "ADDRESS", "CPU",
					      "MEMORY", "PODS",	  "KERNEL", "IMAGE",   NULL};
	_cleanup_json_ struct json_doc *nodes = NULL, *pods = NULL;
	struct err e = ERR_INIT;
	struct json_iter it;
	struct table *t;

	(void)argv;
	if (argc > 1)
		return cmd_usage("hosts",
				 "takes no name; `hyper describe host NAME` tells about one");
	if (api_call(c->api, "GET", "/api/v1/nodes", NULL, &nodes, &e) < 0)
		return cmd_fail(&e, "hosts");
	if (c->json)
		return cmd_print_json(json_root(nodes));
	if (api_call(c->api, "GET", "/api/v1/pods", NULL, &pods, &e) < 0)
		return cmd_fail(&e, "hosts");
	t = table_new(headers);
	it = json_iter(json_get(json_root(nodes), "items"));
	while (json_next(&it))
		host_row(t, it.value, json_root(pods));
	table_print(t, stdout);
	return CMD_OK;
}

static const char *image_name(const struct json *image)
{
	struct json_iter it = json_iter(json_get(image, "names"));
	const char *name = "";

	/* A tag tells more than the digest that stands beside it. */
	while (json_next(&it))
		if (!*name || strchr(name, '@'))
			name = json_str(it.value, "");
	return name;
}

int cmd_images(struct cmd *c, int argc, char **argv)
{
	static const char *const headers[] = {"IMAGE", "SIZE", "HOST", NULL};
	_cleanup_json_ struct json_doc *nodes = NULL;
	struct err e = ERR_INIT;
	struct json_iter node;
	struct table *t;

	(void)argv;
	if (argc > 1)
		return cmd_usage("images", "takes no name");
	if (api_call(c->api, "GET", "/api/v1/nodes", NULL, &nodes, &e) < 0)
		return cmd_fail(&e, "images");
	if (c->json)
		return cmd_print_json(json_root(nodes));
	t = table_new(headers);
	node = json_iter(json_get(json_root(nodes), "items"));
	while (json_next(&node)) {
		struct json_iter it = json_iter(json_at(node.value, "status", "images", NULL));

		while (json_next(&it)) {
			char size[24];
			const char *cells[3];

			cells[0] = image_name(it.value);
			cells[1] = cmd_bytes(size, json_int(json_get(it.value, "sizeBytes"), 0));
			cells[2] = json_str(json_at(node.value, "metadata", "name", NULL), "");
			table_add(t, cells);
		}
	}
	table_print(t, stdout);
	return CMD_OK;
}

static bool csr_waits(const struct json *csr)
{
	return json_count(json_at(csr, "status", "conditions", NULL)) == 0;
}

/* The host that a request says it is for: kept by the controller in an annotation, else who asked. */
static const char *csr_host(const struct json *csr)
{
	const char *user = json_str(json_at(csr, "spec", "username", NULL), "");
	const char *node = str_starts(user, NODE_USER);
	const char *noted =
		json_str(json_at(csr, "metadata", "annotations", "hypermetal.io/host", NULL), NULL);

	return noted ? noted : node ? node : user;
}

static int approve_one(struct cmd *c, const struct json *csr, struct err *e)
{
	const char *name = json_str(json_at(csr, "metadata", "name", NULL), "");
	_cleanup_free_ char *escaped = str_percent_encode(name),
			    *path = mem_printf(CSR_PATH "/%s/approval", escaped);
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *body = json_copy(doc, csr), *condition = json_new_obj(doc);

	json_put_str(doc, condition, "type", "Approved");
	json_put_str(doc, condition, "status", "True");
	json_put_str(doc, condition, "reason", "HyperApprove");
	json_put_str(doc, condition, "message", "approved by an operator");
	json_push(doc, json_arr_of(doc, json_obj_of(doc, body, "status"), "conditions"), condition);
	return api_call(c->api, "PUT", path, body, NULL, e);
}

static void approve_list(const struct json *csrs)
{
	static const char *const headers[] = {"HOST", "REQUEST", "AGE", "SIGNER", NULL};
	struct json_iter it = json_iter(json_get(csrs, "items"));
	struct table *t = table_new(headers);

	while (json_next(&it)) {
		const char *cells[4];
		char age[16];

		if (!csr_waits(it.value))
			continue;
		cells[0] = csr_host(it.value);
		cells[1] = json_str(json_at(it.value, "metadata", "name", NULL), "");
		cells[2] = cmd_age(age, json_at(it.value, "metadata", "creationTimestamp", NULL));
		cells[3] = json_str(json_at(it.value, "spec", "signerName", NULL), "");
		table_add(t, cells);
	}
	table_print(t, stdout);
}

int cmd_approve(struct cmd *c, int argc, char **argv)
{
	_cleanup_json_ struct json_doc *csrs = NULL;
	struct err e = ERR_INIT;
	int status = CMD_OK;

	if (api_call(c->api, "GET", CSR_PATH, NULL, &csrs, &e) < 0)
		return cmd_fail(&e, "approve");
	if (c->json)
		return cmd_print_json(json_root(csrs));
	if (argc == 1)
		approve_list(json_root(csrs));
	for (int i = 1; i < argc; i++) {
		struct json_iter it = json_iter(json_get(json_root(csrs), "items"));
		bool found = false;

		while (json_next(&it)) {
			if (!csr_waits(it.value) || !str_eq(csr_host(it.value), argv[i]))
				continue;
			found = true;
			if (approve_one(c, it.value, &e) < 0)
				status = cmd_fail(&e, argv[i]);
			else
				printf("%s\n", argv[i]);
		}
		if (!found) {
			fprintf(stderr, "hyper: approve: no request of %s waits\n", argv[i]);
			status = CMD_FAILED;
		}
	}
	return status;
}

int cmd_cordon(struct cmd *c, int argc, char **argv)
{
	bool cordon = str_eq(argv[0], "cordon");
	int status = CMD_OK;

	if (argc < 2)
		return cmd_usage(argv[0], "which host?");
	for (int i = 1; i < argc; i++) {
		_cleanup_free_ char *name = str_percent_encode(argv[i]),
				    *path = mem_printf("/api/v1/nodes/%s", name);
		_cleanup_json_ struct json_doc *doc = json_doc_new();
		struct err e = ERR_INIT;

		if (api_call(c->api, "PATCH", path, cmd_cordon_patch(doc, cordon, false), NULL,
			     &e) < 0)
			status = cmd_fail(&e, argv[0]);
		else
			printf("%s\n", argv[i]);
	}
	return status;
}
