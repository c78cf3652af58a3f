/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder whose files are all exchanged at once, as the kubelet's AtomicWriter does it
 * (k8s.io/kubernetes pkg/volume/util/atomic_writer.go), because programs have come to rely on its shape:
 *
 *	app.conf     -> ..data/app.conf
 *	..data       -> ..00000000000000a7       exchanged by rename(2)
 *	..00000000000000a7/app.conf
 *
 * Who watches the folder sees one event, and whoever opens app.conf gets all of the old or all of the new.
 */
#ifndef GUEST_ATOMIC_H
#define GUEST_ATOMIC_H

#include "base/err.h"
#include "proto/guest_msg.h"

/**
 * atomic_write() - Make @files the contents of a folder that nobody else can write
 * Their group, if any, can read them and enters the folders, which are setgid, as fsGroup has it.
 * Return: 0, also when the folder has this generation already; -errno, and the folder is as it was.
 */
int atomic_write(int dir, const struct guest_files *files, struct err *e);

#endif
