// SPDX-License-Identifier: Apache-2.0
#include "journal/rfc5424.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

#define RFC5424_KERNEL	   0
#define RFC5424_DAEMON	   3
#define RFC5424_PARAM_MAX  128
#define RFC5424_MSGID_MAX  33
#define RFC5424_NUMBER_MAX 2147483647ULL

/* PARAM-VALUE: '"', '\' and ']' are escaped */
static const char *rfc5424_param(const char *value, char out[RFC5424_PARAM_MAX])
{
	size_t n = 0;

	for (; *value && n + 3 <= RFC5424_PARAM_MAX; value++) {
		if (strchr("\"\\]", *value))
			out[n++] = '\\';
		out[n++] = *value;
	}
	out[n] = '\0';
	return out;
}

static const char *rfc5424_msgid(const char *text, char out[RFC5424_MSGID_MAX])
{
	const char *ev = str_starts(text, "ev=");
	size_t len;

	if (!ev) {
		ev = strstr(text, " ev=");
		ev = ev ? ev + 4 : "";
	}
	len = strcspn(ev, " \"");
	if (!len || len >= RFC5424_MSGID_MAX)
		return "-";
	memcpy(out, ev, len);
	out[len] = '\0';
	return out;
}

size_t rfc5424_format(const struct line *l, const char *hostname, const char *version,
		      uint64_t number, char *out)
{
	char time[CLOCK_RFC3339_MAX], msgid[RFC5424_MSGID_MAX], param[RFC5424_PARAM_MAX];
	unsigned int facility = l->kernel ? RFC5424_KERNEL : RFC5424_DAEMON;

	return (size_t)snprintf(
		out, RFC5424_MAX,
		"<%u>1 %s %s %s - %s [meta sequenceId=\"%llu\"]"
		"[origin software=\"HyperMetal\" swVersion=\"%s\"] %s",
		facility * 8 + (unsigned int)l->level, clock_rfc3339_micro(time, l->time_ns),
		*hostname ? hostname : "-", l->source, rfc5424_msgid(l->text, msgid),
		(unsigned long long)((number ? number - 1 : 0) % RFC5424_NUMBER_MAX + 1),
		rfc5424_param(version, param), l->text);
}

size_t rfc5424_frame(size_t len, char out[16])
{
	return (size_t)snprintf(out, 16, "%zu ", len);
}
