/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of service accounts; private to api/. */
#ifndef API_TOKEN_H
#define API_TOKEN_H

#include "internal.h"

/** token_issue() - Answer serviceaccounts/NAME/token with a TokenRequest whose status has a token */
void token_issue(struct api_call *c);

/**
 * token_user() - Whose token it is, if it is good now
 * @audiences: the token must be for one of these; NULL: for this API
 * @out: zeroed; filled in on success
 * Return: 0; -EACCES with the reason in @e.
 */
int token_user(struct store *s, const struct api_site *site, const char *token,
	       const struct json *audiences, struct api_user *out, struct err *e);

/** token_audiences() - Those of @audiences that a token has; it has been checked. Return: a value of @doc */
struct json *token_audiences(struct json_doc *doc, const char *token, const struct json *audiences);

/** token_discovery() - The public keys and where they are (OpenID Connect discovery). Return: whether the path was one of these */
bool token_discovery(struct api_call *c);

#endif
