// SPDX-License-Identifier: Apache-2.0
/*
 * The rules of enrolment, free of side effects. A token speaks for the one host that it was minted
 * for, and for one key: a second request with another key is a thief's or a victim's, and is refused
 * in both cases. A node may renew its own certificate and ask for a serving certificate of its own
 * addresses.
 */
#include "csr.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/str.h"

#define LIFETIME_MAX_S 86400
#define LIFETIME_MIN_S 600

static bool usages_are(const struct json *list, enum csr_signer signer)
{
	struct json_iter it = json_iter(list);
	const char *auth = signer == CSR_NODE_SERVING ? "server auth" : "client auth";
	bool signature = false, purpose = false;

	while (json_next(&it)) {
		const char *usage = json_str(it.value, "");

		if (str_eq(usage, "digital signature"))
			signature = true;
		else if (str_eq(usage, auth))
			purpose = true;
		else if (!str_eq(usage, "key encipherment"))
			return false;
	}
	return signature && purpose;
}

int csr_read(const struct json *object, struct csr_facts *f, struct err *e)
{
	const struct json *spec = json_get(object, "spec");
	const char *signer = json_str(json_get(spec, "signerName"), "");
	const char *id;
	int r;

	memset(f, 0, sizeof(*f));
	buf_init(&f->pem, 65536);
	if (str_eq(signer, "kubernetes.io/kube-apiserver-client-kubelet"))
		f->signer = CSR_NODE_CLIENT;
	else if (str_eq(signer, "kubernetes.io/kubelet-serving"))
		f->signer = CSR_NODE_SERVING;
	str_copy(f->username, sizeof(f->username), json_str(json_get(spec, "username"), ""));
	id = str_starts(f->username, "system:bootstrap:");
	if (id)
		str_copy(f->token_id, sizeof(f->token_id), id);
	f->usages_ok = usages_are(json_get(spec, "usages"), f->signer);
	f->lifetime_s = json_int(json_get(spec, "expirationSeconds"), LIFETIME_MAX_S);
	f->lifetime_s = MAX(MIN(f->lifetime_s, LIFETIME_MAX_S), LIFETIME_MIN_S);
	r = base64_decode(&f->pem, json_str(json_get(spec, "request"), ""));
	if (r < 0)
		return err_set(e, -EBADMSG, "spec.request is not base64");
	return x509_csr_read(buf_str(&f->pem), f->pem.len, &f->subject, f->key_id, e);
}

void csr_done(struct csr_facts *f)
{
	buf_done(&f->pem);
}

int csr_check_shape(const struct csr_facts *f, struct err *e)
{
	const struct x509_subject *s = &f->subject;

	if (f->signer == CSR_OTHER)
		return err_set(e, -EBADMSG, "no such signer here");
	if (s->orgs.count != 1 || !str_eq(s->orgs.text[0], "system:nodes"))
		return err_set(e, -EBADMSG, "subject organization is not system:nodes");
	if (!str_starts(s->common_name, "system:node:") || !s->common_name[12])
		return err_set(e, -EBADMSG, "subject common name does not begin with system:node:");
	if (!f->usages_ok)
		return err_set(e, -EBADMSG, "usages did not match");
	if (s->other_sans)
		return err_set(e, -EBADMSG, "only DNS and IP subjectAltNames are allowed");
	if (f->signer == CSR_NODE_CLIENT && s->dns.count + s->ips.count)
		return err_set(e, -EBADMSG, "DNS and IP subjectAltNames are not allowed");
	if (f->signer == CSR_NODE_SERVING && !(s->dns.count + s->ips.count))
		return err_set(e, -EBADMSG, "DNS or IP subjectAltName is required");
	return 0;
}

static bool sans_within(const struct x509_names *asked, const struct csr_facts *f, char *reason)
{
	for (size_t i = 0; i < asked->count; i++) {
		if (x509_names_has(&f->addresses, asked->text[i]))
			continue;
		snprintf(reason, CSR_REASON_MAX, "%.100s is no address of this host",
			 asked->text[i]);
		return false;
	}
	return true;
}

static enum csr_verdict decide_token(const struct csr_facts *f, const char *node, char *reason)
{
	if (f->signer != CSR_NODE_CLIENT) {
		snprintf(reason, CSR_REASON_MAX, "a token is good for a client certificate only");
		return CSR_DENY;
	}
	if (!*f->token_node) {
		snprintf(reason, CSR_REASON_MAX, "token %s is not known any more", f->token_id);
		return CSR_DENY;
	}
	if (!str_eq(node, f->token_node)) {
		snprintf(reason, CSR_REASON_MAX, "token %s was made for node %.100s, not %.100s",
			 f->token_id, f->token_node, node);
		return CSR_DENY;
	}
	if (*f->token_key && !str_eq(f->token_key, f->key_id)) {
		snprintf(reason, CSR_REASON_MAX, "token %s was already used with another key",
			 f->token_id);
		return CSR_DENY;
	}
	if (!f->host_approved) {
		snprintf(reason, CSR_REASON_MAX, "host %.100s is new", node);
		return CSR_WAIT;
	}
	snprintf(reason, CSR_REASON_MAX, "token %s was made for this host", f->token_id);
	return CSR_APPROVE;
}

enum csr_verdict csr_decide(const struct csr_facts *f, char *reason)
{
	const char *node = str_starts(f->subject.common_name, "system:node:");
	struct err e = ERR_INIT;

	if (f->signer == CSR_OTHER) {
		snprintf(reason, CSR_REASON_MAX, "not a host's request");
		return CSR_WAIT;
	}
	if (csr_check_shape(f, &e) < 0) {
		snprintf(reason, CSR_REASON_MAX, "%s", err_msg(&e));
		return CSR_DENY;
	}
	if (*f->token_id)
		return decide_token(f, node, reason);
	if (!str_eq(f->username, f->subject.common_name)) {
		snprintf(reason, CSR_REASON_MAX, "%.100s may not ask in the name of %.100s",
			 f->username, f->subject.common_name);
		return CSR_DENY;
	}
	if (f->signer == CSR_NODE_SERVING &&
	    (!sans_within(&f->subject.dns, f, reason) || !sans_within(&f->subject.ips, f, reason)))
		return CSR_DENY;
	snprintf(reason, CSR_REASON_MAX, "asked by the node itself");
	return CSR_APPROVE;
}
