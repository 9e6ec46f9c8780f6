# The nginx of the tests, in a folder of its own, $prefix, with one worker or $workers. Sourced by the scripts beside it; starts it, and
# stops it at their end.
#
# shellcheck shell=bash
lua_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
nginx=${NGINX:-$(command -v nginx || command -v openresty || echo /usr/sbin/nginx)}
modules_dir=${NGINX_MODULES:-/usr/lib/nginx/modules}

prefix=$(mktemp -d "${TMPDIR:-/tmp}/dshm-lua-test.XXXXXX")
mkdir "$prefix/logs" "$prefix/temp"
export DSHM_TEST_SOCKET=$prefix/nginx.sock

stop() {
    status=$?
    trap - EXIT
    if [ -s "$prefix/nginx.pid" ]; then
        pid=$(cat "$prefix/nginx.pid")
        kill -TERM "$pid" 2>/dev/null || true
        for _ in $(seq 50); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
    fi
    if [ "$status" -ne 0 ] && [ -s "$prefix/logs/error.log" ]; then
        echo "# nginx said:" >&2
        tail -n 40 "$prefix/logs/error.log" >&2
    fi
    rm -rf "$prefix"
    exit "$status"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Debian loads the module, and the one it depends on, at run time; OpenResty has both built in.
main=
if [ -e "$modules_dir/ngx_http_lua_module.so" ]; then
    main="load_module $modules_dir/ndk_http_module.so; load_module $modules_dir/ngx_http_lua_module.so;"
fi
# Workers of root's nginx would be nobody's, who may not read this checkout.
[ "$(id -u)" -ne 0 ] || main="user root; $main"
# The modules of the gateways' plugins, and what stands in for the gateways' own.
gateways=
for dir in apisix kong global-throttle; do gateways+="$lua_dir/gateways/$dir/?.lua;"; done
gateways+="$lua_dir/test/stand_ins/?.lua"
sed -e "s|@MAIN@|$main|" -e "s|@GATEWAYS@|$gateways|" -e "s|@WORKERS@|${workers:-1}|" -e "s|@LUA@|$lua_dir|g" -e "s|@SOCKET@|$DSHM_TEST_SOCKET|" \
    "$lua_dir/test/nginx.conf.template" > "$prefix/nginx.conf"

"$nginx" -p "$prefix" -c "$prefix/nginx.conf" -e "$prefix/logs/error.log"
