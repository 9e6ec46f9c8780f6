# Three DSHM nodes on this machine for a measurement, and what starting and stopping servers takes. Sourced by the scripts beside
# it, which have set:
#
#   bench   this folder
#   dir     where the data goes, in a temporary folder of its own, $work
#   b       all ports are on 127.0.0.1, from b+1 on. Not the default ones, so that servers that run on this machine do not disturb
#
# shellcheck shell=bash
launcher=$bench/../bin/dshm-server
# All without the archive of classes that one build may have and another not.
[[ ${DSHM_JAVA_OPTS:-} == *-Xshare* ]] || export DSHM_JAVA_OPTS="-Xshare:auto ${DSHM_JAVA_OPTS:-}"
ports_from() { # BASE: the three nodes' ports, from BASE+1 on
    dshm_ports=($(($1 + 1)) $(($1 + 2)) $(($1 + 3))) raft_ports=($(($1 + 11)) $(($1 + 12)) $(($1 + 13)))
    forwarding_ports=($(($1 + 21)) $(($1 + 22)) $(($1 + 23)))
    admin_ports=($(($1 + 31)) $(($1 + 32)) $(($1 + 33))) sharedance_ports=($(($1 + 81)) $(($1 + 82)) $(($1 + 83)))
}
ports_from "$b"

say() { echo "bench: $*" >&2; }
fail() { say "$*"; exit 1; }

work=$(mktemp -d "$dir/dshm-bench.XXXXXX")
# Of all servers, and of which system each is.
pids=() systems_of=()
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
    pids+=($!) systems_of+=("${name%%-*}")
}
cpu_seconds() { # SYSTEM: the processor time that its servers have taken, of user and system
    local i
    for i in "${!pids[@]}"; do
        [ "${systems_of[i]}" != "$1" ] || cat "/proc/${pids[i]}/stat"
    done | awk -v tick="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); sum += $12 + $13 } END { printf "%.2f", sum / tick }'
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

start_dshm() { # [NAME]: of the cluster, its logs and folders
    [ -r "$bench/../../server/target/dshm/dshm-server.jar" ] || [ -n "${DSHM_HOME:-}" ] \
        || fail "the server is not built: mvn -q package -DskipTests"
    local i
    for i in 0 1 2; do start_node "$i" "${1:-dshm}"; done
}
start_node() { # NODE NAME: node 0, 1 or 2 of that cluster
    local members=n1=127.0.0.1:${raft_ports[0]},n2=127.0.0.1:${raft_ports[1]},n3=127.0.0.1:${raft_ports[2]}
    start "$2-$(($1 + 1))" "$launcher" --node "n$(($1 + 1))" --members "$members" --cluster "$2" --port "${dshm_ports[$1]}" \
        --sharedance-port "${sharedance_ports[$1]}" --admin-port "${admin_ports[$1]}" --data-dir "$work/$2-$(($1 + 1))"
}
dshm_ready() {
    local i
    for i in 0 1 2; do
        listens "${admin_ports[i]}" && http "${admin_ports[i]}" /health 2>/dev/null | grep -q '^HTTP/1.1 200' || return 1
    done
}
role() { # leader|follower: the port of such a DSHM node. Waits for at most 10 seconds: an election may be under way
    local i leads
    for _ in $(seq 100); do
        for i in 0 1 2; do
            leads=$(http "${admin_ports[i]}" /status | sed -n 's/.*"leads": \(true\|false\).*/\1/p')
            if [ "$1/$leads" = leader/true ] || [ "$1/$leads" = follower/false ]; then
                echo "${dshm_ports[i]}"
                return
            fi
        done
        sleep 0.1
    done
    fail "DSHM has no $1"
}
# Sets leader, the leading node's place among the nodes, and follower, that of another one. Waits as role does.
find_leader() {
    local node port
    port=$(role leader)
    for node in 0 1 2; do [ "${dshm_ports[node]}" != "$port" ] || leader=$node; done
    follower=$(((leader + 1) % 3))
}

# A line for each thread of the JVMs: the process's place among pids, the thread's number, its name without numbers, nanoseconds of
# processor time, times it went to sleep.
threads() {
    local i task name
    for i in "${!pids[@]}"; do
        [ "$(cat "/proc/${pids[i]}/comm")" = java ] || continue
        for task in /proc/"${pids[i]}"/task/*; do
            # A thread may end meanwhile.
            name=$(tr -d '0-9#' 2>/dev/null <"$task/comm") || continue
            printf '%s|%s|%s|%s|%s\n' "$i" "${task##*/}" "$name" "$(cut -d' ' -f1 "$task/schedstat")" \
                "$(sed -n 's/^voluntary_ctxt_switches:\t//p' "$task/status")"
        done
    done 2>/dev/null
}
# What the threads have done between two outputs of that: NODE|NAME|NANOSECONDS|TIMES for each. Those that have ended are left out.
threads_between() { # BEFORE AFTER
    awk -F'|' 'NR == FNR { cpu[$2] = $4; slept[$2] = $5; next } { printf "%s|%s|%.0f|%d\n", $1, $3, $4 - cpu[$2], $5 - slept[$2] }' \
        <(echo "$1") <(echo "$2")
}
# Repeats a load of some seconds until the JVMs' compilers take less than a tenth of their processor time, or of a second; at most 20 times. A
# JVM that has just started is slow, and how long it stays so depends on the machine.
warm_up() { # COMMAND...
    local before share
    for _ in $(seq 20); do
        before=$(threads)
        "$@" >/dev/null
        share=$(threads_between "$before" "$(threads)" | awk -F'|' '{ all += $3 } $2 ~ /Compiler/ { compilers += $3 }
            END { printf "%.0f", compilers < 1e8 ? 0 : 100 * compilers / all }')
        [ "$share" -ge 10 ] || return 0
    done
    say "the compilers still take $share % of the nodes' processor time"
}
