# What can be typed: a target's comment behind its name is its line in `make help`

.PHONY: all help deps check test lint lint-fast fuzz sizes bench check-repro update-lock fetch clean distclean \
	run up down qemu-test qemu-test-kube programs images packages

programs: $(patsubst %,$(O)/bin/%,$(sort $(PROGRAMS))) # the programs in out/bin
packages: $(foreach p,$(PACKAGES),$(foreach v,$($(p)_variants),$(O)/pkg/$(v)/$(p).stamp)) # third-party parts only
images: $(IMAGES) # what is booted, in out/images
all: programs images $(EXTRA)

$(shell mkdir -p $(O); f=$(O)/.steps; n='$(sort $(STEPS))'; [ "$$n" = "$$(cat $$f 2>/dev/null)" ] || echo "$$n" >$$f)

help: # this list
	@awk -F ':.*# ' '/^[a-z-]+:.*# / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile $(filter build/targets.mk %/build.mk,$(MAKEFILE_LIST)) | sort -u
	@echo "  make out/bin/NAME   one program; V=1 shows the commands; JOBS=n; HYPERMETAL_CACHE=folder"

deps: # install what the build needs of Debian (build/deps-debian.txt), or say the apt line
	@build/deps.sh

fetch: # download every third-party source
	@build/fetch.sh --all >/dev/null

update-lock: # write newer kernel point releases that were taken into build/sources.lock
	@build/fetch.sh --update-lock

unit_tests := $(patsubst %,$(O)/test/%,$(sort $(TESTS)))
replays := $(patsubst %,$(O)/replay/%,$(sort $(FUZZERS)))

check: $(unit_tests) $(replays) lint-fast # unit tests under ASan and UBSan, fuzz corpora, fast lints
	@build/check-unit.sh $(unit_tests) -- $(foreach f,$(sort $(FUZZERS)),$(O)/replay/$(f):$(fuzz_corpus_$(f)))

S ?= 30
T ?=
fuzz: $(patsubst %,$(O)/fuzz/%,$(if $(T),$(T),$(sort $(FUZZERS)))) # fuzz for S seconds each (T=name for one)
	@build/fuzz.sh $(S) $(foreach f,$(if $(T),$(T),$(sort $(FUZZERS))),$(O)/fuzz/$(f):$(fuzz_corpus_$(f)))

own_c = $(sort $(filter-out build/%,$(ALL_SOURCES)))
lint-fast: # format and structure checks
	@build/check-files.sh
	@build/check-deps.sh
	@build/check-format.sh

lint: lint-fast $(call pkg_stamp,native,$(sort $(foreach s,$(ALL_SOURCES),$(src_packages_native_$(s)) $(src_packages_musl_$(s))))) # every static check: format, clang-tidy, cppcheck, shellcheck
	@build/lint.sh $(foreach s,$(own_c),'$(s):$(call pkg_includes,native,$(sort $(src_packages_native_$(s)) $(src_packages_musl_$(s))))')

clean: # remove out/
	rm -rf $(O)

distclean: clean # remove out/ and the cache of third-party parts
	rm -rf $(HYPERMETAL_CACHE)

-include $(all_objs:.o=.d)
