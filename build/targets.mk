# What can be typed: a target's comment behind its name is its line in `make help`

.PHONY: all help deps format check test lint lint-fast lint-tree fuzz sizes bench check-built check-repro cves licences update-lock fetch clean distclean \
	run up down qemu-test qemu-test-kube qemu-test-images qemu-test-matrix qemu-test-all programs images packages

programs: $(patsubst %,$(O)/bin/%,$(sort $(PROGRAMS))) # the programs in out/bin
packages: $(foreach p,$(PACKAGES),$(foreach v,$($(p)_variants),$(O)/pkg/$(v)/$(p).stamp)) # third-party parts only

# The bill of materials speaks of every other file, and of the operator's programs
SBOM := $(O)/images/hypermetal.spdx.json
sbom_files := $(filter-out %.sha256,$(IMAGES)) $(O)/bin/controller $(O)/bin/hyper
IMAGES += $(SBOM) $(SBOM).sha256
$(SBOM): build/sbom.py build/sbom.list build/sources.lock $(O)/images/version $(sbom_files)
	$(Q)build/sbom.py "$$(cat $(O)/images/version)" $@ $(sbom_files)

images: $(IMAGES) # what is booted, in out/images
all: programs images $(EXTRA)

$(shell mkdir -p $(O); f=$(O)/.steps; n='$(sort $(STEPS))'; [ "$$n" = "$$(cat $$f 2>/dev/null)" ] || echo "$$n" >$$f)

help: # this list
	@awk -F ':.*# ' '/^[a-z-]+:.*# / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile $(filter build/targets.mk %/build.mk,$(MAKEFILE_LIST)) | sort -u
	@echo "  make out/bin/NAME   one program; V=1 shows the commands; JOBS=n; HYPERMETAL_CACHE=folder"

deps: # install what the build needs of Debian (build/deps-debian.txt), or say the apt line
	@build/deps.sh

$(O)/deps.mk: build/deps-debian.txt build/deps.sh
	@build/deps.sh
	@mkdir -p $(O) && touch $@

fetch: # download every third-party source
	@build/fetch.sh --all >/dev/null

update-lock: # write newer kernel point releases that were taken into build/sources.lock
	@build/fetch.sh --update-lock

unit_tests := $(patsubst %,$(O)/test/%,$(sort $(TESTS)))
replays := $(patsubst %,$(O)/replay/%,$(sort $(FUZZERS)))

check: $(unit_tests) $(replays) # unit tests under ASan and UBSan, fuzz corpora, fast lints
	@build/check-unit.sh $(unit_tests) -- $(foreach f,$(sort $(FUZZERS)),$(O)/replay/$(f):$(fuzz_corpus_$(f)))
	@$(MAKE) lint-fast

S ?= 30
T ?=
fuzz: $(patsubst %,$(O)/fuzz/%,$(if $(T),$(T),$(sort $(FUZZERS)))) # fuzz for S seconds each (T=name for one)
	@build/fuzz.sh $(S) $(foreach f,$(if $(T),$(T),$(sort $(FUZZERS))),$(O)/fuzz/$(f):$(fuzz_corpus_$(f)))

own_c := $(sort $(filter-out build/%,$(ALL_SOURCES)))
# A source's packages in any kind, as includes of the native variant
lint_packages = $(sort $(foreach k,musl native fuzz,$(src_packages_$(k)_$(1))))
lint_native = $(foreach p,$(1),$(if $(filter native,$($(p)_variants)),$(p)))

# Tests run commands, copy texts of their own, and end by fail_msg(), which the analyser takes for returning
tests_may := --checks=-cert-env33-c,-clang-analyzer-security.insecureAPI.strcpy,-clang-analyzer-core.NullDereference

lint_cflags = -std=gnu11 -D_GNU_SOURCE -Wall -Wextra $(src_cflags_$(1)) -Ilib -I$(call root_of,$(1)) \
	$(call pkg_includes,native,$(call lint_native,$(call lint_packages,$(1))))

$(O)/lint/%.ok: %.c .clang-tidy
	@mkdir -p $(@D)
	@$(CC_native) $(call lint_cflags,$<) -MM -MP -MT $@ -MF $(O)/lint/$*.d $<
	$(Q)clang-tidy --quiet $(if $(findstring /tests/,$<),$(tests_may)) $< -- $(call lint_cflags,$<) 2>$(O)/lint/$*.err || \
		{ cat $(O)/lint/$*.err; exit 1; }
	@touch $@
lint_ok := $(own_c:%.c=$(O)/lint/%.ok)
$(lint_ok): | $(call pkg_stamp,native,$(call lint_native,$(sort $(foreach s,$(own_c),$(call lint_packages,$(s))))))

lint-fast: # format and structure checks
	@build/check-files.sh
	@build/check-deps.sh
	@build/check-format.sh

format: # let clang-format 14 write every C file
	@build/check-format.sh --fix

lint: lint-fast lint-tree $(lint_ok) # every static check: format, structure, clang-tidy, cppcheck, shellcheck

lint-tree:
	@build/lint.sh $(own_c)

sizes: all $(O)/images/virtio/initramfs # what is shipped against its budgets: a table and out/sizes.json
	@build/sizes.sh

licensed := $(foreach p,$(PACKAGES),$(foreach v,$($(p)_variants),$(v)/$(p)))

check-built: all packages # what was built: static and hardened, without a shell, licences, signatures, bill of materials, the same bytes, budgets
	@failed=0; n=0; run() { n=$$((n + 1)); "$$@" || { echo "  FAIL  $$1"; failed=$$((failed + 1)); }; }; \
	run build/check-static.sh $(patsubst %,$(O)/bin/%,$(sort $(PROGRAMS))) \
		$(O)/pkg/musl/busybox/bin/busybox $(O)/pkg/musl/erofs-utils/bin/mkfs.erofs; \
	run build/check-licences.sh $(licensed); \
	run build/check-signed.sh $(EFI_PROGRAMS:%=$(O)/unsigned/%); \
	run build/check-hardening.sh kernel/host/hardening.list kernel/host/waivers.md $(O)/pkg/native/kernel-host/config \
		rootfs/skeleton/etc/sysctl.conf; \
	run build/check-firmware.sh kernel/host/firmware.md $(O)/kernel/modules $(addsuffix /firmware,$(firmware)); \
	run build/check-image.sh $(O)/rootfs/full/rootfs.erofs; \
	run build/sbom.py --check $(SBOM); \
	run build/check-repro.sh --images $(patsubst $(O)/%,%,$(IMAGES)); \
	run build/sizes.sh --check; \
	echo "$$((n - failed)) passed, $$failed failed"; [ $$failed = 0 ]

licences: packages # collect the licence texts in out/licences, and print what is under which
	@build/check-licences.sh $(licensed)
	@build/sbom.py --table

cves: # what Debian has fixed in our sources since the pinned versions (network)
	@build/cves.sh

check-repro: all # build twice in two folders and compare every byte of what is booted
	@build/check-repro.sh $(patsubst $(O)/%,%,$(IMAGES)) $(patsubst %,bin/%,$(sort $(PROGRAMS)))

test: all # everything: unit tests, checks of what was built, hyperstart alone, QEMU scenarios; last line N passed, N failed
	@MAKE="$(MAKE)" build/test.sh check check-built guest-test qemu-test

clean: # remove out/
	rm -rf $(O)

distclean: clean # remove out/ and the cache of third-party parts
	rm -rf $(HYPERMETAL_CACHE)

-include $(all_objs:.o=.d) $(lint_ok:.ok=.d)
