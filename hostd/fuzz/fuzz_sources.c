// SPDX-License-Identifier: Apache-2.0
/* What an API answers for the objects that a pod names: variables, files and logins are made of it. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "pod/impl.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const char fuzz_pod[] =
	"{\"metadata\":{\"namespace\":\"d\",\"name\":\"w\",\"uid\":\"u\",\"labels\":{\"a\":\"b\"}},\"spec\":{"
	"\"imagePullSecrets\":[{\"name\":\"s\"}],\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"envFrom\":["
	"{\"prefix\":\"P_\",\"configMapRef\":{\"name\":\"m\"}},{\"secretRef\":{\"name\":\"s\"}}],\"env\":["
	"{\"name\":\"X\",\"value\":\"$(P_k)$(k)\"},{\"name\":\"Y\",\"valueFrom\":{\"secretKeyRef\":"
	"{\"name\":\"s\",\"key\":\"k\"}}}]}],\"volumes\":[{\"name\":\"v\",\"projected\":{\"sources\":["
	"{\"configMap\":{\"name\":\"m\"}},{\"secret\":{\"name\":\"s\",\"items\":[{\"key\":\"k\",\"path\":\"a/b\"}]}},"
	"{\"secret\":{\"name\":\"s\",\"optional\":true}},{\"serviceAccountToken\":{\"path\":\"a\"}},"
	"{\"downwardAPI\":{\"items\":[{\"path\":\"l\",\"fieldRef\":{\"fieldPath\":\"metadata.labels\"}}]}}]}}]}}";

static struct pod_want *fuzz_wants[8];
static size_t fuzz_want_count;

static void fuzz_fetch(struct pod_want *want, void *arg)
{
	(void)arg;
	if (fuzz_want_count == 8)
		abort();
	fuzz_wants[fuzz_want_count++] = want;
}

static void fuzz_cancel(struct pod_want *want, void *arg)
{
	(void)want;
	(void)arg;
}

static void fuzz_event(const struct pod_ref *pod, const char *type, const char *reason,
		       const char *message, void *arg)
{
	(void)pod;
	(void)type;
	(void)reason;
	(void)arg;
	if (strlen(message) > 4096)
		abort();
}

static void fuzz_use(struct pod *p)
{
	struct texts env = {0};
	struct logins logins = {0};
	struct err e = ERR_INIT;

	if (env_make(p, 0, true, &env, &e) == 0)
		for (uint32_t i = 0; i < env.count; i++)
			if (!strchr(env.at[i], '='))
				abort();
	texts_done(&env);
	err_clear(&e);
	(void)files_check(p, &e);
	(void)logins_make(p, &logins);
	for (size_t i = 0; i < logins.count; i++)
		if (strpbrk(logins.at[i].basic, "\r\n") || strpbrk(logins.at[i].at, " \r\n"))
			abort();
	logins_done(&logins);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct loop loop;
	struct pods pods = {
		.config = {.loop = &loop, .dir = "", .node_name = "n", .host_ip = "192.0.2.1"},
		.ops = {.fetch = fuzz_fetch, .cancel = fuzz_cancel, .on_event = fuzz_event},
	};
	const struct pod_fetched nothing = {.absent = true, .message = "", .retry_after_ms = -1};
	struct pod_fetched answer = {.message = "", .retry_after_ms = -1};
	struct json_doc *doc = NULL, *pod = NULL;
	struct spec_meta meta;
	struct pod *p;

	if (!loop.timers.next && loop_init(&loop) < 0)
		abort();
	log_set_level(LOG_LEVEL_ERROR);
	if (json_parse((const char *)data, size, &doc, NULL) < 0)
		return 0;
	if (json_parse(fuzz_pod, strlen(fuzz_pod), &pod, NULL) < 0 ||
	    spec_meta(json_root(pod), &meta, NULL) < 0)
		abort();
	list_init(&pods.all);
	list_init(&pods.sources);
	p = pod_new(&pods, &meta);
	if (spec_parse(json_root(pod), &p->spec, NULL) < 0)
		abort();
	fuzz_want_count = 0;
	sources_open(p, false);
	answer.object = json_root(doc);
	for (size_t i = 0; i < fuzz_want_count && i < 3; i++)
		pods_fetched(fuzz_wants[i], json_is_obj(answer.object) ? &answer : &nothing);
	fuzz_use(p);
	sources_settle(p);
	fuzz_use(p);
	pod_free(p);
	json_doc_free(pod);
	json_doc_free(doc);
	return 0;
}
