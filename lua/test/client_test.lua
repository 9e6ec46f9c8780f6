--- Runs all groups of cases in one request of nginx; see ./run.

local tap = require("support.tap")

tap.start()

tap.comment("what is sent, and how replies are read: a scripted socket")
require("requests_test")()

tap.comment("the nodes of a cluster: a scripted network")
require("nodes_test")()

tap.comment("what is installed")
require("installation_test")()

tap.comment("connections that fail: nginx itself plays the server")
require("faults_test")(os.getenv("DSHM_TEST_SOCKET"))

local host, port = os.getenv("DSHM_HOST") or "127.0.0.1", tonumber(os.getenv("DSHM_PORT"))

tap.comment("where Lua cannot yield")
require("yield_test")(os.getenv("DSHM_TEST_SOCKET"), host, port)

tap.comment("limits")
require("limit_test")(host, port)
require("limit_permits_test")(os.getenv("DSHM_TEST_SOCKET"), host, port)
require("limit_access_test")(os.getenv("DSHM_TEST_SOCKET"), host, port)
require("limit_edge_test")()

tap.comment("gateways")
require("gateways_test")(os.getenv("DSHM_TEST_SOCKET"), host, port)

tap.comment("where nginx has no sockets")
require("phases_test")(os.getenv("DSHM_TEST_SOCKET"), host, port)

if port then
    tap.comment("a live server: " .. host .. ":" .. port)
    require("limit_edge_live_test")(os.getenv("DSHM_TEST_SOCKET"), host, port)
    require("live_test")(host, port)
    tap.comment("a dict beside the native one")
    require("dict_test")(host, port)
    tap.comment("a dict beyond the native one")
    require("beyond_test")(host, port)
    tap.comment("sessions")
    require("session_test")(host, port)
else
    tap.comment("no DSHM_PORT: the cases that need a live server are left out")
end

tap.finish()
