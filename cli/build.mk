cli_common := cli/cmd.c cli/escape.c cli/kubeconfig.c cli/table.c
cli_commands := cli/main.c cli/api.c cli/cmd_run.c cli/cmd_pods.c cli/cmd_hosts.c cli/cmd_describe.c
$(eval $(call program,hyper,$(cli_common) $(cli_commands),http/client json base,libyaml))
$(eval $(call unit_test,test_cli,cli/tests/test_cli.c $(cli_common),json base,libyaml))
$(eval $(call fuzz_target,fuzz_kubeconfig,cli/fuzz/fuzz_kubeconfig.c cli/kubeconfig.c,base,libyaml,cli/fuzz/corpus-kubeconfig))
