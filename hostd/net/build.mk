$(eval $(call unit_test,test_net,hostd/net/tests/test_net.c hostd/net/net.c hostd/net/link.c hostd/net/nft.c hostd/net/shape.c hostd/net/guard.c,nlink base,libnl))
