// SPDX-License-Identifier: Apache-2.0
/*
 * The power button, also where a BMC presses it: the kernel's ACPI driver says so on generic netlink, family "acpi_event",
 * to a multicast group whose number has to be asked for (include/linux/acpi.h, drivers/acpi/event.c). No input device is
 * needed. Only the kernel (port 0) is listened to.
 */
#include "host/host.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define BUTTON_FAMILY	   "acpi_event"
#define BUTTON_GROUP	   "acpi_mc_group"
#define BUTTON_CLASS	   "button/power"
#define BUTTON_EVENT_ATTR  1 /* ACPI_GENL_ATTR_EVENT */
#define BUTTON_CLASS_SIZE  20 /* struct acpi_genl_event begins with device_class[20] */
#define BUTTON_MESSAGE_MAX 4096

struct attribute {
	uint16_t type;
	const char *data;
	size_t len;
};

/* The next attribute of a block; false at its end, or where it makes no sense */
static bool next(const char **at, size_t *left, struct attribute *a)
{
	struct nlattr head;
	size_t step;

	if (*left < sizeof(head))
		return false;
	memcpy(&head, *at, sizeof(head));
	if (head.nla_len < sizeof(head) || head.nla_len > *left)
		return false;
	a->type = head.nla_type & NLA_TYPE_MASK;
	a->data = *at + sizeof(head);
	a->len = head.nla_len - sizeof(head);
	step = MIN((size_t)NLA_ALIGN(head.nla_len), *left);
	*at += step;
	*left -= step;
	return true;
}

static bool is_text(const struct attribute *a, const char *text)
{
	size_t len = strlen(text) + 1;

	return a->len >= len && memcmp(a->data, text, len) == 0;
}

/* Behind the headers of a whole message of generic netlink; NULL when it is none */
static const char *payload(const void *data, size_t len, size_t *left)
{
	const size_t heads = NLMSG_HDRLEN + GENL_HDRLEN;
	struct nlmsghdr head;

	if (len < heads)
		return NULL;
	memcpy(&head, data, sizeof(head));
	if (head.nlmsg_len < heads || head.nlmsg_len > len || head.nlmsg_type < NLMSG_MIN_TYPE)
		return NULL;
	*left = head.nlmsg_len - heads;
	return (const char *)data + heads;
}

int host_button_group(const void *data, size_t len, uint32_t *group)
{
	struct attribute a, g, part;
	const char *at = payload(data, len, &len), *in, *inner;

	while (at && next(&at, &len, &a)) {
		size_t in_len = a.len;

		if (a.type != CTRL_ATTR_MCAST_GROUPS)
			continue;
		for (in = a.data; next(&in, &in_len, &g);) {
			size_t inner_len = g.len;
			bool ours = false, there = false;

			for (inner = g.data; next(&inner, &inner_len, &part);) {
				if (part.type == CTRL_ATTR_MCAST_GRP_NAME)
					ours = is_text(&part, BUTTON_GROUP);
				if (part.type != CTRL_ATTR_MCAST_GRP_ID ||
				    part.len != sizeof(*group))
					continue;
				memcpy(group, part.data, sizeof(*group));
				there = true;
			}
			if (ours && there)
				return 0;
		}
	}
	return -ENOENT;
}

bool host_button_pressed(const void *data, size_t len)
{
	const char *at = payload(data, len, &len);
	struct attribute a;

	while (at && next(&at, &len, &a))
		if (a.type == BUTTON_EVENT_ATTR && a.len >= BUTTON_CLASS_SIZE &&
		    is_text(&a, BUTTON_CLASS))
			return true;
	return false;
}

static struct watch button_watch;
static void (*button_on_press)(void *arg);
static void *button_arg;

/* Return: bytes of a message of the kernel's own; 0 for others'; -errno */
static ssize_t receive(int fd, char *data)
{
	struct sockaddr_nl from;
	socklen_t from_len = sizeof(from);
	ssize_t n = recvfrom(fd, data, BUTTON_MESSAGE_MAX, 0, (struct sockaddr *)&from, &from_len);

	if (n < 0)
		return -errno;
	return from_len == sizeof(from) && from.nl_pid == 0 ? n : 0;
}

static void readable(struct watch *w, uint32_t events)
{
	char data[BUTTON_MESSAGE_MAX];
	ssize_t n = receive(w->fd, data);

	(void)events;
	if (n > 0 && host_button_pressed(data, (size_t)n))
		button_on_press(button_arg);
}

static int ask(int fd, uint32_t *group)
{
	struct {
		struct nlmsghdr head;
		struct genlmsghdr genl;
		struct nlattr attribute;
		char name[12]; /* BUTTON_FAMILY, and what aligns it */
	} q = {
		.head = {.nlmsg_len = sizeof(q),
			 .nlmsg_type = GENL_ID_CTRL,
			 .nlmsg_flags = NLM_F_REQUEST},
		.genl = {.cmd = CTRL_CMD_GETFAMILY, .version = 1},
		.attribute = {.nla_len = NLA_HDRLEN + sizeof(BUTTON_FAMILY),
			      .nla_type = CTRL_ATTR_FAMILY_NAME},
		.name = BUTTON_FAMILY,
	};
	char data[BUTTON_MESSAGE_MAX];
	ssize_t n;

	if (send(fd, &q, sizeof(q), 0) < 0)
		return -errno;
	n = receive(fd, data); /* the kernel has answered when send() is back */
	return n < 0 ? (int)n : host_button_group(data, (size_t)n, group);
}

int host_button_start(struct loop *loop, void (*on_press)(void *arg), void *arg, struct err *e)
{
	_cleanup_fd_ int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_GENERIC);
	uint32_t group;
	int r = fd < 0 ? -errno : ask(fd, &group);

	if (r == 0 &&
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		r = -errno;
	if (r < 0)
		return err_sys(e, r, "events of ACPI");
	button_on_press = on_press;
	button_arg = arg;
	r = watch_add(loop, &button_watch, fd, EPOLLIN, readable);
	if (r < 0)
		return err_sys(e, r, "events of ACPI");
	take_fd(&fd);
	return 0;
}
