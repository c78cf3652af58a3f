// SPDX-License-Identifier: Apache-2.0
/*
 * What the switches say on the wires (LLDP, IEEE 802.1AB): the last frame of each network card is
 * kept as a file, DIR/CARD, as it came. Nothing of it is looked at here; that is hostd-inventory's,
 * which has no rights. A frame like the last one touches the file, so its age is that of the
 * neighbour's last word.
 *
 * One socket for all cards, with a filter that knows them: frames that come from elsewhere, as from
 * pods' taps, do not even wake us. On a wire that is flooded, a batch a second is read, and the
 * kernel drops what its buffer does not hold.
 */
#include "host/host.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#define LLDP_TYPE      0x88cc
#define LLDP_CARDS_MAX 64
#define LLDP_BATCH_MAX 16 /* frames a turn */
#define LLDP_PAUSE_MS  1000 /* after a full batch */
#define LLDP_CHANGE_MS 5000 /* a card's frames that change faster are passed over */
#define LLDP_CLASS_DIR "/sys/class/net"

static const unsigned char lldp_nearest_bridge[ETH_ALEN] = {0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e};

static struct {
	struct watch watch; /* loop NULL: not started */
	struct timer pause;
	int dir;
	void (*on_change)(void *arg);
	void *arg;
	struct lldp_card {
		unsigned int index;
		char name[IF_NAMESIZE];
		uint64_t changed_ms;
		size_t len;
		unsigned char frame[HOST_LLDP_FRAME_MAX];
	} cards[LLDP_CARDS_MAX];
	size_t count;
} lldp;

static struct lldp_card *lldp_card(unsigned int index)
{
	for (size_t i = 0; i < lldp.count; i++)
		if (lldp.cards[i].index == index)
			return &lldp.cards[i];
	return NULL;
}

/* Return: whether it is another frame than the last, and now lies there */
static bool lldp_keep(struct lldp_card *card, const unsigned char *frame, size_t len)
{
	uint64_t now_ms = clock_mono_ms();

	if (len == card->len && memcmp(frame, card->frame, len) == 0) {
		(void)utimensat(lldp.dir, card->name, NULL, 0);
		return false;
	}
	if (card->changed_ms && now_ms - card->changed_ms < LLDP_CHANGE_MS)
		return false;
	card->changed_ms = now_ms;
	memcpy(card->frame, frame, len);
	card->len = len;
	return file_write(lldp.dir, card->name, frame, len, 0644, NULL) == 0;
}

static void lldp_go_on(struct timer *t)
{
	(void)t;
	(void)watch_mod(&lldp.watch, EPOLLIN);
}

static void lldp_ready(struct watch *w, uint32_t events)
{
	unsigned char frame[HOST_LLDP_FRAME_MAX];
	bool changed = false;
	int i;

	(void)events;
	for (i = 0; i < LLDP_BATCH_MAX; i++) {
		struct sockaddr_ll from;
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(w->fd, frame, sizeof(frame), MSG_DONTWAIT | MSG_TRUNC,
				     (struct sockaddr *)&from, &from_len);
		struct lldp_card *card;

		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n <= 0 || n > (ssize_t)sizeof(frame) || from.sll_pkttype == PACKET_OUTGOING)
			continue;
		card = lldp_card((unsigned int)from.sll_ifindex);
		if (card)
			changed |= lldp_keep(card, frame, (size_t)n);
	}
	if (i == LLDP_BATCH_MAX) {
		(void)watch_mod(w, 0);
		timer_set(&lldp.pause, LLDP_PAUSE_MS);
	}
	if (changed)
		lldp.on_change(lldp.arg);
}

/* Only what a card has received gets to us. Source: Linux Documentation/networking/filter.rst */
static void lldp_filter(void)
{
	struct sock_filter code[LLDP_CARDS_MAX + 3] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned int)(SKF_AD_OFF + SKF_AD_IFINDEX)),
	};
	struct sock_fprog program = {.len = 1, .filter = code};

	for (size_t i = 0; i < lldp.count; i++)
		code[program.len++] =
			(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, lldp.cards[i].index,
						     (unsigned char)(lldp.count - i), 0);
	code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	(void)setsockopt(lldp.watch.fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static void lldp_join(const char *name)
{
	unsigned int index = if_nametoindex(name);
	struct packet_mreq group = {
		.mr_ifindex = (int)index,
		.mr_type = PACKET_MR_MULTICAST,
		.mr_alen = ETH_ALEN,
	};
	struct lldp_card *card;

	if (!index || lldp_card(index) || lldp.count == LLDP_CARDS_MAX)
		return;
	memcpy(group.mr_address, lldp_nearest_bridge, ETH_ALEN);
	if (setsockopt(lldp.watch.fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return;
	card = &lldp.cards[lldp.count++];
	*card = (struct lldp_card){.index = index};
	(void)str_copy(card->name, sizeof(card->name), name);
}

/* Cards that are no more make room; their indices are not used again */
static void lldp_forget(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < lldp.count; i++) {
		char name[IF_NAMESIZE];

		if (if_indextoname(lldp.cards[i].index, name) && str_eq(name, lldp.cards[i].name))
			lldp.cards[kept++] = lldp.cards[i];
		else
			(void)unlinkat(lldp.dir, lldp.cards[i].name, 0);
	}
	lldp.count = kept;
}

void host_lldp_rescan(void)
{
	struct dirent *ent;
	DIR *dir;

	if (!lldp.watch.loop)
		return;
	lldp_forget();
	dir = opendir(LLDP_CLASS_DIR);
	while (dir && (ent = readdir(dir))) {
		char path[300];

		snprintf(path, sizeof(path), LLDP_CLASS_DIR "/%s/device", ent->d_name);
		if (ent->d_name[0] != '.' && access(path, F_OK) == 0)
			lldp_join(ent->d_name);
	}
	if (dir)
		closedir(dir);
	lldp_filter();
}

int host_lldp_start(struct loop *loop, const char *dir, void (*on_change)(void *arg), void *arg,
		    struct err *e)
{
	_cleanup_fd_ int fd =
		socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(LLDP_TYPE));
	int r = file_mkdirs(dir, 0755);

	if (fd < 0)
		return err_sys(e, -errno, "LLDP socket");
	lldp.dir = r < 0 ? -1 : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lldp.dir < 0)
		return err_sys(e, r < 0 ? r : -errno, "open %s", dir);
	timer_init(loop, &lldp.pause, lldp_go_on);
	lldp.on_change = on_change;
	lldp.arg = arg;
	r = watch_add(loop, &lldp.watch, fd, EPOLLIN, lldp_ready);
	if (r < 0)
		return err_sys(e, r, "LLDP socket");
	take_fd(&fd);
	host_lldp_rescan();
	return 0;
}
