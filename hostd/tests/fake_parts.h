/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The modules below pod/ as a test needs them: oci, disk, net, vm and the guest's session by their own
 * names, linked in their place. What they were asked is counted, what they answer is set.
 */
#ifndef TESTS_FAKE_PARTS_H
#define TESTS_FAKE_PARTS_H

#include "disk/disk.h"
#include "net/net.h"
#include "oci/oci.h"
#include "vm/session.h"
#include "vm/vm.h"

#define FAKE_WAITS_MAX 16
#define FAKE_FILES_MAX 1024

struct fake_parts {
	struct loop *loop;
	/* oci */
	struct oci_wait *waits[FAKE_WAITS_MAX];
	char names[FAKE_WAITS_MAX][64];
	char logins[256]; /* of the last pull: AT=BASE64 and a blank each */
	int wait_count, image_refs, find_count;
	struct oci_image image;
	struct oci_layer layers[3];
	/* disk */
	int disk_result, scratch_count, plan_open;
	/* net */
	int attach_result, attached, adopted, synced;
	struct net_rate limited;
	/* vm */
	int start_result, started, killed;
	struct vm *vm; /* the one that runs, NULL none */
	uint64_t vm_memory;
	uint32_t vm_vcpus, vm_cid;
	struct vm_counters counters;
	bool vm_immortal; /* vm_kill() is not followed by on_exited() */
	bool adoptable;
	/* session */
	const struct session_events *events;
	void *listener;
	void *pod; /* what on_hello() answered */
	int run_sent, stop_sent;
	int stats_asked;
	uint32_t stats_ask;
	int exec_result; /* of session_exec() */
	uint16_t exec_container;
	uint32_t stop_grace_ms;
	char run_args[256]; /* of the last container of RUN, joined by '|' */
	char run_env[1024];
	char run_user[32];
	bool run_over[2]; /* of the first containers of RUN */
	char run_dns[64];
	char run_volumes[256]; /* kind:offset+size of each */
	char run_mounts[256]; /* of the last container: volume:path:sub_path:ro of each */
	int send_result;
	int files_sent, files_result; /* FILES; what session_send_files() answers */
	char files[FAKE_FILES_MAX]; /* of the last FILES: volume, then path(mode)=text of each */
};

extern struct fake_parts fake;

void fake_reset(struct loop *loop);
/** fake_pulled() - Answer the oldest waiting pull; @why NULL: with the image */
void fake_pulled(const char *why);
/** fake_vm_exit() - The VM ends now */
void fake_vm_exit(uint32_t reason);
/** fake_hello() - The guest of the running VM connects */
void fake_hello(enum guest_state state);
/** fake_close() - Its connection breaks */
void fake_close(void);

#endif
