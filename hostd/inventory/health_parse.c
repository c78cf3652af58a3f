// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "inventory/health.h"

static void health_clear(struct health *h)
{
	*h = (struct health){
		.state = HEALTH_GOOD,
		.used_percent = -1,
		.spare_percent = -1,
		.on_hours = -1,
		.media_errors = -1,
		.unsafe_shutdowns = -1,
		.reallocated = -1,
		.pending = -1,
	};
}

/* Only ever worse; the first reason for the worst stays */
static void health_worse(struct health *h, enum health_state state, const char *why)
{
	if ((int32_t)state <= h->state)
		return;
	h->state = state;
	snprintf(h->why, sizeof(h->why), "%s", why);
}

/* 128 bits in the log; what does not fit into 63 is as good as for ever */
static int64_t health_u128(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 15; i >= 0; i--) {
		if (i >= 8 && p[i])
			return INT64_MAX;
		v = v << 8 | p[i];
	}
	return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

void health_parse_nvme(const uint8_t *log, struct health *h)
{
	static const struct {
		uint8_t bit;
		enum health_state state;
		const char *why;
	} warnings[] = {
		{1 << 3, HEALTH_FAILING, "all of it is read-only"},
		{1 << 2, HEALTH_FAILING, "its reliability is degraded"},
		{1 << 0, HEALTH_WARNING, "its spare blocks are below the threshold"},
		{1 << 4, HEALTH_WARNING, "its volatile memory's backup has failed"},
		{1 << 1, HEALTH_WARNING, "its temperature is out of range"},
	};

	health_clear(h);
	for (size_t i = 0; i < sizeof(warnings) / sizeof(warnings[0]); i++)
		if (log[0] & warnings[i].bit)
			health_worse(h, warnings[i].state, warnings[i].why);
	h->spare_percent = log[3] <= 100 ? log[3] : 100;
	h->used_percent = log[5];
	if (log[5] >= 100)
		health_worse(h, HEALTH_WARNING, "its promised life is used up");
	h->on_hours = health_u128(log + 128);
	h->unsafe_shutdowns = health_u128(log + 144);
	h->media_errors = health_u128(log + 160);
	if (h->media_errors > 0)
		health_worse(h, HEALTH_WARNING, "it has lost data");
}

enum {
	ATA_ATTRIBUTES = 2,
	ATA_ATTRIBUTE_SIZE = 12,
	ATA_ATTRIBUTE_COUNT = 30,
	ATA_RAW = 5,
};

static int64_t health_ata_raw(const uint8_t *attribute, int bytes)
{
	uint64_t v = 0;

	for (int i = bytes - 1; i >= 0; i--)
		v = v << 8 | attribute[ATA_RAW + i];
	return (int64_t)v;
}

static void health_ata_attribute(const uint8_t *a, struct health *h)
{
	switch (a[0]) {
	case 5:
		h->reallocated = health_ata_raw(a, 4);
		break;
	case 9: /* the bytes above belong to minutes with some makers */
		h->on_hours = health_ata_raw(a, 4);
		break;
	case 187:
		h->media_errors = health_ata_raw(a, 4);
		break;
	case 197:
		h->pending = health_ata_raw(a, 4);
		break;
	default:
		break;
	}
}

void health_parse_ata(const uint8_t *data, int failing, struct health *h)
{
	uint8_t sum = 0;

	health_clear(h);
	for (int i = 0; i < HEALTH_PAGE_SIZE; i++)
		sum = (uint8_t)(sum + data[i]);
	if (sum == 0)
		for (int i = 0; i < ATA_ATTRIBUTE_COUNT; i++)
			health_ata_attribute(data + ATA_ATTRIBUTES + i * ATA_ATTRIBUTE_SIZE, h);
	if (failing > 0)
		health_worse(h, HEALTH_FAILING, "it says that it is about to fail");
	if (h->pending > 0)
		health_worse(h, HEALTH_WARNING, "it has sectors that it cannot read");
	if (h->media_errors > 0)
		health_worse(h, HEALTH_WARNING, "it has lost data");
	if (failing < 0 && h->state == HEALTH_GOOD) {
		h->state = HEALTH_UNKNOWN;
		snprintf(h->why, sizeof(h->why), "%s",
			 sum ? "its answer makes no sense"
			     : "it does not tell whether it is failing");
	}
}
