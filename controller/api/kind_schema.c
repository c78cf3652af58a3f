// SPDX-License-Identifier: Apache-2.0
/* The tables of the smaller kinds, and the parts that several kinds have. */
#include "schema.h"

const struct schema schema_string[] = {STR("")};
const struct schema schema_quantity[] = {QTY("")};
const struct schema schema_local_ref[] = {STR("name"), END};
const struct schema schema_toleration[] = {
	STR("effect"), STR("key"), STR("operator"), INT("tolerationSeconds"), STR("value"), END};

static const struct schema owner[] = {STR("apiVersion"),
				      BOOL("blockOwnerDeletion"),
				      BOOL("controller"),
				      STR("kind"),
				      STR("name"),
				      STR("uid"),
				      END};

const struct schema schema_metadata[] = {
	STRMAP("annotations"),
	STR("creationTimestamp"),
	INT("deletionGracePeriodSeconds"),
	STR("deletionTimestamp"),
	STRS("finalizers"),
	STR("generateName"),
	INT("generation"),
	STRMAP("labels"),
	ANY("managedFields"),
	STR("name"),
	STR("namespace"),
	OBJS("ownerReferences", owner),
	STR("resourceVersion"),
	STR("selfLink"),
	STR("uid"),
	END,
};

const struct schema schema_configmap[] = {STR("apiVersion"),
					  MAP("binaryData", schema_string),
					  MAP("data", schema_string),
					  BOOL("immutable"),
					  STR("kind"),
					  OBJ("metadata", schema_metadata),
					  END};

const struct schema schema_secret[] = {STR("apiVersion"),
				       MAP("data", schema_string),
				       BOOL("immutable"),
				       STR("kind"),
				       OBJ("metadata", schema_metadata),
				       MAP("stringData", schema_string),
				       STR("type"),
				       END};

static const struct schema object_ref[] = {STR("apiVersion"), STR("fieldPath"),
					   STR("kind"),	      STR("name"),
					   STR("namespace"),  STR("resourceVersion"),
					   STR("uid"),	      END};
const struct schema schema_serviceaccount[] = {STR("apiVersion"),
					       BOOL("automountServiceAccountToken"),
					       OBJS("imagePullSecrets", schema_local_ref),
					       STR("kind"),
					       OBJ("metadata", schema_metadata),
					       OBJS("secrets", object_ref),
					       END};

static const struct schema overhead[] = {MAP("podFixed", schema_quantity), END};
static const struct schema scheduling[] = {STRMAP("nodeSelector"),
					   OBJS("tolerations", schema_toleration), END};
const struct schema schema_runtimeclass[] = {STR("apiVersion"),
					     STR("handler"),
					     STR("kind"),
					     OBJ("metadata", schema_metadata),
					     OBJ("overhead", overhead),
					     OBJ("scheduling", scheduling),
					     END};

static const struct schema bound_ref[] = {STR("apiVersion"), STR("kind"), STR("name"), STR("uid"),
					  END};
static const struct schema token_spec[] = {STRS("audiences"), OBJ("boundObjectRef", bound_ref),
					   INT("expirationSeconds"), END};
const struct schema schema_tokenrequest[] = {
	STR("apiVersion"),	 STR("kind"),	OBJ("metadata", schema_metadata),
	OBJ("spec", token_spec), ANY("status"), END};
