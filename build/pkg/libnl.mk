# libnl: netlink core and route (links, addresses, routes)
#
# Its link types and object caches register in constructors; a static link keeps an object only if something refers to
# it, so the users' flags name one symbol of each type that hostd makes: bridge, veth, vlan.
libnl_variants := musl native
libnl_libs := -Wl,-u,rtnl_link_bridge_add,-u,rtnl_link_veth_add,-u,rtnl_link_vlan_alloc -lnl-route-3 -lnl-3
libnl_licence := COPYING:dc626520dcd53a22
define libnl_build
	CFLAGS="$$CFLAGS -D_GNU_SOURCE" ./configure -q --host=$$HOST --prefix=$$PREFIX --disable-shared --enable-static --disable-cli \
		--disable-debug --disable-pthreads
	make -s lib/libnl-3.la lib/libnl-route-3.la
	mkdir -p $$PREFIX/include $$PREFIX/lib
	cp -r include/netlink $$PREFIX/include/
	cp lib/.libs/libnl-3.a lib/.libs/libnl-route-3.a $$PREFIX/lib/
endef
$(eval $(call package,libnl))
