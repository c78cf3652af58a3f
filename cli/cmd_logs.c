// SPDX-License-Identifier: Apache-2.0
/* What pods and hosts printed. */
#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "cmd.h"

static int logs_write(const void *data, size_t len, void *arg)
{
	(void)arg;
	return fd_write_full(STDOUT_FILENO, data, len);
}

/* The same for a terminal, which takes some bytes for orders: a host cleans its log, if it is what it should be */
static int logs_write_clean(const void *data, size_t len, void *arg)
{
	_cleanup_free_ char *clean = mem_alloc(len + 1);

	memcpy(clean, data, len);
	for (size_t i = 0; i < len; i++)
		if (clean[i] != '\n' && (clean[i] < 0x20 || clean[i] >= 0x7f))
			clean[i] = '?';
	return logs_write(clean, len, arg);
}

/* "90", "90s", "5m", "2h" or "1d" in seconds. Return: 0 or -EINVAL */
static int logs_seconds(const char *text, uint64_t *seconds)
{
	static const struct {
		char unit;
		uint32_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	_cleanup_free_ char *number = mem_strdup(text);
	size_t len = strlen(number);
	uint32_t scale = 1;

	for (size_t i = 0; len && i < ARRAY_SIZE(units); i++) {
		if (number[len - 1] != units[i].unit)
			continue;
		scale = units[i].seconds;
		number[len - 1] = '\0';
		break;
	}
	if (str_u64(number, INT64_MAX / 86400, seconds) < 0)
		return -EINVAL;
	*seconds *= scale;
	return 0;
}

static int logs_value(struct buf *query, int option, const char *value)
{
	const char *name = option == 'T'   ? "tailLines"
			   : option == 'L' ? "limitBytes"
			   : option == 's' ? "sinceSeconds"
			   : option == 'S' ? "sinceTime"
					   : "stream";
	_cleanup_free_ char *escaped = str_percent_encode(value);
	uint64_t n;

	if (option == 'S' || option == 'o')
		return buf_printf(query, "&%s=%s", name, escaped);
	if (option == 's' ? logs_seconds(value, &n) < 0 : str_u64(value, INT64_MAX, &n) < 0)
		return -EINVAL;
	return buf_printf(query, "&%s=%llu", name, (unsigned long long)n);
}

int cmd_logs(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {{"follow", no_argument, NULL, 'f'},
						{"timestamps", no_argument, NULL, 't'},
						{"tail", required_argument, NULL, 'T'},
						{"since", required_argument, NULL, 's'},
						{"previous", no_argument, NULL, 'P'},
						{"since-time", required_argument, NULL, 'S'},
						{"limit-bytes", required_argument, NULL, 'L'},
						{"stream", required_argument, NULL, 'o'},
						{"container", required_argument, NULL, 'c'},
						{NULL, 0, NULL, 0}};
	struct buf path = BUF_INIT(65536);
	struct err e = ERR_INIT;
	_cleanup_free_ char *pod = NULL;
	struct buf query = BUF_INIT(4096);
	const char *container = NULL;
	int option, r;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "ftpc:", options, NULL)) != -1) {
		if (option == 'f')
			buf_puts(&query, "&follow=true");
		else if (option == 't')
			buf_puts(&query, "&timestamps=true");
		else if (option == 'P' || option == 'p')
			buf_puts(&query, "&previous=true");
		else if (option == 'c')
			container = optarg;
		else if (option == '?' || logs_value(&query, option, optarg) < 0)
			return cmd_usage("logs",
					 "unknown option, or a value that it does not take");
	}
	if (optind >= argc || argc - optind > 2 || (container && argc - optind > 1))
		return cmd_usage("logs", "which pod?");
	if (argc - optind == 2)
		container = argv[optind + 1];
	pod = cmd_pod_path(c, argv[optind]);
	buf_printf(&path, "%s/log?", pod);
	if (container) {
		_cleanup_free_ char *escaped = str_percent_encode(container);

		buf_printf(&path, "container=%s", escaped);
	}
	buf_puts(&path, buf_str(&query));
	r = api_stream(c->api, buf_str(&path), logs_write, NULL, &e);
	buf_done(&query);
	buf_done(&path);
	return r < 0 ? cmd_fail(&e, "logs") : CMD_OK;
}

static int host_logs_query(struct buf *query, int option, const char *value)
{
	_cleanup_free_ char *escaped = NULL;

	if (option == 'f')
		return buf_puts(query, "&follow=true");
	if (option != 'g')
		return option == 's' || option == 'T' ? logs_value(query, option, value) : -EINVAL;
	escaped = str_percent_encode(value);
	return *value ? buf_printf(query, "&pattern=%s", escaped) : -EINVAL;
}

int cmd_host_logs(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {{"follow", no_argument, NULL, 'f'},
						{"tail", required_argument, NULL, 'T'},
						{"since", required_argument, NULL, 's'},
						{"grep", required_argument, NULL, 'g'},
						{"kernel", no_argument, NULL, 'k'},
						{"programs", no_argument, NULL, 'p'},
						{NULL, 0, NULL, 0}};
	struct buf query = BUF_INIT(4096);
	_cleanup_free_ char *path = NULL, *host = NULL;
	const char *log = "host";
	struct err e = ERR_INIT;
	int option, r = 0;

	opterr = 0;
	while (r == 0 && (option = getopt_long(argc, argv, "f", options, NULL)) != -1) {
		if (option == 'k' || option == 'p')
			log = option == 'k' ? "kernel" : "programs";
		else
			r = host_logs_query(&query, option, optarg);
	}
	if (r == 0 && argc - optind == 1) {
		host = str_percent_encode(argv[optind]);
		path = mem_printf("/api/v1/nodes/%s/proxy/logs/%s?%s", host, log, buf_str(&query));
	}
	buf_done(&query);
	if (!path)
		return cmd_usage("host-logs",
				 r < 0 ? "unknown option, or a value that it does not take"
				       : "of which host?");
	r = api_stream(c->api, path, isatty(STDOUT_FILENO) ? logs_write_clean : logs_write, NULL,
		       &e);
	return r < 0 ? cmd_fail(&e, "host-logs") : CMD_OK;
}
