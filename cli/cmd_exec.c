// SPDX-License-Identifier: Apache-2.0
/*
 * hyper exec and attach: the channel protocol of Kubernetes (v5.channel.k8s.io) over a WebSocket.
 *
 * Standard input is read while the connection takes it, standard output written as it comes. With -t the
 * terminal is raw while the connection stands; every way out, signals too, goes through terminal_restore().
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/str.h"
#include "channel.h"
#include "cmd.h"
#include "http/tunnel.h"
#include "http/ws.h"

#define EXEC_READ	 8192
#define EXEC_CODE_SIGNAL 128

struct exec {
	struct loop loop;
	struct http_tunnel *tunnel;
	const char *command; /* "exec" or "attach", for messages */
	bool in, tty;
	bool open; /* the answer 101 came */
	bool reading; /* standard input is looked at */
	bool in_file; /* it is a file: always readable, never watched */
	bool in_over;
	int signal; /* that ends us */
	struct watch stdin_watch;
	struct defer read_later;
	struct ws_reader ws;
	struct channel_reader channels;
	struct buf received;
	int status; /* to exit with; -1: not known yet */
};

static struct termios terminal_saved;
static bool terminal_is_raw;

static void terminal_restore(void)
{
	if (terminal_is_raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal_saved);
	terminal_is_raw = false;
}

static void terminal_raw(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &terminal_saved) < 0)
		return;
	raw = terminal_saved;
	cfmakeraw(&raw);
	terminal_is_raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

/* A message below whatever the raw terminal shows */
static void exec_complain(struct exec *x, const char *message)
{
	char safe[1024];

	terminal_restore();
	fprintf(stderr, "hyper: %s: %s\n", x->command, str_visible(safe, sizeof(safe), message));
}

static void exec_end(struct exec *x, int status)
{
	if (x->status >= 0)
		return;
	x->status = status;
	loop_stop(&x->loop, 0);
}

/* ---- to the pod ---- */

static void exec_say(struct exec *x, enum ws_op op, int channel, const void *data, size_t len)
{
	uint8_t frame[WS_HEAD_MAX + 1 + EXEC_READ], mask[4];
	size_t body = len + (channel >= 0), n;

	/* The mask is against proxies that mistake data for requests; over TLS it protects nothing. */
	random_fill(mask, sizeof(mask));
	n = ws_head(frame, op, body, mask);
	if (channel >= 0)
		frame[n] = (uint8_t)channel;
	memcpy(frame + n + (channel >= 0), data, len);
	ws_mask(frame + n, body, mask);
	http_tunnel_write(x->tunnel, frame, n + body);
}

static void exec_send_size(struct exec *x)
{
	struct winsize size;
	char text[64];
	int n;

	if (!x->tty || !x->open || ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
		return;
	n = snprintf(text, sizeof(text), "{\"Width\":%u,\"Height\":%u}", size.ws_col, size.ws_row);
	exec_say(x, WS_BINARY, CHANNEL_RESIZE, text, (size_t)n);
}

static void exec_stdin_over(struct exec *x)
{
	const uint8_t which = CHANNEL_STDIN;

	watch_del(&x->stdin_watch);
	x->in_over = true;
	exec_say(x, WS_BINARY, CHANNEL_CLOSE, &which, 1);
}

static void exec_read_on(struct exec *x);

static void exec_read_stdin(struct exec *x)
{
	char data[EXEC_READ];
	ssize_t n = read(STDIN_FILENO, data, sizeof(data));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		exec_stdin_over(x);
	else
		exec_say(x, WS_BINARY, CHANNEL_STDIN, data, (size_t)n);
	exec_read_on(x);
}

static void exec_stdin_event(struct watch *w, uint32_t events)
{
	(void)events;
	exec_read_stdin(container_of(w, struct exec, stdin_watch));
}

static void exec_read_file(struct defer *d)
{
	exec_read_stdin(container_of(d, struct exec, read_later));
}

/* Looks at standard input, or not, as the connection has room. */
static void exec_read_on(struct exec *x)
{
	bool room = http_tunnel_pending(x->tunnel) <= HTTP_TUNNEL_ROOM;

	if (x->in_over || !x->in || !x->open)
		return;
	if (x->in_file) {
		if (room)
			loop_defer(&x->loop, &x->read_later, exec_read_file);
		return;
	}
	if (room == x->reading)
		return;
	x->reading = room;
	if (!room) {
		watch_del(&x->stdin_watch);
	} else if (watch_add(&x->loop, &x->stdin_watch, STDIN_FILENO, EPOLLIN, exec_stdin_event) <
		   0) {
		x->in_file = true; /* epoll takes no files */
		exec_read_on(x);
	}
}

static void on_room(struct http_tunnel *t, void *arg)
{
	(void)t;
	exec_read_on(arg);
}

/* ---- from the pod ---- */

static void exec_output(int fd, const void *data, size_t len, void *arg)
{
	struct exec *x = arg;

	if (fd_write_full(fd, data, len) < 0)
		exec_end(x, CMD_FAILED);
}

static void exec_status(struct exec *x)
{
	struct channel_end end;

	if (!channel_status(&x->channels, &end)) {
		exec_complain(x, "the connection ended before the command did");
		exec_end(x, CMD_FAILED);
		return;
	}
	if (end.code < 0)
		exec_complain(x, end.message);
	exec_end(x, end.code < 0 ? CMD_FAILED : end.code);
}

static void exec_piece(struct exec *x, const struct ws_piece *p)
{
	switch (p->op) {
	case WS_TEXT:
	case WS_BINARY:
		if (channel_take(&x->channels, p, exec_output, x))
			exec_status(x);
		break;
	case WS_PING:
		exec_say(x, WS_PONG, CHANNEL_NONE, p->data, p->len);
		break;
	case WS_CLOSE:
		exec_status(x);
		break;
	case WS_PONG:
	case WS_CONTINUATION:
		break;
	}
}

static void on_data(struct http_tunnel *t, const void *data, size_t len, void *arg)
{
	struct exec *x = arg;
	size_t pos = 0;
	long n = 0;

	(void)t;
	if (buf_append(&x->received, data, len) < 0)
		n = -ENOMEM;
	while (n >= 0 && x->status < 0) {
		struct ws_piece p;

		n = ws_read(&x->ws, (uint8_t *)x->received.data + pos, x->received.len - pos,
			    SIZE_MAX, &p);
		if (n <= 0)
			break;
		pos += (size_t)n;
		exec_piece(x, &p);
	}
	buf_consume(&x->received, pos);
	if (n < 0) {
		exec_complain(x, "the server breaks the WebSocket protocol");
		exec_end(x, CMD_FAILED);
	}
}

static void on_open(struct http_tunnel *t, const char *head, void *arg)
{
	struct exec *x = arg;
	char protocol[64];

	(void)t;
	if (!http_tunnel_header(head, "Sec-WebSocket-Protocol", protocol, sizeof(protocol)) ||
	    !str_eq(protocol, CHANNEL_V5)) {
		exec_complain(x, "the server does not speak " CHANNEL_V5);
		exec_end(x, CMD_FAILED);
		return;
	}
	x->open = true;
	if (x->tty && x->in)
		terminal_raw();
	exec_send_size(x);
	exec_read_on(x);
}

static void on_refused(struct http_tunnel *t, int status, const char *body, void *arg)
{
	struct exec *x = arg;
	struct err e = ERR_INIT;

	(void)t;
	api_refused(status, body, &e);
	exec_complain(x, err_msg(&e));
	exec_end(x, CMD_FAILED);
}

static void on_closed(struct http_tunnel *t, const struct err *e, void *arg)
{
	struct exec *x = arg;

	(void)t;
	if (!x->open || e)
		exec_complain(x, e ? err_msg(e) : "the server hung up");
	else
		exec_status(x);
	exec_end(x, CMD_FAILED);
}

/* ---- the command ---- */

static void on_signal(int signo, void *arg)
{
	struct exec *x = arg;

	if (signo == SIGWINCH) {
		exec_send_size(x);
		return;
	}
	x->signal = signo;
	exec_end(x, EXEC_CODE_SIGNAL + signo);
}

static int exec_connect(struct cmd *c, struct exec *x, const char *path)
{
	static const struct http_tunnel_ops ops = {
		.on_open = on_open,
		.on_data = on_data,
		.on_room = on_room,
		.on_refused = on_refused,
		.on_closed = on_closed,
	};
	static const int signals[] = {SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT, 0};
	struct err e = ERR_INIT;
	char key[WS_KEY_MAX];
	const struct http_header headers[] = {
		{"Upgrade", "websocket"},
		{"Sec-WebSocket-Version", "13"},
		{"Sec-WebSocket-Key", ws_key(key)},
		{"Sec-WebSocket-Protocol", CHANNEL_V5},
		{NULL, NULL},
	};
	int r = loop_init(&x->loop);

	if (r == 0)
		r = loop_signals(&x->loop, signals, on_signal, x);
	if (r < 0)
		return err_sys(&e, r, "event loop"), cmd_fail(&e, x->command);
	if (api_tunnel(c->api, &x->loop, path, headers, &ops, x, &x->tunnel, &e) < 0)
		return cmd_fail(&e, x->command);
	x->status = -1;
	/* An end of our output is an error like others: the terminal must be restored. */
	signal(SIGPIPE, SIG_IGN);
	loop_run(&x->loop);
	terminal_restore();
	http_tunnel_free(x->tunnel);
	loop_done(&x->loop);
	buf_done(&x->received);
	channel_done(&x->channels);
	return x->status;
}

static void exec_add(struct buf *path, const char *key, const char *value)
{
	_cleanup_free_ char *escaped = str_percent_encode(value);

	buf_printf(path, "&%s=%s", key, escaped);
}

struct exec_options {
	const char *container;
	bool in, tty;
};

static int exec_parse(int argc, char **argv, struct exec_options *o)
{
	static const struct option options[] = {{"stdin", no_argument, NULL, 'i'},
						{"tty", no_argument, NULL, 't'},
						{"container", required_argument, NULL, 'c'},
						{NULL, 0, NULL, 0}};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "itc:", options, NULL)) != -1) {
		if (option == 'i')
			o->in = true;
		else if (option == 't')
			o->tty = true;
		else if (option == 'c')
			o->container = optarg;
		else
			return -EINVAL;
	}
	return 0;
}

/* Words in front of "--" are the pod's name, those behind it the command. Return: where it begins, or argc */
static int exec_find_command(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (str_eq(argv[i], "--"))
			return i + 1;
	return argc;
}

int cmd_exec(struct cmd *c, int argc, char **argv)
{
	bool attach = str_eq(argv[0], "attach");
	struct exec x = {.command = argv[0], .received = BUF_INIT(1 << 20)};
	struct exec_options o = {0};
	struct buf path = BUF_INIT(1 << 20);
	int command = exec_find_command(argc, argv), words, status;
	_cleanup_free_ char *pod = NULL;

	words = command < argc || (argc && str_eq(argv[argc - 1], "--")) ? command - 1 : argc;
	if (exec_parse(words, argv, &o) < 0)
		return cmd_usage(argv[0], "unknown option, or one without its value");
	if (optind + 1 != words)
		return cmd_usage(argv[0], optind >= words ? "which pod?"
					  : attach	  ? "takes one pod"
							  : "the command goes behind `--`");
	if (!attach && command >= argc)
		return cmd_usage(argv[0], "which command? It goes behind `--`");
	x.in = o.in;
	x.tty = o.tty;
	if (o.tty && o.in && !isatty(STDIN_FILENO)) {
		fprintf(stderr, "hyper: %s: standard input is no terminal; goes on without -t\n",
			argv[0]);
		x.tty = false;
	}
	pod = cmd_pod_path(c, argv[optind]);
	buf_printf(&path, "%s/%s?stdout=true%s%s%s", pod, argv[0], x.tty ? "" : "&stderr=true",
		   x.in ? "&stdin=true" : "", x.tty ? "&tty=true" : "");
	if (o.container)
		exec_add(&path, "container", o.container);
	for (int i = command; i < argc && !attach; i++)
		exec_add(&path, "command", argv[i]);
	status = exec_connect(c, &x, buf_str(&path));
	buf_done(&path);
	return status;
}
