# systemd-boot-efi: the EFI stub that makes kernel, initramfs and command line one file that firmware starts; and the
# boot loader, which puts keys for Secure Boot into firmware (images/enrol.sh)
systemd-boot-efi_variants := native
systemd-boot-efi_licence := usr/share/doc/systemd-boot-efi/copyright:a79e4b379cabbd96
define systemd-boot-efi_build
	mkdir -p $$PREFIX
	cp usr/lib/systemd/boot/efi/{linuxx64.efi.stub,systemd-bootx64.efi} $$PREFIX/
endef
$(eval $(call package,systemd-boot-efi))
