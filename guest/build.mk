# hyperstart, PID 1 of a HyperVM, and the cpio that carries it
guest_sources := $(filter-out guest/main.c,$(wildcard guest/*.c))

$(eval $(call program,hyperstart,guest/main.c $(guest_sources),proto base,))
