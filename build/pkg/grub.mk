# grub: the boot loader of BIOS machines on the ISO and the disk image (docs/dependencies.md says why)
#   eltorito.img      started from a CD; by boot_hybrid.img, a boot sector, when the ISO lies on a stick
#   core.img          started by boot.img, the disk image's boot sector
# Both then read grub.cfg from the medium: images/grub.sh. They hold every module that it needs.
grub_variants := native
grub_source := grub-pc-bin
grub_deps := grub-mkimage
grub_licence := copyright:bd3b5f8b4b6f3592
define grub_build
	mkdir -p $$PREFIX
	cp $$PKG_grub_mkimage/licences/copyright .
	modules="normal biosdisk fat part_gpt linux loopback search serial terminal terminfo test regexp echo read sleep minicmd ls reboot"
	from=usr/lib/grub/i386-pc
	cp $$from/boot.img $$from/boot_hybrid.img $$PREFIX/
	$$PKG_grub_mkimage/bin/grub-mkimage -d $$from -O i386-pc-eltorito -p /boot/grub -o $$PREFIX/eltorito.img $$modules iso9660
	$$PKG_grub_mkimage/bin/grub-mkimage -d $$from -O i386-pc -p '(,gpt1)/boot/grub' -o $$PREFIX/core.img $$modules
endef
$(eval $(call package,grub))
