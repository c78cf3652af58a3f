/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The columns of each kind's table, as kubectl's users know them (k8s.io/kubernetes, printers). A
 * column of priority 1 is shown by -o wide only. Included by resource.c alone, which names them.
 */
#ifndef API_TABLE_COLUMNS_H
#define API_TABLE_COLUMNS_H

#include "internal.h"

#define COL(name_, type_)                                                         \
	{                                                                         \
		.name = (name_), .type = (type_), .format = "", .description = "" \
	}
#define COL_NAME                                                    \
	{                                                           \
		.name = "Name", .type = "string", .format = "name", \
		.description = "Name of the object"                 \
	}
#define COL_WIDE(name_, type_)                                                                   \
	{                                                                                        \
		.name = (name_), .type = (type_), .format = "", .description = "", .priority = 1 \
	}

static const struct api_column pod_columns[] = {
	COL_NAME,
	COL("Ready", "string"),
	COL("Status", "string"),
	COL("Restarts", "string"),
	COL("Age", "string"),
	COL_WIDE("IP", "string"),
	COL_WIDE("Node", "string"),
	COL_WIDE("Nominated Node", "string"),
	COL_WIDE("Readiness Gates", "string"),
};

static const struct api_column node_columns[] = {
	COL_NAME,
	COL("Status", "string"),
	COL("Roles", "string"),
	COL("Age", "string"),
	COL("Version", "string"),
	COL_WIDE("Internal-IP", "string"),
	COL_WIDE("External-IP", "string"),
	COL_WIDE("OS-Image", "string"),
	COL_WIDE("Kernel-Version", "string"),
	COL_WIDE("Container-Runtime", "string"),
};

static const struct api_column event_columns[] = {
	COL("Last Seen", "string"),
	COL("Type", "string"),
	COL("Reason", "string"),
	COL("Object", "string"),
	COL_WIDE("Subobject", "string"),
	COL_WIDE("Source", "string"),
	COL("Message", "string"),
	COL_WIDE("First Seen", "string"),
	COL_WIDE("Count", "string"),
	{.name = "Name", .type = "string", .format = "name", .description = "", .priority = 1},
};

static const struct api_column namespace_columns[] = {
	COL_NAME,
	COL("Status", "string"),
	COL("Age", "string"),
};

static const struct api_column lease_columns[] = {
	COL_NAME,
	COL("Holder", "string"),
	COL("Age", "string"),
};

static const struct api_column csr_columns[] = {
	COL_NAME,
	COL("Age", "string"),
	COL("SignerName", "string"),
	COL("Requestor", "string"),
	COL("RequestedDuration", "string"),
	COL("Condition", "string"),
};

static const struct api_column secret_columns[] = {
	COL_NAME,
	COL("Type", "string"),
	COL("Data", "string"),
	COL("Age", "string"),
};

static const struct api_column configmap_columns[] = {
	COL_NAME,
	COL("Data", "string"),
	COL("Age", "string"),
};

static const struct api_column service_account_columns[] = {
	COL_NAME,
	COL("Secrets", "string"),
	COL("Age", "string"),
};

static const struct api_column runtime_class_columns[] = {
	COL_NAME,
	COL("Handler", "string"),
	COL("Age", "string"),
};

void pod_cells(struct json_doc *doc, struct json *cells, const struct json *object);
void node_cells(struct json_doc *doc, struct json *cells, const struct json *object);
void event_cells(struct json_doc *doc, struct json *cells, const struct json *object);
void namespace_cells(struct json_doc *doc, struct json *cells, const struct json *object);
void lease_cells(struct json_doc *doc, struct json *cells, const struct json *object);
void csr_cells(struct json_doc *doc, struct json *cells, const struct json *object);
void secret_cells(struct json_doc *doc, struct json *cells, const struct json *object);
void configmap_cells(struct json_doc *doc, struct json *cells, const struct json *object);
void service_account_cells(struct json_doc *doc, struct json *cells, const struct json *object);
void runtime_class_cells(struct json_doc *doc, struct json *cells, const struct json *object);

#endif
