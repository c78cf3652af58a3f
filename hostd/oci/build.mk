oci_worker := $(addprefix hostd/oci/,challenge.c digest.c login.c image_run.c inflate.c layer.c manifest.c pull.c ref.c registry.c)
# What hostd itself links: nothing of it reads what registries send
hostd_oci := $(addprefix hostd/oci/,digest.c login.c manifest.c names.c oci.c ref.c store.c worker.c)
oci_tests := hostd/oci/tests

$(eval $(call program,hostd-image,hostd/oci/image_main.c $(oci_worker),http/client json base,mbedtls zlib zstd))

$(eval $(call unit_test,test_oci_names,$(oci_tests)/test_oci_names.c hostd/oci/login.c hostd/oci/ref.c hostd/oci/challenge.c,base,))
$(eval $(call unit_test,test_oci_documents,$(oci_tests)/test_oci_documents.c hostd/oci/manifest.c hostd/oci/ref.c,json base,))
$(eval $(call unit_test,test_oci_inflate,$(oci_tests)/test_oci_inflate.c hostd/oci/inflate.c,base,zlib zstd))
oci_harness := $(oci_tests)/oci_harness.c $(oci_tests)/fake_registry.c $(hostd_oci) $(filter-out $(hostd_oci),$(oci_worker))
$(foreach t,test_oci_pull test_oci_store,$(eval $(call unit_test,$(t),$(oci_tests)/$(t).c $(oci_harness),\
	http/server http/client json base,mbedtls zlib zstd erofs-utils)))
$(eval $(call fuzz_target,fuzz_oci,hostd/oci/fuzz/fuzz_oci.c hostd/oci/challenge.c hostd/oci/manifest.c hostd/oci/ref.c,json base,,hostd/oci/fuzz/corpus-oci))
