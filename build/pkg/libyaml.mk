# libyaml: hyper reads kubeconfig files
libyaml_variants := musl native
libyaml_libs := -lyaml
libyaml_licence := License:c40112449f254b97
define libyaml_build
	(cd src && $$CC $$CFLAGS -I../include -DYAML_VERSION_STRING=\"$$VERSION\" -DYAML_VERSION_MAJOR=0 -DYAML_VERSION_MINOR=2 \
		-DYAML_VERSION_PATCH=5 -c api.c reader.c scanner.c parser.c loader.c)
	mkdir -p $$PREFIX/lib
	$$AR rcsD $$PREFIX/lib/libyaml.a src/*.o
	install -D -m 644 -t $$PREFIX/include include/yaml.h
endef
$(eval $(call package,libyaml))
