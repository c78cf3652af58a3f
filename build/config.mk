# Paths, tools and flags; every knob that a caller may set is here

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

O     := out
V     ?= 0
Q     := $(if $(filter 1,$(V)),,@)
JOBS  ?= $(shell nproc)
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(JOBS)
endif

export HYPERMETAL_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/hypermetal
export O V JOBS
export LC_ALL := C
export TZ := UTC
# Nothing that is built may carry the time of the build: the time of the last commit stands for it
export SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),1700000000)

TARGET := x86_64-hyper-linux-musl
MUSL_CC := $(O)/pkg/musl/toolchain/bin/$(TARGET)-gcc

# Truncation is what snprintf() is for; which calls gcc suspects of it depends on its release
WARN := -Wall -Wextra -Wno-format-truncation -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wswitch-enum -Wvla -Wformat=2 \
	-Wpointer-arith -Wundef -Werror
MAP  := -ffile-prefix-map=$(CURDIR)/=
BASE := -std=gnu11 -D_GNU_SOURCE -fno-strict-aliasing -fno-common $(MAP) $(WARN)

# Three kinds of objects: musl (what is shipped), native (unit tests), fuzz (clang's libFuzzer)
CC_musl       := $(MUSL_CC)
CFLAGS_musl   := $(BASE) -Os -g -fPIE -fstack-protector-strong -fcf-protection -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables -fno-unwind-tables
LDFLAGS_musl  := -static-pie -Wl,-z,relro,-z,now,-z,noexecstack,--gc-sections,--build-id=none,-O1
CC_native     := gcc
CFLAGS_native := $(BASE) -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS_native := -fsanitize=address,undefined
CC_fuzz       := clang
# Of clang's further warnings gcc, whose C this is, knows nothing
CFLAGS_fuzz   := $(BASE) -Wno-unknown-warning-option -Wno-format-nonliteral -Wno-gnu-variable-sized-type-not-at-end \
	-O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -DFUZZING=1
LDFLAGS_fuzz  := -fsanitize=fuzzer,address,undefined

# Third-party packages are built with these
PKG_CFLAGS_musl   := -Os -fPIE -fstack-protector-strong -fcf-protection -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables -fno-unwind-tables
PKG_CFLAGS_native := -O2 -g

STEP := build/step.sh
# Progress is counted over these; components append with $(call step,NAME)
STEPS :=
step = $(eval STEPS += $(1))
