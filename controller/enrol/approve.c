// SPDX-License-Identifier: Apache-2.0
/*
 * One signing request through its states: pending, then Approved or Denied by us or by an operator
 * (kubectl certificate approve), then issued or Failed. Each step writes the object once; the store's
 * event brings it back for the next.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

#define CSRS "certificatesigningrequests"

static struct json_doc *copy_of(const struct store_object *o)
{
	struct json_doc *doc = json_doc_new();

	json_set_root(doc, json_copy(doc, json_root(o->doc)));
	return doc;
}

static void set_condition(struct enrol *n, struct store_object *o, const char *type,
			  const char *reason, const char *message)
{
	struct json_doc *doc;
	struct err e = ERR_INIT;

	if (n->config.decide) {
		n->config.decide(n->config.decide_arg, o, type, reason, message);
		return;
	}
	doc = copy_of(o);
	store_set_condition(doc, json_root(doc), type, "True", reason, message);
	if (store_update(n->store, CSRS, "", o->name, o->rev, doc, NULL, &e) < 0)
		log_warn("enrol", "csr=%s msg=\"%s\"", o->name, err_msg(&e));
}

/* What the host's serving certificate may name: its record, its Node, its own name. */
static void gather_addresses(struct store *s, const char *node, struct csr_facts *f)
{
	struct store_object *host = store_get(s, ENROL_HOSTS, "", node);
	struct store_object *o = store_get(s, "nodes", "", node);
	struct json_iter it;

	x509_names_add(&f->addresses, node);
	if (host) {
		f->host_approved =
			json_bool(json_at(json_root(host->doc), "spec", "approved", NULL), false);
		it = json_iter(json_at(json_root(host->doc), "spec", "addresses", NULL));
		while (json_next(&it))
			x509_names_add(&f->addresses, json_str(it.value, ""));
	}
	it = json_iter(o ? json_at(json_root(o->doc), "status", "addresses", NULL) : NULL);
	while (json_next(&it))
		x509_names_add(&f->addresses, json_str(json_get(it.value, "address"), ""));
}

/* A token that comes twice was stolen, or its thief was first: say so where the operator looks. */
static void alarm_reuse(struct enrol *n, const struct csr_facts *f)
{
	struct store_object *o = store_get(n->store, "nodes", "", f->token_node);
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc);

	json_put_str(doc, json_obj_of(doc, root, "metadata"), "name", f->token_node);
	log_warn("enrol", "ev=token_reused node=%s id=%s", f->token_node, f->token_id);
	store_event(n->store, "controller", "Node", o ? json_root(o->doc) : root, "Warning",
		    "TokenReused",
		    "Enrolment token %s was used again with another key; the request was denied",
		    f->token_id);
}

static void decide(struct enrol *n, struct store_object *o, const struct csr_facts *f)
{
	char reason[CSR_REASON_MAX] = "";
	struct err e = ERR_INIT;

	switch (csr_decide(f, reason)) {
	case CSR_WAIT:
		log_info("enrol", "ev=csr_pending csr=%s name=%s msg=\"%s\"", o->name,
			 f->subject.common_name, reason);
		break;
	case CSR_DENY:
		log_warn("enrol", "ev=csr_denied csr=%s user=%s msg=\"%s\"", o->name, f->username,
			 reason);
		if (*f->token_key && *f->token_node)
			alarm_reuse(n, f);
		set_condition(n, o, "Denied", "HyperMetalDeny", reason);
		break;
	case CSR_APPROVE:
		if (*f->token_id && token_spend(n->store, f->token_id, f->key_id, &e) < 0) {
			log_warn("enrol", "csr=%s msg=\"%s\"", o->name, err_msg(&e));
			break;
		}
		log_info("enrol", "ev=csr_approved csr=%s name=%s", o->name,
			 f->subject.common_name);
		set_condition(n, o, "Approved", "HyperMetalApprove", reason);
	}
}

/* The operator's approval of a new host is also that of its record: trust on first use. */
static void trust_host(struct enrol *n, const char *node)
{
	struct store_object *host = store_get(n->store, ENROL_HOSTS, "", node);
	struct json_doc *doc;

	if (!host)
		return;
	doc = copy_of(host);
	json_put_bool(doc, json_obj_of(doc, json_root(doc), "spec"), "approved", true);
	store_update(n->store, ENROL_HOSTS, "", node, host->rev, doc, NULL, NULL);
}

/* Somebody else approved a request that we left pending. */
static void note_approval(struct enrol *n, const struct csr_facts *f)
{
	const char *node = str_starts(f->subject.common_name, "system:node:");

	if (!*f->token_id || !node || !str_eq(node, f->token_node) || *f->token_key)
		return;
	token_spend(n->store, f->token_id, f->key_id, NULL);
	trust_host(n, node);
}

static void issue(struct enrol *n, struct store_object *o, const struct csr_facts *f)
{
	struct buf cert = BUF_INIT(65536), text = BUF_INIT(0);
	struct json_doc *doc;
	struct err e = ERR_INIT;
	int r;

	if (f->signer == CSR_OTHER)
		return; /* somebody else's signer */
	r = csr_check_shape(f, &e);
	if (r == 0)
		r = pki_sign(&n->pki, buf_str(&f->pem), &f->subject,
			     f->signer == CSR_NODE_SERVING ? X509_SERVER : X509_CLIENT,
			     f->lifetime_s, &cert, &e);
	if (r < 0) {
		log_warn("enrol", "ev=csr_failed csr=%s msg=\"%s\"", o->name, err_msg(&e));
		set_condition(n, o, "Failed", "SignerValidationFailure", err_msg(&e));
		return;
	}
	note_approval(n, f);
	base64_encode(&text, cert.data, cert.len);
	doc = copy_of(o);
	json_put_str(doc, json_obj_of(doc, json_root(doc), "status"), "certificate",
		     buf_str(&text));
	r = store_update(n->store, CSRS, "", o->name, o->rev, doc, NULL, &e);
	if (r == 0)
		log_info("enrol", "ev=certificate_issued csr=%s name=%s", o->name,
			 f->subject.common_name);
	buf_done(&cert);
	buf_done(&text);
}

void approve_step(struct enrol *n, struct store_object *o)
{
	const struct json *root = json_root(o->doc);
	bool approved = store_condition(root, "Approved") != NULL;
	struct csr_facts f;
	struct err e = ERR_INIT;
	const char *node;

	if (store_condition(root, "Denied") || store_condition(root, "Failed") ||
	    *json_str(json_at(root, "status", "certificate", NULL), ""))
		return;
	if (csr_read(root, &f, &e) < 0) {
		if (f.signer != CSR_OTHER) {
			log_warn("enrol", "ev=csr_denied csr=%s user=%s msg=\"%s\"", o->name,
				 f.username, err_msg(&e));
			set_condition(n, o, "Denied", "HyperMetalDeny", err_msg(&e));
		}
		csr_done(&f);
		return;
	}
	node = str_starts(f.subject.common_name, "system:node:");
	token_look_up(n->store, &f);
	if (node)
		gather_addresses(n->store, node, &f);
	if (approved && n->config.decide)
		note_approval(n, &f);
	else if (approved)
		issue(n, o, &f);
	else
		decide(n, o, &f);
	csr_done(&f);
}
