# Environments in QEMU: for a person (run, up, down), for the scenarios and for the measurements. Their knobs (HOSTS,
# MEM, ACCEL, NET …) come through the environment; see qemu-test/up.sh --help.

# What has to be built before anything can be started
QEMU_TEST_NEEDS = all demo-images
QEMU_TEST_ENV = OUT=$(abspath $(O))
T ?=

run: $(QEMU_TEST_NEEDS) # build, start a controller, a registry and a host in QEMU, tell what to type; Ctrl-C ends all
	@$(QEMU_TEST_ENV) qemu-test/demo.sh

up: $(QEMU_TEST_NEEDS) # the same in the background: HOSTS=1 BOOT=bios-pxe MEM=1024 ACCEL=auto NET=auto
	@$(QEMU_TEST_ENV) qemu-test/up.sh

down: # stop what `make up` started
	@$(QEMU_TEST_ENV) qemu-test/down.sh

qemu-test: $(QEMU_TEST_NEEDS) $(O)/test/hostile $(O)/test/jail_probe # scenarios against hosts in QEMU (T=pattern for some)
	@$(QEMU_TEST_ENV) qemu-test/run.sh $(T)

qemu-test-kube: $(QEMU_TEST_NEEDS) # the same image in a real Kubernetes (built from source the first time, minutes)
	@$(QEMU_TEST_ENV) qemu-test/run.sh --kube

# Their images are Debian's packages: downloads, and layers of some hundred megabytes in the host's memory
qemu-test-images: $(QEMU_TEST_NEEDS) ordinary-images # ordinary software from Debian packages, unmodified, in pods (T=pattern)
	@$(QEMU_TEST_ENV) MEM=$${MEM:-3072} qemu-test/run.sh --images $(T)

qemu-test-matrix: $(QEMU_TEST_NEEDS) # every way to boot, network card and disk controller, and what takes long (T=pattern)
	@$(QEMU_TEST_ENV) qemu-test/run.sh --matrix $(T)

qemu-test-all: $(QEMU_TEST_NEEDS) # the standard set and the matrix
	@MAKE="$(MAKE)" build/test.sh qemu-test qemu-test-matrix

bench: $(QEMU_TEST_NEEDS) # boot time, memory and instruction counts against their budgets, into out/bench.json
	@$(QEMU_TEST_ENV) qemu-test/bench.sh
