// SPDX-License-Identifier: Apache-2.0
/*
 * The file is YAML (or JSON, which is YAML): three lists of named entries, clusters, users and
 * contexts, and the name of the current context. libyaml parses it; this is the only file that knows
 * libyaml. Certificates are inline as base64 or in files named relative to the kubeconfig.
 */
#include "kube/kubeconfig.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#define KUBECONFIG_MAX	  (1 << 20)
#define KUBECONFIG_OF_RUN "out/run/kubeconfig"

/* Beside the program: out/bin/hyper belongs to out/run/kubeconfig. */
static char *kubeconfig_beside(void)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (n <= 0)
		return NULL;
	exe[n] = '\0';
	return mem_printf("%s/../run/kubeconfig", dirname(exe));
}

char *kubeconfig_find(const char *given, struct err *e)
{
	const char *env = getenv("KUBECONFIG"), *home = getenv("HOME");
	char *tries[3];
	char *found = NULL;

	if (given)
		return mem_strdup(given);
	if (env && *env) /* a list of files is merged by kubectl; here the first one counts */
		return mem_strndup(env, strcspn(env, ":"));
	tries[0] = mem_strdup(KUBECONFIG_OF_RUN);
	tries[1] = kubeconfig_beside();
	tries[2] = home ? mem_printf("%s/.kube/config", home) : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		if (!found && tries[i] && access(tries[i], R_OK) == 0)
			found = take_ptr(tries[i]);
		free(tries[i]);
	}
	if (!found)
		err_set(e, -ENOENT,
			"no kubeconfig: start a fleet with `make up`, or set KUBECONFIG, or give --kubeconfig FILE");
	return found;
}

static yaml_node_t *yaml_get(yaml_document_t *doc, const yaml_node_t *map, const char *key)
{
	if (!map || map->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
	     p++) {
		const yaml_node_t *k = yaml_document_get_node(doc, p->key);

		if (k && k->type == YAML_SCALAR_NODE &&
		    str_eq((const char *)k->data.scalar.value, key))
			return yaml_document_get_node(doc, p->value);
	}
	return NULL;
}

static const char *yaml_str(yaml_document_t *doc, const yaml_node_t *map, const char *key)
{
	const yaml_node_t *v = yaml_get(doc, map, key);

	return v && v->type == YAML_SCALAR_NODE && v->data.scalar.length
		       ? (const char *)v->data.scalar.value
		       : NULL;
}

/* Entry NAME of the list LIST, and in it the member of the list's own kind */
static yaml_node_t *yaml_named(yaml_document_t *doc, const yaml_node_t *root, const char *list,
			       const char *kind, const char *name)
{
	const yaml_node_t *seq = yaml_get(doc, root, list);

	if (!name || !seq || seq->type != YAML_SEQUENCE_NODE)
		return NULL;
	for (yaml_node_item_t *i = seq->data.sequence.items.start; i < seq->data.sequence.items.top;
	     i++) {
		const yaml_node_t *entry = yaml_document_get_node(doc, *i);
		const char *n = yaml_str(doc, entry, "name");

		if (n && str_eq(n, name))
			return yaml_get(doc, entry, kind);
	}
	return NULL;
}

/* "KEY-data" holds base64, "KEY" names a file. */
static int kubeconfig_pem(yaml_document_t *doc, const yaml_node_t *map, const char *key,
			  const char *dir, char **pem, struct err *e)
{
	_cleanup_free_ char *data_key = mem_printf("%s-data", key);
	const char *data = yaml_str(doc, map, data_key), *file = yaml_str(doc, map, key);
	struct buf b = BUF_INIT(KUBECONFIG_MAX);
	int r = 0;

	if (data) {
		r = base64_decode(&b, data);
		if (r < 0)
			err_set(e, r, "%s is not base64", data_key);
	} else if (file) {
		_cleanup_free_ char *path = *file == '/' ? mem_strdup(file)
							 : mem_printf("%s/%s", dir, file);

		r = file_read(AT_FDCWD, path, &b, e);
	}
	if (r == 0 && b.len)
		*pem = buf_take(&b);
	buf_done(&b);
	return r;
}

static int kubeconfig_from(yaml_document_t *doc, const char *dir, struct kubeconfig *k,
			   struct err *e)
{
	const yaml_node_t *root = yaml_document_get_root_node(doc), *context, *cluster, *user;
	const char *current = yaml_str(doc, root, "current-context"), *server, *namespace;
	int r;

	if (!current)
		return err_set(e, -EINVAL, "no current-context is set");
	context = yaml_named(doc, root, "contexts", "context", current);
	cluster = yaml_named(doc, root, "clusters", "cluster", yaml_str(doc, context, "cluster"));
	user = yaml_named(doc, root, "users", "user", yaml_str(doc, context, "user"));
	server = yaml_str(doc, cluster, "server");
	if (!server)
		return err_set(e, -EINVAL, "context %s names no cluster with a server", current);
	k->server = mem_strdup(server);
	while (str_ends(k->server, "/"))
		k->server[strlen(k->server) - 1] = '\0';
	namespace = yaml_str(doc, context, "namespace");
	k->namespace = mem_strdup(namespace ? namespace : "default");
	if (yaml_str(doc, user, "token"))
		k->token = mem_strdup(yaml_str(doc, user, "token"));
	r = kubeconfig_pem(doc, cluster, "certificate-authority", dir, &k->ca_pem, e);
	if (r == 0)
		r = kubeconfig_pem(doc, user, "client-certificate", dir, &k->cert_pem, e);
	if (r == 0)
		r = kubeconfig_pem(doc, user, "client-key", dir, &k->key_pem, e);
	return r;
}

int kubeconfig_parse(const char *text, size_t len, const char *dir, struct kubeconfig *k,
		     struct err *e)
{
	yaml_document_t doc;
	yaml_parser_t parser;
	int r;

	*k = (struct kubeconfig){0};
	if (!yaml_parser_initialize(&parser))
		return err_set(e, -ENOMEM, "YAML parser");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (yaml_parser_load(&parser, &doc)) {
		r = kubeconfig_from(&doc, dir, k, e);
		yaml_document_delete(&doc);
	} else {
		r = err_set(e, -EINVAL, "line %zu: %s", parser.problem_mark.line + 1,
			    parser.problem ? parser.problem : "not YAML");
	}
	yaml_parser_delete(&parser);
	if (r < 0)
		kubeconfig_done(k);
	return r;
}

int kubeconfig_load(const char *path, struct kubeconfig *k, struct err *e)
{
	_cleanup_free_ char *copy = mem_strdup(path);
	struct buf b = BUF_INIT(KUBECONFIG_MAX);
	int r = file_read(AT_FDCWD, path, &b, e);

	if (r == 0) {
		r = kubeconfig_parse(buf_str(&b), b.len, dirname(copy), k, e);
		if (r < 0)
			err_wrap(e, r, "%s", path);
	}
	if (b.data)
		mem_wipe(b.data, b.len);
	buf_done(&b);
	return r;
}

void kubeconfig_done(struct kubeconfig *k)
{
	free(k->server);
	free(k->ca_pem);
	free(k->cert_pem);
	mem_free_secret(k->key_pem);
	mem_free_secret(k->token);
	free(k->namespace);
	*k = (struct kubeconfig){0};
}
