# grub-mkimage: makes GRUB's images out of its modules; of the same release as they are (grub.mk)
grub-mkimage_variants := native
grub-mkimage_source := grub-common
grub-mkimage_licence := usr/share/doc/grub-common/copyright:bd3b5f8b4b6f3592
define grub-mkimage_build
	mkdir -p $$PREFIX/bin
	cp usr/bin/grub-mkimage $$PREFIX/bin/
endef
$(eval $(call package,grub-mkimage))
