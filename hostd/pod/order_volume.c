// SPDX-License-Identifier: Apache-2.0
/* The volumes' part of RUN: where they are on the disk, and what the containers mount of them. */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "pod/impl.h"

void order_volumes(const struct pod *p, struct guest_run *run)
{
	run->fs_group = p->spec->fs_group;
	run->volume_count = p->spec->volume_count;
	for (uint32_t i = 0; i < p->spec->volume_count; i++) {
		const struct spec_volume *v = &p->spec->volumes[i];

		run->volumes[i] = (struct guest_volume){.kind = GUEST_VOLUME_FILES};
		if (v->kind == SPEC_VOLUME_DISK)
			run->volumes[i] = (struct guest_volume){
				.kind = GUEST_VOLUME_DISK,
				.offset_bytes = p->scratch.volumes[i].offset_bytes,
				.size_bytes = p->scratch.volumes[i].size_bytes,
			};
		else if (v->kind == SPEC_VOLUME_MEMORY)
			run->volumes[i] = (struct guest_volume){
				.kind = GUEST_VOLUME_MEMORY,
				.size_bytes = v->size_limit,
			};
	}
}

/* subPathExpr with the container's variables; one that is not there is an error, as for a kubelet. */
static int order_expand(const struct spec_container *s, const struct spec_mount *m,
			const struct texts *env, struct texts *texts, struct err *e)
{
	struct buf b = BUF_INIT(GUEST_PATH_LEN_MAX);
	int r = texts_expand(env, m->sub_path, &b);

	if (r == 0 && (strstr(buf_str(&b), "$(") || !guest_path_valid(buf_str(&b))))
		r = -EINVAL;
	if (r == 0)
		r = texts_add(texts, &b);
	buf_done(&b);
	return r < 0 ? err_set(e, -EINVAL,
			       "container %s: the subPathExpr \"%s\" of %s is not a path inside of the volume",
			       s->name, m->sub_path, m->path)
		     : 0;
}

int order_mounts(const struct spec_container *s, const struct texts *env, struct guest_run *run,
		 struct guest_container *g, struct texts *texts, struct err *e)
{
	struct guest_mount *to = run->mounts + run->mount_count;
	int r = 0;

	g->mounts = to;
	for (uint32_t i = 0; r == 0 && i < s->mount_count; i++) {
		const struct spec_mount *m = &s->mounts[i];

		to[i] = (struct guest_mount){
			.volume = m->volume,
			.read_only = m->read_only,
			.path = m->path,
			.sub_path = m->sub_path,
		};
		if (m->expand) {
			r = order_expand(s, m, env, texts, e);
			if (r == 0)
				to[i].sub_path = texts->at[texts->count - 1];
		}
		g->mount_count++;
		run->mount_count++;
	}
	return r;
}
