#!/usr/bin/env bash
# `updraft down` leaves links, namespaces, mounts, cgroups, packet filter, sysctls and processes as before `up`.
source "$(dirname "$0")/lib.sh"

picture() {
  echo "# links"; ip -o link | awk -F': ' '{print $2}' | sort
  echo "# namespaces"; ip netns
  echo "# mounts"; cut -d' ' -f5 /proc/self/mountinfo | sort
  echo "# cgroups"; find /sys/fs/cgroup -type d -name 'updraft*' | sort
  echo "# packet filter"; nft list tables
  echo "# forwarding"; cat /proc/sys/net/ipv4/ip_forward
  echo "# sockets"; find /run -name '*.sock' 2> /dev/null | sort
  # A defunct process belongs to whoever has not collected it yet, which is not the platform.
  echo "# processes"; ps -eo stat=,comm= | awk '$1 !~ /^Z/ {print $2}' | grep -E 'updraft|containerd|controller|autoscaler|activator|node-agent|crun|runc|server' | sort
}
picture > "$WORK/before" || true
for round in "plain" "after kill -9 of the supervisor" "after kill -9 of every program"; do
  log "$round"
  platform_up
  load_sample
  service one | kubectl apply -f -
  service two | kubectl apply -f -
  ready one
  ready two
  get one > /dev/null
  case $round in
    *supervisor) kill -9 "$(pid_of supervisor)" ;;
    *program)
      kill -9 "$(pid_of supervisor)"
      for program in controller autoscaler activator node-agent containerd; do kill -9 "$(pid_of $program)"; done ;;
  esac
  platform_down
  settled() { { picture > "$WORK/after" || true; } && diff "$WORK/before" "$WORK/after"; }
  wait_until 10 "nothing to be left" settled
  rm -rf "$STATE"
done
