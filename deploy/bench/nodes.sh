# Three DSHM nodes on this machine for a measurement, and what starting and stopping servers takes. Sourced by the scripts beside
# it, which have set:
#
#   bench   this folder
#   dir     where the data goes, in a temporary folder of its own, $work
#   b       all ports are on 127.0.0.1, from b+1 on. Not the default ones, so that servers that run on this machine do not disturb
#
# shellcheck shell=bash
launcher=$bench/../bin/dshm-server
dshm_ports=($((b + 1)) $((b + 2)) $((b + 3))) raft_ports=($((b + 11)) $((b + 12)) $((b + 13)))
forwarding_ports=($((b + 21)) $((b + 22)) $((b + 23))) admin_ports=($((b + 31)) $((b + 32)) $((b + 33)))
sharedance_ports=($((b + 81)) $((b + 82)) $((b + 83)))

say() { echo "bench: $*" >&2; }
fail() { say "$*"; exit 1; }

work=$(mktemp -d "$dir/dshm-bench.XXXXXX")
pids=()
stop() {
    status=$?
    trap - EXIT INT TERM
    if [ ${#pids[@]} -gt 0 ]; then
        kill -TERM "${pids[@]}" 2>/dev/null || true
        # What does not stop by itself within 15 seconds is killed.
        for _ in $(seq 150); do
            kill -0 "${pids[@]}" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "${pids[@]}" 2>/dev/null || true
        wait 2>/dev/null || true
    fi
    if [ "$status" -ne 0 ] && [ "$status" -lt 128 ]; then
        tail -n 5 "$work"/*.log >&2 2>/dev/null || true
    fi
    rm -rf "$work"
    exit "$status"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

start() { # NAME COMMAND...: in the background, its output in NAME.log
    local name=$1
    shift
    "$@" >"$work/$name.log" 2>&1 </dev/null &
    pids+=($!)
}
listens() { (: </dev/tcp/127.0.0.1/"$1") 2>/dev/null; }
await() { # WHAT CONDITION...: for at most 60 seconds
    local what=$1
    shift
    for _ in $(seq 600); do
        if "$@"; then return; fi
        sleep 0.1
    done
    fail "$what did not start"
}
http() { # PORT PATH [BODY]: the reply, headers and all
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    if [ $# -gt 2 ]; then
        printf 'POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' "$2" "${#3}" "$3" >&3
    else
        printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' "$2" >&3
    fi
    cat <&3
    exec 3>&-
}

# --- the nodes -------------------------------------------------------------------------------------------------------

start_dshm() {
    [ -r "$bench/../../server/target/dshm/dshm-server.jar" ] || [ -n "${DSHM_HOME:-}" ] \
        || fail "the server is not built: mvn -q package -DskipTests"
    local i members=
    for i in 0 1 2; do members+=${members:+,}n$((i + 1))=127.0.0.1:${raft_ports[i]}; done
    for i in 0 1 2; do
        start "dshm-$((i + 1))" "$launcher" --node "n$((i + 1))" --members "$members" --cluster bench \
            --port "${dshm_ports[i]}" --sharedance-port "${sharedance_ports[i]}" --admin-port "${admin_ports[i]}" --data-dir "$work/dshm-$((i + 1))"
    done
}
dshm_ready() {
    local i
    for i in 0 1 2; do
        listens "${admin_ports[i]}" && http "${admin_ports[i]}" /health 2>/dev/null | grep -q '^HTTP/1.1 200' || return 1
    done
}
role() { # leader|follower: the port of such a DSHM node
    local i leads
    for i in 0 1 2; do
        leads=$(http "${admin_ports[i]}" /status | sed -n 's/.*"leads": \(true\|false\).*/\1/p')
        if [ "$1/$leads" = leader/true ] || [ "$1/$leads" = follower/false ]; then
            echo "${dshm_ports[i]}"
            return
        fi
    done
    fail "DSHM has no $1"
}
