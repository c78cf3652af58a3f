// SPDX-License-Identifier: Apache-2.0
#include "nlink/nlink.h"

#include <errno.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

static int nlink_errno(int nl_code)
{
	switch (-nl_code) {
	case NLE_EXIST:
		return -EEXIST;
	case NLE_PERM:
		return -EPERM;
	case NLE_NODEV:
	case NLE_OBJ_NOTFOUND:
		return -ENODEV;
	case NLE_OPNOTSUPP:
		return -EOPNOTSUPP;
	case NLE_BUSY:
		return -EBUSY;
	default:
		return -EIO;
	}
}

int nlink_failed(struct err *e, int nl_code, const char *what, const char *name)
{
	return err_set(e, nlink_errno(nl_code), "%s %s: %s", what, name, nl_geterror(nl_code));
}

int nlink_open(struct nl_sock **sk, struct err *e)
{
	int r;

	*sk = nl_socket_alloc();
	if (!*sk)
		return err_set(e, -ENOMEM, "rtnetlink socket");
	r = nl_connect(*sk, NETLINK_ROUTE);
	if (r < 0) {
		nl_socket_free(*sk);
		return nlink_failed(e, r, "connect to", "rtnetlink");
	}
	return 0;
}

int nlink_send(struct nl_sock *sk, struct nl_msg *m, const char *what, struct err *e)
{
	int r;

	if (!m)
		return err_set(e, -ENOMEM, "%s", what);
	r = nl_send_sync(sk, m); /* frees it */
	return r < 0 ? err_set(e, nlink_errno(r), "%s: %s", what, nl_geterror(r)) : 0;
}
