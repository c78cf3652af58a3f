oci_worker := $(addprefix hostd/oci/,challenge.c digest.c image_main.c inflate.c layer.c manifest.c pull.c ref.c registry.c)
$(eval $(call program,hostd-image,$(oci_worker),http/client json base,mbedtls zlib zstd))
