# A podman of the suite's own, beside the machine's: storage in the work directory, and a configuration for machines without systemd and without
# CAP_SYS_RESOURCE (runc, cgroups by its own hand, limits below those that we have). Sourced after suite.sh; make_podman puts it into PATH.

make_podman() {
    local real
    real=$(command -v podman)
    mkdir -p "$work/bin" "$work/podman"
    cat >"$work/podman/containers.conf" <<'END'
[containers]
default_ulimits = ["nofile=8192:8192", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
END
    export CONTAINERS_CONF=$work/podman/containers.conf
    cat >"$work/bin/podman" <<END
#!/bin/sh
exec $real --root $work/podman/storage --runroot $work/podman/run --tmpdir $work/podman/tmp --storage-driver overlay "\$@"
END
    chmod +x "$work/bin/podman"
    PATH=$work/bin:$PATH
    podman info
}

# podman_end: containers first, then what is still mounted
podman_end() {
    podman pod rm -af -t 1 >/dev/null 2>&1
    podman rm -af -t 1 >/dev/null 2>&1
    local mounted
    for mounted in $(grep -o " $work[^ ]*" /proc/mounts | sort -ru); do umount -l "$mounted"; done
    rm -rf --one-file-system "$work"
}
