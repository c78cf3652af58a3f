// SPDX-License-Identifier: Apache-2.0
#include "kube/log_query.h"

#include <errno.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

#define LOG_QUERY_SHOWN 64 /* characters of a bad value */

static int log_query_number(const char *value, int64_t *out, struct err *e)
{
	char shown[LOG_QUERY_SHOWN];
	bool minus = *value == '-';
	uint64_t n;
	int r = str_u64(value + (minus || *value == '+'), INT64_MAX, &n);

	if (r < 0)
		return err_set(e, -EBADMSG, "strconv.ParseInt: parsing \"%s\": %s",
			       str_printable(shown, sizeof(shown), value),
			       r == -ERANGE ? "value out of range" : "invalid syntax");
	*out = minus ? -(int64_t)n : (int64_t)n;
	return 0;
}

static int log_query_since(const char *seconds, const char *time, struct log_query *q,
			   struct err *e)
{
	char shown[LOG_QUERY_SHOWN];
	int r = seconds ? log_query_number(seconds, &q->since_seconds, e) : 0;

	if (r < 0)
		return r;
	if (time && *time && !str_eq(time, "null") && clock_parse_rfc3339(time, &q->since_ns) < 0) {
		str_printable(shown, sizeof(shown), time);
		return err_set(
			e, -EBADMSG,
			"parsing time \"%s\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"%s\" as \"2006\"",
			shown, shown);
	}
	return 0;
}

static int log_query_stream(const char *stream, struct log_query *q, struct err *e)
{
	char shown[LOG_QUERY_SHOWN];

	if (!stream || str_eq(stream, "All"))
		return 0;
	q->want_stdout = str_eq(stream, "Stdout");
	q->want_stderr = str_eq(stream, "Stderr");
	if (q->want_stdout || q->want_stderr)
		return 0;
	return err_set(e, -EINVAL,
		       "stream: Unsupported value: \"%s\": supported values: \"All\", \"Stderr\", "
		       "\"Stdout\"",
		       str_printable(shown, sizeof(shown), stream));
}

static int log_query_judge(const char *tail, const char *limit, const char *seconds,
			   const struct log_query *q, struct err *e)
{
	if (tail && q->tail_lines < 0)
		return err_set(e, -EINVAL,
			       "tailLines: Invalid value: %lld: must be greater than or equal to 0",
			       (long long)q->tail_lines);
	if (limit && q->limit_bytes < 1)
		return err_set(e, -EINVAL,
			       "limitBytes: Invalid value: %lld: must be greater than 0",
			       (long long)q->limit_bytes);
	if (seconds && q->since_ns)
		return err_set(e, -EINVAL,
			       ": Forbidden: at most one of `sinceTime` or `sinceSeconds` may be "
			       "specified");
	if (seconds && q->since_seconds < 1)
		return err_set(e, -EINVAL,
			       "sinceSeconds: Invalid value: %lld: must be greater than 0",
			       (long long)q->since_seconds);
	return 0;
}

int log_query_parse(const char *(*get)(const char *key, const void *arg), const void *arg,
		    struct log_query *q, struct err *e)
{
	const char *tail = get("tailLines", arg), *limit = get("limitBytes", arg);
	const char *seconds = get("sinceSeconds", arg);
	int r = 0;

	*q = (struct log_query){.tail_lines = -1,
				.want_stdout = true,
				.want_stderr = true,
				.follow = str_query_flag(get("follow", arg)),
				.previous = str_query_flag(get("previous", arg)),
				.timestamps = str_query_flag(get("timestamps", arg))};
	if (tail)
		r = log_query_number(tail, &q->tail_lines, e);
	if (r == 0 && limit)
		r = log_query_number(limit, &q->limit_bytes, e);
	if (r == 0)
		r = log_query_since(seconds, get("sinceTime", arg), q, e);
	if (r == 0)
		r = log_query_judge(tail, limit, seconds, q, e);
	return r < 0 ? r : log_query_stream(get("stream", arg), q, e);
}
