# How components declare what they are made of
#
#   $(eval $(call lib_module,NAME,SOURCES,PACKAGES))
#       a part of lib/: base, proto, json, http/client ... Programs name it, its packages come along.
#   $(eval $(call program,NAME,SOURCES,LIB MODULES,PACKAGES))
#       out/bin/NAME, static musl, stripped; with symbols as out/debug/NAME
#   $(eval $(call unit_test,NAME,SOURCES,LIB MODULES,PACKAGES))
#       out/test/NAME: glibc, ASan, UBSan, cmocka; run by `make check`
#   $(eval $(call fuzz_target,NAME,SOURCES,LIB MODULES,PACKAGES,CORPUS DIR))
#       out/fuzz/NAME by clang's libFuzzer for `make fuzz`; out/replay/NAME runs the corpus in `make check`
#   $(call cflags,SOURCES,FLAGS)
#       more compiler flags for these sources (not exported to others)
#
# Include paths: lib/, and the first folder of the source (hostd modules write "oci/oci.h").

PROGRAMS :=
TESTS :=
FUZZERS :=
ALL_SOURCES :=
lib_names :=

objs = $(patsubst %.c,$(O)/obj/$(1)/%.o,$(2))
pkg_stamp = $(patsubst %,$(O)/pkg/$(1)/%.stamp,$(2))
# Package names with what they need in turn
pkg_closure = $(sort $(1) $(foreach p,$(1),$(call pkg_closure,$($(p)_deps))))
lib_packages = $(sort $(foreach l,$(1),$(lib_packages_$(l))))
pkg_variant_of = $(if $(filter musl,$(1)),musl,native)
pkg_includes = $(foreach p,$(call pkg_closure,$(2)),-isystem $(O)/pkg/$(call pkg_variant_of,$(1))/$(p)/include)
pkg_link = $(foreach p,$(call pkg_closure,$(2)),-L$(O)/pkg/$(call pkg_variant_of,$(1))/$(p)/lib) \
	-Wl,--start-group $(foreach p,$(call pkg_closure,$(2)),$($(p)_libs)) -Wl,--end-group

cflags = $(foreach s,$(1),$(eval src_cflags_$(s) += $(2)))

# How SOURCES are compiled in KIND; a source may be declared again with more packages
define sources
ALL_SOURCES += $(2)
$(foreach s,$(2),$(eval src_packages_$(1)_$(s) += $(3)))
$(call objs,$(1),$(2)): $(call pkg_stamp,$(call pkg_variant_of,$(1)),$(if $(filter musl,$(1)),toolchain) $(3))
endef

define lib_module
lib_names += $(1)
lib_packages_$(1) := $(3)
lib_sources_$(1) := $(2)
$(foreach k,musl native fuzz,
$(call sources,$(k),$(2),$(3))
$(O)/obj/$(k)/lib/$(1).a: $(call objs,$(k),$(2))
	@mkdir -p $$(@D)
	$$(Q)rm -f $$@; ar rcsD $$@ $$^
)
endef
lib_archives = $(patsubst %,$(O)/obj/$(1)/lib/%.a,$(2))

# Link KIND OUTPUT SOURCES LIBS PACKAGES EXTRA-LDFLAGS
link = $(CC_$(1)) $(LDFLAGS_$(1)) -o $(2) $(call objs,$(1),$(3)) \
	-Wl,--start-group $(call lib_archives,$(1),$(4)) -Wl,--end-group \
	$(call pkg_link,$(1),$(5) $(call lib_packages,$(4))) $(6)
link_inputs = $(call objs,$(1),$(2)) $(call lib_archives,$(1),$(3)) \
	$(call pkg_stamp,$(call pkg_variant_of,$(1)),$(4) $(call lib_packages,$(3)))

define program
PROGRAMS += $(1)
$(call step,$(1))
$(call sources,musl,$(2),$(4))
$(O)/bin/$(1): $$(call link_inputs,musl,$(2),$(3),$(4))
	@mkdir -p $(O)/bin $(O)/debug
	$$(Q)$(STEP) $(1) "" $$(call link,musl,$(O)/debug/$(1),$(2),$(3),$(4))
	$$(Q)strip -o $$@ $(O)/debug/$(1)
endef

define unit_test
TESTS += $(1)
$(call sources,native,$(2),$(4))
$(O)/test/$(1): $$(call link_inputs,native,$(2),$(3),$(4))
	@mkdir -p $$(@D)
	$$(Q)$$(call link,native,$$@,$(2),$(3),$(4),-lcmocka)
endef

define fuzz_target
FUZZERS += $(1)
fuzz_corpus_$(1) := $(5)
$(call sources,fuzz,$(2),$(4))
$(call sources,native,$(2),$(4))
$(O)/fuzz/$(1): $$(call link_inputs,fuzz,$(2),$(3),$(4))
	@mkdir -p $$(@D)
	$$(Q)$$(call link,fuzz,$$@,$(2),$(3),$(4))
$(O)/replay/$(1): $$(call link_inputs,native,$(2) build/fuzz-replay.c,$(3),$(4))
	@mkdir -p $$(@D)
	$$(Q)$$(call link,native,$$@,$(2) build/fuzz-replay.c,$(3),$(4))
endef

$(eval $(call sources,native,build/fuzz-replay.c,))

root_of = $(firstword $(subst /, ,$(1)))
define compile_rule
$(O)/obj/$(1)/%.o: %.c build/config.mk
	@mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) $$(CFLAGS_$(1)) $$(src_cflags_$$<) -Ilib -I$$(call root_of,$$<) \
		$$(call pkg_includes,$(1),$$(src_packages_$(1)_$$<)) -MMD -MP -c -o $$@ $$<
endef
$(foreach k,musl native fuzz,$(eval $(call compile_rule,$(k))))

# Read at the end, when all components have declared their sources
all_objs = $(foreach k,musl native fuzz,$(call objs,$(k),$(sort $(ALL_SOURCES))))
