# sqlite: the controller's store, as one amalgamated source; no extensions, no threads
sqlite_variants := musl native
sqlite_libs := -lsqlite3
sqlite_licence := LICENSE.md:9c6479123f32a1ed
define sqlite_build
	mkdir amalgamation
	cd amalgamation
	../configure -q --disable-tcl --disable-readline --disable-load-extension CC=gcc CFLAGS= LDFLAGS=
	make -s sqlite3.c
	$$CC $$CFLAGS -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_DQS=0 -DSQLITE_DEFAULT_MEMSTATUS=0 \
		-DSQLITE_DEFAULT_WAL_SYNCHRONOUS=1 -DSQLITE_LIKE_DOESNT_MATCH_BLOBS -DSQLITE_MAX_EXPR_DEPTH=0 \
		-DSQLITE_OMIT_DEPRECATED -DSQLITE_OMIT_SHARED_CACHE -DSQLITE_OMIT_PROGRESS_CALLBACK \
		-DSQLITE_USE_ALLOCA -DSQLITE_DEFAULT_FOREIGN_KEYS=1 -DHAVE_USLEEP=1 -DHAVE_FDATASYNC=1 -c sqlite3.c
	mkdir -p $$PREFIX/include $$PREFIX/lib
	cp sqlite3.h $$PREFIX/include/
	ar rcsD $$PREFIX/lib/libsqlite3.a sqlite3.o
	cd ..
endef
$(eval $(call package,sqlite))
