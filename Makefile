# HyperMetal: targets only; the rules are in build/*.mk, each component declares itself in its own build.mk
#
# Everything that is made goes into out/; third-party parts also into a cache that is shared by all trees.

all: # build everything into out/

include build/config.mk
# What the build needs of Debian comes first: made before anything else is, and make then starts anew
ifneq ($(filter-out help clean distclean deps,$(or $(MAKECMDGOALS),all)),)
include $(O)/deps.mk
endif
include build/rules.mk
include build/package.mk
include $(wildcard build/pkg/*.mk)
include $(wildcard lib/build.mk)
include $(wildcard $(addsuffix /build.mk,kernel rootfs initramfs images guest hostd controller cli qemu-test))
include build/targets.mk
