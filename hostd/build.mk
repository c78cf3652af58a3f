# hostd's modules declare their tests in their own build.mk; the programs are put together here
include $(wildcard hostd/*/build.mk)
