package io.dshm.server.system;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Debian's nginx with the Lua client, beside one node. {@code /incr?key} adds one to that key on this node, {@code
 * /dict?key=K&ttl=T} to one of a dict that knows the other nodes, too; a new one lives that many seconds. Both reply the
 * new value; anything else than a value is a 502 with the client's error.
 */
final class NginxProcess {

    private static final Path EXECUTABLE = Path.of("/usr/sbin/nginx");
    private static final Path MODULES = Path.of("/usr/lib/nginx/modules");
    private static final Path LUA_CORE = Path.of("/usr/share/lua/5.1/resty/core.lua");
    private static final Path CLIENT = Path.of("../lua/lib").toAbsolutePath().normalize();
    private static final long STOP_SECONDS = 20;

    /** What stays open after a failed request is for the Lua client to decide; here only its own verdicts matter. */
    private static final String CONFIG = """
            user root;
            load_module %1$s/ndk_http_module.so;
            load_module %1$s/ngx_http_lua_module.so;
            worker_processes 2;
            daemon off;
            error_log %2$s/error.log warn;
            pid %2$s/nginx.pid;

            events {
                worker_connections 512;
            }

            http {
                access_log off;
                client_body_temp_path %2$s/body;
                proxy_temp_path %2$s/proxy;
                fastcgi_temp_path %2$s/fastcgi;
                uwsgi_temp_path %2$s/uwsgi;
                scgi_temp_path %2$s/scgi;
                keepalive_requests 1000000;
                lua_package_path "%3$s/?.lua;/usr/share/lua/5.1/?.lua;;";
                lua_socket_log_errors off;
                %7$s

                init_by_lua_block {
                    ngx.shared.counters = require("resty.dshm.dict").new({ region = "dict", host = "%6$s", %8$s })

                    -- a session that counts its requests, as each of the storages keeps it
                    sessions = {}
                    local own = require("resty.dshm.session").new({ host = "%6$s", %8$s })
                    function sessions.v4(id)
                        local data, err = own:get("it", id)
                        if err then
                            return nil, err
                        end
                        local count = (tonumber(data) or 0) + 1
                        local ok
                        ok, err = own:set("it", id, tostring(count), 60, ngx.time())
                        return ok and count, err
                    end
                    function sessions.v3(id)
                        local plain = function(data) return data end
                        local storage = require("resty.session.storage.dshm").new({
                            encoder = { encode = plain, decode = plain },
                            cookie = {},
                            dshm = { host = "%6$s", %8$s },
                        })
                        local data, err = storage:open(id)
                        if err then
                            return nil, err
                        end
                        local count = (tonumber(data) or 0) + 1
                        local ok
                        ok, err = storage:save(id, 60, tostring(count))
                        return ok and count, err
                    end

                    function reply(value, err)
                        if not value then
                            ngx.status = 502
                        end
                        local text = tostring(value or err)
                        ngx.header.content_length = #text
                        ngx.print(text)
                    end
                }

                server {
                    listen 127.0.0.1:%4$d;

                    location = /incr {
                        content_by_lua_block {
                            local store = require("resty.dshm"):new()
                            -- longer than a node lets a command wait for the next leader
                            store:set_timeout(15000)
                            local ok, err = store:connect("127.0.0.1", %5$d)
                            %9$s
                            local value
                            if ok then
                                value, err = store:incr(ngx.var.args, 1, 0)
                                store:set_keepalive(10000, 64)
                            end
                            reply(value, err)
                        }
                    }

                    location = /session {
                        content_by_lua_block {
                            reply(sessions[ngx.var.arg_storage](ngx.var.arg_id))
                        }
                    }

                    location = /dict {
                        content_by_lua_block {
                            reply(ngx.shared.counters:incr(ngx.var.arg_key, 1, 0, ngx.var.arg_ttl))
                        }
                    }
                }
            }
            """;

    private static final String TRUST = "lua_ssl_trusted_certificate %s; lua_ssl_verify_depth 2;";

    /** Options of all that is in Lua. */
    private static final String SECURED =
            "ssl = true, ssl_verify = true, server_name = \"localhost\", username = \"%s\", password = \"%s\"";

    /** The same for what has no options. */
    private static final String SECURE_STORE = """
            if ok and store:get_reused_times() == 0 then
                ok, err = store.sock:sslhandshake(nil, "localhost", true)
                if ok then
                    ok, err = store:auth("%s", "%s")
                end
            end
            """;

    private final Path folder;
    private final NodeProcess node;
    private final List<NodeProcess> others;
    private final int port = Ports.free();
    private @Nullable Process process;

    NginxProcess(Path folder, NodeProcess node, List<NodeProcess> others) {
        this.folder = folder.toAbsolutePath();
        this.node = node;
        this.others = List.copyOf(others);
    }

    /** The node beside it. */
    NodeProcess node() {
        return node;
    }

    int port() {
        return port;
    }

    void start() throws IOException, InterruptedException {
        for (Path needed : List.of(EXECUTABLE, MODULES.resolve("ngx_http_lua_module.so"), LUA_CORE)) {
            if (!Files.exists(needed)) {
                throw new AssertionError("there is no " + needed
                        + "; install Debian's packages nginx, libnginx-mod-http-lua and lua-resty-core");
            }
        }
        Files.createDirectories(folder);
        Path config = folder.resolve("nginx.conf");
        String hosts = Stream.concat(Stream.of(node), others.stream())
                .map(any -> "127.0.0.1:" + any.port())
                .collect(Collectors.joining(" "));
        String[] secured = node.isSecured()
                ? new String[] {
                    TRUST.formatted(Secured.authority()),
                    SECURED.formatted(Secured.USER, Secured.SECRET),
                    SECURE_STORE.formatted(Secured.USER, Secured.SECRET)
                }
                : new String[] {"", "", ""};
        Files.writeString(
                config,
                CONFIG.formatted(
                        MODULES, folder, CLIENT, port, node.port(), hosts, secured[0], secured[1], secured[2]));
        process = new ProcessBuilder(
                        EXECUTABLE.toString(),
                        "-p",
                        folder.toString(),
                        "-c",
                        config.toString(),
                        "-e",
                        errorLog().toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("output.log").toFile())
                .start();
        Await.until("nginx listens", () -> {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return socket.isConnected();
            }
        });
    }

    private Path errorLog() {
        return folder.resolve("error.log");
    }

    String log() throws IOException {
        String said = Files.exists(errorLog()) ? Files.readString(errorLog()) : "";
        Path output = folder.resolve("output.log");
        return said + (Files.exists(output) ? Files.readString(output) : "");
    }

    /** Ends it, workers included: the master sees to that, and only if it does not, all are killed. */
    void stop() throws InterruptedException {
        Process master = process;
        if (master == null) {
            return;
        }
        List<ProcessHandle> workers = master.descendants().toList();
        master.destroy();
        if (!master.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
            master.destroyForcibly();
            workers.forEach(ProcessHandle::destroyForcibly);
        }
    }

    @Override
    public String toString() {
        return "nginx of " + node;
    }
}
