# Third-party packages
#
# A recipe build/pkg/NAME.mk sets
#   NAME_variants   musl (for what is shipped), native (glibc: unit tests, build tools)
#   NAME_deps       packages whose headers and libraries it needs; NAME_deps_VARIANT: in this variant only
#   NAME_libs       linker flags of those who use it
#   NAME_licence    FILE:SHA256-PREFIX ... in its source tree; a licence that changes stops the build
#   NAME_source     name in sources.lock, if it is another
#   NAME_unpack     tar patterns, if only a part of the source is wanted
#   NAME_inputs     files of this repository that the build reads (in $ROOT)
#   NAME_build      bash commands, run in the fresh source tree with patches build/pkg/NAME/*.patch applied;
#                   they install into $PREFIX. Set for them: PREFIX ROOT VARIANT CC AR RANLIB STRIP CFLAGS LDFLAGS HOST
#                   VERSION MAKEFLAGS (jobs) CPPFLAGS (of the deps) and PKG_dep with the folder of each dependency
# and ends with $(eval $(call package,NAME)). What it makes lies in out/pkg/VARIANT/NAME, a link into the cache.
#
# NAME.stamp changes only when the package's hash does, so what depends on it is not made again for nothing.

PACKAGES :=

define package
PACKAGES += $(1)
$(foreach v,$($(1)_variants),$(call step,pkg-$(v)-$(1))$(call package_variant,$(1),$(v)))
endef

define package_variant

$(O)/pkg/$(2)/$(1).checked: private export PKG_BUILD = $$($(1)_build)
$(O)/pkg/$(2)/$(1).checked: private export PKG_LICENCE = $$($(1)_licence)
$(O)/pkg/$(2)/$(1).checked: private export PKG_SOURCE = $$($(1)_source)
$(O)/pkg/$(2)/$(1).checked: private export PKG_UNPACK = $$($(1)_unpack)
$(O)/pkg/$(2)/$(1).checked: private export PKG_CFLAGS = $$(PKG_CFLAGS_$(2))
$(O)/pkg/$(2)/$(1).checked: build/pkg/$(1).mk $(wildcard build/pkg/$(1)/*) build/sources.lock build/pkg.sh \
		$($(1)_inputs) $(foreach d,$(call pkg_needs,$(1),$(2)),$(O)/pkg/$(2)/$(d).stamp)
	+$$(Q)build/pkg.sh $(1) $(2) "$(call pkg_needs,$(1),$(2))" build/pkg/$(1).mk $(sort $(wildcard build/pkg/$(1)/*)) \
		$($(1)_inputs)
	@touch $$@
$(O)/pkg/$(2)/$(1).stamp: $(O)/pkg/$(2)/$(1).checked
	@:

endef

# What a package is built with: the toolchain, unless it is part of that
pkg_needs = $(strip $($(1)_deps) $($(1)_deps_$(2)) $(if $(filter musl,$(2)),$(if $(filter toolchain linux-headers,$(1)),,toolchain)))
