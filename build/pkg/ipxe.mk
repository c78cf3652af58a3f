# ipxe: the network boot loaders that hosts are sent first, as Debian has built them (docs/dependencies.md says why)
#   undionly.kpxe   BIOS machines, over the firmware's network driver
#   snponly.efi     UEFI machines, likewise, by PXE and by HTTP boot
ipxe_variants := native
ipxe_licence := usr/share/doc/ipxe/copyright:de37481fc5907650
define ipxe_build
	mkdir -p $$PREFIX
	cp usr/lib/ipxe/undionly.kpxe usr/lib/ipxe/snponly.efi $$PREFIX/
endef
$(eval $(call package,ipxe))
