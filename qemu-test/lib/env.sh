# shellcheck shell=bash
# A whole environment: started in the order in which its parts need each other, stopped in the opposite one.

HOSTS=${HOSTS:-1}

env_is_up() { local f; for f in "$RUN"/pid/*; do if [ -e "$f" ] && proc_running "${f##*/}"; then return 0; fi; done; return 1; }

# Network, ports, settings and registry: all that has to be there before controller and hosts
env_prepare() {
	! env_is_up || die "something is running in ${RUN#"$ROOT"/} already: make down"
	rm -rf "$RUN"
	mkdir -p "$RUN"
	accel_pick
	net_pick
	remember NET HOSTS ACCEL MEM SMP BOOT
	net_up
	services_pick_ports
	net_pick_forwards
	settings_write
	registry_start
	registry_fill
	tftp_fill
	if [ "$NET" = bridge ]; then bridge_dhcp_up; fi
}

env_controller() {
	controller_start
	wait_until 20 controller_ready || { log_tail "$RUN/log/controller.log" && die "the controller does not answer"; }
}

# Waits until every host is Ready, telling what each is doing whenever that changes
env_await_hosts() {
	local end=$(($(now) + $(host_deadline))) start i stage known pending
	local -A shown=()
	start=$(now)
	while :; do
		pending=0
		known=$(nodes 2>/dev/null) || known=
		for ((i = 0; i < HOSTS; i++)); do
			stage=$(sed -nE "s/^host-$i True .*/Ready/p; s/^host-$i (False|Unknown) (.*)/registered, not ready: \2/p" <<<"$known")
			[ -n "$stage" ] || stage=$(host_stage "$i")
			[ "$stage" = Ready ] || pending=1
			if [ "${shown[$i]:-}" != "$stage" ]; then
				printf '  host-%d  %3d s  %s\n' "$i" "$(($(now) - start))" "$stage"
				shown[$i]=$stage
			fi
			if ! proc_running "host-$i"; then env_explain "$i" && die "QEMU of host-$i has ended"; fi
			if grep -aq 'Kernel panic' "$RUN/host-$i/serial.log"; then env_explain "$i" && die "host-$i: kernel panic"; fi
		done
		[ $pending = 1 ] || return 0
		proc_running controller || { log_tail "$RUN/log/controller.log" && die "the controller has ended"; }
		if [ "$(now)" -ge "$end" ]; then
			for ((i = 0; i < HOSTS; i++)); do [ "${shown[$i]}" = Ready ] || env_explain "$i"; done
			die "not every host became Ready in time"
		fi
		sleep 1
	done
}

env_explain() { # INDEX
	log_tail "$RUN/log/host-$1.log" 5
	log_tail "$RUN/host-$1/serial.log" 25
	log_tail "$RUN/log/controller.log" 8
}

env_up() {
	local i
	env_prepare
	env_controller
	for ((i = 0; i < HOSTS; i++)); do host_start "$i"; done
	env_await_hosts
}

# What can be typed, once all is up
env_hint() {
	local i
	cat <<-TEXT
		  out/bin/hyper hosts
		  out/bin/hyper run --name web -p 8080:80 nginx
		  curl http://$(host_address 0 8080)/
		  out/bin/hyper list ; out/bin/hyper logs web ; out/bin/hyper rm web
		  kubectl --kubeconfig ${RUN#"$ROOT"/}/kubeconfig get nodes,pods -o wide
	TEXT
	for ((i = 1; i < HOSTS; i++)); do echo "  port 8080 of host-$i, if web runs there, is http://$(host_address $i 8080)/"; done
}

env_down() {
	local f name
	recall
	for f in "$RUN"/pid/host-* "$RUN"/pid/*; do
		name=${f##*/}
		if [ -e "$f" ]; then proc_stop "$name" 5; fi
	done
	net_down
}
