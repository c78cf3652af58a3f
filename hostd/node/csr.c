// SPDX-License-Identifier: Apache-2.0
/*
 * POST the request, poll until it has a certificate, keep it, arm the renewal. What can go wrong is
 * retried for ever: a refused token every few minutes only, a denied request with a new key.
 */
#include "node/csr.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define CSR_PATH	 "/apis/certificates.k8s.io/v1/certificatesigningrequests"
#define CSR_RETRY_MS	 200
#define CSR_RETRY_MAX_MS 30000
#define CSR_REFUSED_MS	 60000 /* 401, 403: somebody has to act first */
#define CSR_DENIED_MS	 300000
#define CSR_EXPIRATION_S 86400
#define CSR_PEM_MAX	 65536
#define CSR_CHECK_MAX_MS 3600000 /* the clock may be stepped: look at it at least this often */

static void csr_send(struct csr *c);

static void csr_path(const struct csr *c, const char *suffix, char *path)
{
	snprintf(path, PATH_MAX, "%s/%s.%s", c->config.state_dir, c->config.label, suffix);
}

uint64_t csr_renew_at(const struct x509_cert *cert)
{
	int64_t from_s = MAX(cert->not_before_s, (int64_t)0);
	int64_t life_s = MAX(cert->not_after_s - from_s, (int64_t)0);

	return (uint64_t)(from_s + life_s / 10 * 7);
}

static void csr_arm_renewal(struct csr *c)
{
	uint64_t now_s = clock_real_ns() / 1000000000ULL;
	uint64_t left_ms = c->renew_at_s > now_s ? (c->renew_at_s - now_s) * 1000 : 1000;

	timer_set(&c->renew, MIN(left_ms, (uint64_t)CSR_CHECK_MAX_MS));
}

static void csr_renew_due(struct timer *t)
{
	struct csr *c = container_of(t, struct csr, renew);

	if (clock_real_ns() / 1000000000ULL < c->renew_at_s) {
		csr_arm_renewal(c);
		return;
	}
	log_info("node", "ev=cert_renewal label=%s", c->config.label);
	csr_request(c);
}

static void csr_retry_due(struct timer *t)
{
	csr_send(container_of(t, struct csr, retry.timer));
}

void csr_init(struct csr *c, const struct csr_config *config)
{
	*c = (struct csr){.config = *config};
	retry_init(config->loop, &c->retry, CSR_RETRY_MS, CSR_RETRY_MAX_MS, csr_retry_due);
	timer_init(config->loop, &c->renew, csr_renew_due);
}

static void csr_drop_key(struct csr *c)
{
	c->pending_key = mem_free_secret(c->pending_key);
	c->name[0] = '\0';
	c->posted = false;
}

void csr_done(struct csr *c)
{
	c->call = kube_cancel(c->call);
	timer_cancel(&c->retry.timer);
	timer_cancel(&c->renew);
	csr_drop_key(c);
}

/* One that was kept may be of a time when the host had other addresses; what a signer leaves out is its affair. */
static int csr_check_ips(const struct csr *c, const char *pem, struct err *e)
{
	struct x509_cert cert;
	int r = x509_cert_read(pem, pem, &cert, e);

	for (size_t i = 0; r == 0 && c->config.ips[i]; i++)
		if (!x509_names_has(&cert.subject.ips, c->config.ips[i]))
			r = err_set(e, -ESTALE, "certificate is not for %s", c->config.ips[i]);
	return r;
}

/* Checks a certificate against its key and this node, and arms its renewal. */
static int csr_take(struct csr *c, const char *cert_pem, const char *key_pem, struct err *e)
{
	struct x509_cert cert;
	char until[CLOCK_RFC3339_MAX];
	int r = x509_cert_read(cert_pem, key_pem, &cert, e);
	const char *cn;

	if (r < 0)
		return r;
	cn = str_starts(cert.subject.common_name, "system:node:");
	if (!cn || !str_eq(cn, c->config.node_name))
		return err_set(e, -EBADMSG, "certificate is for \"%s\"", cert.subject.common_name);
	clock_rfc3339(until, cert.not_after_s);
	if (cert.not_after_s <= (int64_t)(clock_real_ns() / 1000000000ULL))
		return err_set(e, -ESTALE, "certificate ended at %s", until);
	c->renew_at_s = csr_renew_at(&cert);
	csr_arm_renewal(c);
	log_info("node", "ev=cert label=%s until=%s", c->config.label, until);
	c->config.issued(c->config.arg, cert_pem, key_pem);
	return 0;
}

int csr_load(struct csr *c, struct err *e)
{
	struct buf b = BUF_INIT(CSR_PEM_MAX);
	char path[PATH_MAX];
	int r;

	csr_path(c, "pem", path);
	r = file_read(AT_FDCWD, path, &b, e);
	/* One file holds both: mbedTLS finds the block that it looks for. */
	if (r == 0)
		r = csr_check_ips(c, buf_str(&b), e);
	if (r == 0)
		r = csr_take(c, buf_str(&b), buf_str(&b), e);
	if (b.data)
		mem_wipe(b.data, b.len);
	buf_done(&b);
	return r;
}

/* The key of an interrupted request, or a new one that is on disk before it is used. */
static int csr_pending_key(struct csr *c, struct err *e)
{
	struct buf b = BUF_INIT(CSR_PEM_MAX);
	char path[PATH_MAX], id[X509_KEY_ID_SIZE];
	int r;

	csr_path(c, "key", path);
	r = file_read(AT_FDCWD, path, &b, NULL);
	if (r == 0)
		r = x509_key_id(buf_str(&b), c->config.signer, id, NULL);
	if (r < 0) {
		buf_clear(&b);
		r = x509_key_new(&b, e);
		if (r == 0)
			r = file_write(AT_FDCWD, path, b.data, b.len, 0600, e);
		if (r == 0)
			r = x509_key_id(buf_str(&b), c->config.signer, id, e);
	}
	if (r == 0) {
		c->pending_key = buf_take(&b);
		snprintf(c->name, sizeof(c->name), "node-csr-%.40s", id);
	}
	buf_done(&b);
	return r;
}

static void csr_forget_key(struct csr *c)
{
	char path[PATH_MAX];

	csr_path(c, "key", path);
	unlink(path);
	csr_drop_key(c);
}

static void csr_failed(struct csr *c, const char *reason, const char *message)
{
	char safe[200];

	log_warn("node", "ev=csr_failed label=%s name=%s reason=%s error=\"%s\"", c->config.label,
		 c->name, reason, str_printable(safe, sizeof(safe), message));
	if (c->config.failed)
		c->config.failed(c->config.arg, reason, message);
}

static int csr_keep(struct csr *c, const struct buf *cert, struct err *e)
{
	struct buf both = BUF_INIT(CSR_PEM_MAX);
	char path[PATH_MAX];
	int r = buf_printf(&both, "%s\n%s", buf_str(cert), c->pending_key);

	csr_path(c, "pem", path);
	if (r == 0)
		r = file_write(AT_FDCWD, path, both.data, both.len, 0600, e);
	if (both.data)
		mem_wipe(both.data, both.len);
	buf_done(&both);
	return r;
}

static void csr_issued(struct csr *c, const char *certificate)
{
	struct buf cert = BUF_INIT(CSR_PEM_MAX);
	struct err e = ERR_INIT;
	char *key = NULL;
	int r = base64_decode(&cert, certificate);

	if (r == 0)
		r = csr_keep(c, &cert, &e);
	if (r == 0) {
		key = take_ptr(c->pending_key);
		csr_forget_key(c);
		r = csr_take(c, buf_str(&cert), key, &e);
	}
	if (r < 0) {
		csr_failed(c, "BadCertificate", err_msg(&e));
		csr_forget_key(c);
		timer_set(&c->retry.timer, retry_jitter(CSR_DENIED_MS, 20));
	} else {
		retry_ok(&c->retry);
	}
	mem_free_secret(key);
	buf_done(&cert);
}

/* Looks for a verdict. Return: true when there is a certificate or a refusal */
static bool csr_judge(struct csr *c, const struct json *object)
{
	const char *certificate = json_str(json_at(object, "status", "certificate", NULL), "");
	struct json_iter it = json_iter(json_at(object, "status", "conditions", NULL));

	while (json_next(&it)) {
		const char *type = json_str(json_get(it.value, "type"), "");

		if (!str_eq(type, "Denied") && !str_eq(type, "Failed"))
			continue;
		csr_failed(c, type, json_str(json_get(it.value, "message"), ""));
		csr_forget_key(c);
		timer_set(&c->retry.timer, retry_jitter(CSR_DENIED_MS, 20));
		return true;
	}
	if (!*certificate)
		return false;
	csr_issued(c, certificate);
	return true;
}

/* What stands before the API, or pretends to be it, may say 200 to anything. */
static bool csr_is_ours(const struct csr *c, const struct json *object)
{
	return str_eq(json_str(json_at(object, "metadata", "name", NULL), ""), c->name);
}

static void csr_answer(void *arg, const struct kube_result *result)
{
	struct csr *c = arg;
	bool was_posted = c->posted;

	c->call = NULL;
	if (!was_posted && (result->status == 200 || result->status == 201) &&
	    !csr_is_ours(c, result->body)) {
		csr_failed(c, "NoAnswer", "an answer that is not this request");
		retry_arm(&c->retry, result->retry_after_ms);
		return;
	}
	if (result->status == 200 || result->status == 201 || result->status == 409) {
		if (!was_posted)
			retry_ok(&c->retry);
		c->posted = true;
		if (result->status == 409 || !csr_judge(c, result->body)) {
			retry_arm(&c->retry, result->retry_after_ms);
			if (was_posted && c->config.waiting)
				c->config.waiting(c->config.arg);
		}
		return;
	}
	/* Gone: cleaned up by the server, or it lost it. Who may see his own requests only gets a 403 for one that is not. */
	if ((result->status == 404 || result->status == 403) && was_posted)
		c->posted = false;
	if (result->status != 404 || !was_posted)
		csr_failed(c, *result->reason ? result->reason : "NoAnswer", result->message);
	if (kube_transient(result) || result->status == 404)
		retry_arm(&c->retry, result->retry_after_ms);
	else
		timer_set(&c->retry.timer, retry_jitter(CSR_REFUSED_MS, 20));
}

/* Who the certificate shall be for */
static int csr_subject(const struct csr *c, struct x509_subject *s, struct err *e)
{
	int r = x509_names_add(&s->orgs, "system:nodes");

	snprintf(s->common_name, sizeof(s->common_name), "system:node:%s", c->config.node_name);
	for (size_t i = 0; r == 0 && c->config.dns[i]; i++)
		r = x509_names_add(&s->dns, c->config.dns[i]);
	for (size_t i = 0; r == 0 && c->config.ips[i]; i++)
		r = x509_names_add(&s->ips, c->config.ips[i]);
	return r < 0 ? err_sys(e, r, "names of the certificate") : 0;
}

static int csr_body(const struct csr *c, struct json_doc *doc, struct err *e)
{
	struct buf pem = BUF_INIT(CSR_PEM_MAX), b64 = BUF_INIT(CSR_PEM_MAX);
	struct json *root = json_new_obj(doc), *spec, *usages;
	struct x509_subject subject = {.common_name = ""};
	int r = csr_subject(c, &subject, e);

	if (r == 0)
		r = x509_csr_new(c->pending_key, &subject, &pem, e);
	if (r == 0)
		r = base64_encode(&b64, pem.data, pem.len);
	if (r == 0) {
		json_set_root(doc, root);
		json_put_str(doc, root, "apiVersion", "certificates.k8s.io/v1");
		json_put_str(doc, root, "kind", "CertificateSigningRequest");
		json_put_str(doc, json_obj_of(doc, root, "metadata"), "name", c->name);
		spec = json_obj_of(doc, root, "spec");
		json_put_str(doc, spec, "request", buf_str(&b64));
		json_put_str(doc, spec, "signerName", c->config.signer);
		json_put_int(doc, spec, "expirationSeconds", CSR_EXPIRATION_S);
		usages = json_arr_of(doc, spec, "usages");
		json_push(doc, usages, json_new_str(doc, "digital signature"));
		json_push(doc, usages, json_new_str(doc, "key encipherment"));
		json_push(doc, usages, json_new_str(doc, c->config.usage));
	}
	buf_done(&pem);
	buf_done(&b64);
	return r;
}

static void csr_send(struct csr *c)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct kube_request rq = {.done = csr_answer, .arg = c};
	char path[KUBE_PATH_MAX];
	struct err e = ERR_INIT;

	if (c->call)
		return;
	if (!c->pending_key && csr_pending_key(c, &e) < 0) {
		csr_failed(c, "NoKey", err_msg(&e));
		retry_arm(&c->retry, -1);
		return;
	}
	if (c->posted) {
		snprintf(path, sizeof(path), CSR_PATH "/%s", c->name);
		rq.method = "GET";
		rq.path = path;
	} else {
		if (csr_body(c, doc, &e) < 0) {
			csr_failed(c, "NoRequest", err_msg(&e));
			retry_arm(&c->retry, -1);
			return;
		}
		rq.method = "POST";
		rq.path = CSR_PATH;
		rq.body = json_root(doc);
	}
	c->call = kube_call(c->config.kube, &rq);
}

void csr_request(struct csr *c)
{
	if (c->call || timer_armed(&c->retry.timer))
		return;
	csr_send(c);
}

void csr_again(struct csr *c)
{
	if (!c->renew_at_s && !c->pending_key)
		return;
	c->call = kube_cancel(c->call);
	timer_cancel(&c->retry.timer);
	csr_forget_key(c);
	csr_send(c);
}
