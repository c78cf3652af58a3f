cli_common := cli/cmd.c cli/table.c cli/channel.c
cli_commands := cli/main.c cli/api.c cli/cmd_run.c cli/cmd_exec.c cli/cmd_pods.c cli/cmd_logs.c cli/cmd_hosts.c cli/cmd_describe.c cli/inventory.c cli/disks.c cli/cmd_top.c \
	cli/cmd_image.c cli/cmd_drain.c cli/cmd_wipe.c cli/node.c
$(eval $(call program,hyper,$(cli_common) $(cli_commands),http/tunnel http/client http/ws kube json base,))
$(eval $(call unit_test,test_cli,cli/tests/test_cli.c $(cli_common),kube json base,))
$(eval $(call unit_test,test_channel,cli/tests/test_channel.c cli/channel.c,json base,))
