# picohttpparser: the parser of HTTP/1 heads and chunks that h2o serves with; it allocates nothing and keeps no state
#
# Debian has it inside the Perl module that its authors publish. The licence is the header's opening comment.
picohttpparser_variants := musl native
picohttpparser_libs := -lpicohttpparser
picohttpparser_licence := picohttpparser/picohttpparser.h:20292a3cd9471708
define picohttpparser_build
	$$CC $$CFLAGS -c picohttpparser/picohttpparser.c
	mkdir -p $$PREFIX/include $$PREFIX/lib
	cp picohttpparser/picohttpparser.h $$PREFIX/include/
	$$AR rcsD $$PREFIX/lib/libpicohttpparser.a picohttpparser.o
endef
$(eval $(call package,picohttpparser))
