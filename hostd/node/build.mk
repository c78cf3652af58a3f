hostd_node := $(wildcard hostd/node/*.c)
