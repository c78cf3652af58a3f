# ca-certificates: the roots of Mozilla's list that may vouch for servers, as one PEM file: TLS to public registries
ca-certificates_variants := native
ca-certificates_licence := debian/copyright:e85e1bcad3a915dc
define ca-certificates_build
	mkdir -p $$PREFIX
	python3 $$ROOT/build/pkg/ca-certificates/bundle.py <mozilla/certdata.txt >$$PREFIX/ca-certificates.crt
endef
$(eval $(call package,ca-certificates))
