--- The plugins for gateways, in the places where the gateways call them: modules of stand_ins take the gateways' place.

local http = require("support.http")
local limit_replies = require("support.limit_replies")
local scripted_network = require("support.scripted_network")
local tap = require("support.tap")

local case, equal, returns, values = tap.case, tap.equal, tap.returns, tap.values
local says, says_all = limit_replies.says, limit_replies.says_all

local REFUSED = { refused = "connection refused" }

local here = debug.getinfo(1, "S").source:match("^@(.*)/test/[^/]+$")


-- What was sent since the last time, without the node and what makes a write exactly once.
local function sent(network)
    return (limit_replies.sent(network):gsub(" id=%d+ seq=%d+ done=%d+", ""))
end


local function take_all(...)
    local lines = table.concat({ ... }, "\r\n") .. "\r\n"
    return "TAKE_ALL " .. #lines .. "\r\n" .. lines
end


local function rockspecs()
    for _, dir in ipairs({ "apisix", "kong", "global-throttle" }) do
        case("gateways: the rockspec of " .. dir .. " names each of its files", function()
            local folder = here .. "/gateways/" .. dir
            local pipe = assert(io.popen("cd " .. folder .. " && ls *.rockspec; find . -name '*.lua'"))
            local name = pipe:read("*l")
            local rockspec = {}
            setfenv(assert(loadfile(folder .. "/" .. name)), rockspec)()
            equal(rockspec.package .. "-" .. rockspec.version .. ".rockspec", name)
            local left = 0
            for _ in pairs(rockspec.build.modules) do
                left = left + 1
            end
            for file in pipe:lines() do
                local module = file:match("^%./(.*)%.lua$"):gsub("/", ".")
                equal(file, "./" .. (rockspec.build.modules[module] or "?"))
                left = left - 1
            end
            equal(0, left)
            pipe:close()
        end)
    end
end


-- APISIX --------------------------------------------------------------------------------------------------------------

-- A location with this configuration of the plugin, as APISIX runs it.
local function apisix(plugin, conf)
    conf._meta = { parent = { resource_key = "/apisix/routes/1" } }
    assert(plugin.check_schema(conf))
    http.handlers.access = function()
        local code, body = plugin.access(conf, { var = ngx.var })
        if code then
            ngx.status = code
            ngx.print(body and body.error_msg or "")
            ngx.exit(ngx.HTTP_OK)
        end
    end
end


local function scripted_apisix(conf)
    local network = scripted_network.new()
    local plugin = network:load("apisix.plugins.limit-count-dshm")
    conf.dshm = { host = { "a:1" } }
    apisix(plugin, conf)
    return network
end


local function apisix_plugin(socket)
    case("APISIX: configurations, with limit-count's fields and defaults", function()
        local plugin = require("apisix.plugins.limit-count-dshm")
        equal("limit-count-dshm", plugin.name)
        equal("number", type(plugin.priority))
        equal("number", type(plugin.version))
        local conf = { count = 2, time_window = 60, dshm = { host = { "a" } } }
        returns(values(true), plugin.check_schema(conf))
        equal("remote_addr", conf.key)
        equal("var", conf.key_type)
        equal("fixed", conf.algorithm)
        equal(503, conf.rejected_code)
        equal(false, conf.allow_degradation)
        equal(true, conf.show_limit_quota_header)
        local rule = { count = 1, time_window = 1, key = "$remote_addr" }
        local dshm = { host = { "a" } }
        for _, wrong in ipairs({
            { count = 2, time_window = 60 }, { count = 0, time_window = 60, dshm = dshm },
            { count = 2, dshm = dshm }, { count = 2, time_window = 1, dshm = { host = {} } },
            { count = 2, time_window = 1, algorithm = "other", dshm = dshm },
            { count = 2, time_window = 1, rules = { rule }, dshm = dshm }, { rules = {}, dshm = dshm },
            { rules = { rule, rule }, dshm = dshm }, { rules = { rule }, group = "g", dshm = dshm },
        }) do
            equal(false, (plugin.check_schema(wrong)))
        end
    end)

    case("APISIX: admits, refuses, and says so in its headers", function()
        local network = scripted_apisix({ count = 2, time_window = 60, rejected_code = 429, rejected_msg = "slowly" })
        network:on("a:1", says("allowed=1 limit=2 remaining=1 reset=59100 retry=0"),
                   says("allowed=0 limit=2 remaining=0 reset=59000 retry=59000"))
        local status, found, body = http.get(socket, "/limited/")
        equal(200, status)
        equal("content\n", body)
        equal("2", found["x-ratelimit-limit"])
        equal("1", found["x-ratelimit-remaining"])
        equal("60", found["x-ratelimit-reset"])
        status, found, body = http.get(socket, "/limited/")
        equal(429, status)
        equal("slowly", body)
        equal("0", found["x-ratelimit-remaining"])
        equal("59", found["retry-after"])
        equal(("TAKE apisix::/apisix/routes/1:unix: fixed 2 60\r\n"):gsub("/", "%%2F"):rep(2), sent(network))
    end)

    case("APISIX: keys of each type, groups, and no headers", function()
        local network = scripted_apisix({
            count = 2, time_window = 60, group = "g", key_type = "var_combination", key = "$arg_user $http_x",
            show_limit_quota_header = false, algorithm = "log",
        })
        for _, c in ipairs({ { "?user=joe", "joe%20" }, { "", "unix:" } }) do
            network:on("a:1", says("allowed=1 limit=2 remaining=1 reset=1 retry=0"))
            local status, found = http.get(socket, "/limited/" .. c[1])
            equal(200, status)
            equal(nil, found["x-ratelimit-limit"])
            equal("TAKE apisix::group:g:" .. c[2] .. " log 2 60\r\n", sent(network))
        end
        network = scripted_apisix({ count = 2, time_window = 60, group = "g", key_type = "constant", key = "all" })
        network:on("a:1", says("allowed=1 limit=2 remaining=1 reset=1 retry=0"))
        equal(200, (http.get(socket, "/limited/")))
        equal("TAKE apisix::group:g:all fixed 2 60\r\n", sent(network))
    end)

    case("APISIX: several rules are one request, all or none", function()
        local network = scripted_apisix({ rules = {
            { count = 1, time_window = 1, key = "$remote_addr" },
            { count = 10, time_window = 60, key = "$arg_user", header_prefix = "User" },
        } })
        network:on("a:1", says_all(0, "allowed=1 limit=1 remaining=1 reset=1 retry=0",
                                   "allowed=0 limit=10 remaining=0 reset=100 retry=100"),
                   says("allowed=1 limit=1 remaining=0 reset=1 retry=0"))
        local status, found = http.get(socket, "/limited/?user=joe")
        equal(503, status)
        equal("1", found["x-1-ratelimit-remaining"])
        equal("0", found["x-user-ratelimit-remaining"])
        local route = "TAKE apisix::%2Fapisix%2Froutes%2F1:"
        equal(take_all(route .. "%24remote_addr:unix: fixed 1 1", route .. "%24arg_user:joe fixed 10 60"),
              sent(network))
        -- a rule whose variable is absent does not count
        equal(200, (http.get(socket, "/limited/")))
        equal(route .. "%24remote_addr:unix: fixed 1 1\r\n", sent(network))
    end)

    case("APISIX: nobody decides", function()
        for _, c in ipairs({ { false, 500 }, { true, 200 } }) do
            local network = scripted_apisix({ count = 1, time_window = 1, allow_degradation = c[1] })
            network:on("a:1", REFUSED)
            equal(c[2], (http.get(socket, "/limited/")))
        end
    end)

    case("APISIX: the object of limit-count", function()
        local network = scripted_network.new()
        local object = network:load("apisix.plugins.limit-count.limit-count-dshm")
        local limiter = object.new("plugin-limit-count", 5, 60, { dshm = { host = "a:1", region = "r" } })
        network:on("a:1", says("allowed=1 limit=5 remaining=3 reset=1500 retry=0"),
                   says("allowed=0 limit=5 remaining=0 reset=1500 retry=1000"), REFUSED)
        returns(values(0, 3, 1.5), limiter:incoming("k", 2))
        returns(values(nil, "rejected", 1), limiter:incoming("k", 0))
        equal("TAKE r::k fixed 5 60 cost=2\r\nTAKE r::k fixed 5 60 cost=0\r\n", sent(network))
        returns(values(nil, "no connection: connection refused"), limiter:incoming("k"))
        equal(5, limiter.limit)
    end)

    case("APISIX: the objects of limit-req and limit-conn", function()
        local network = scripted_network.new()
        local req, conn = network:load("apisix.plugins.limit-req.limit-req-dshm",
                                       "apisix.plugins.limit-conn.limit-conn-dshm")
        local conf = { dshm = { host = "a:1", region = "r" }, key_ttl = 60 }
        network:on("a:1", says("allowed=1 limit=3000 remaining=1000 reset=1 retry=0 delay=100"),
                   says("allowed=1 limit=3 remaining=1 retry=0 fence=1"), { input = "DONE\r\n" })
        local delay = req.new("plugin-limit-req", conf, 10, 2):incoming("k", true)
        equal(0.1, delay)
        local limiter = conn.new("plugin-limit-conn", conf, 2, 1, 0.5)
        returns(values(0, 2), limiter:incoming("c", true))
        equal(true, limiter:is_committed())
        returns(values(true), limiter:leaving("c", 0.1, "a request's id"))
        equal("TAKE r::k leaky 10000 1 burst=2999 cost=1000\r\nACQUIRE r::c 3 holder=? ttl=60\r\n"
            .. "RELEASE r::c holder=?\r\n", (sent(network):gsub("holder=[%w-]+", "holder=?")))
    end)
end


-- Kong ----------------------------------------------------------------------------------------------------------------

-- As much of Kong's PDK as the plugin calls.
local function new_kong(request)
    return {
        client = {
            get_consumer = function() return request.consumer end,
            get_credential = function() return request.credential end,
            get_forwarded_ip = function() return "192.0.2.1" end,
        },
        router = { get_service = function() return request.service end },
        request = {
            get_header = function(name) return ngx.var["http_" .. name:lower()] end,
            get_path = function() return ngx.var.uri end,
        },
        response = {
            set_header = function(name, value) ngx.header[name] = value end,
            error = function(status, message)
                ngx.status = status
                ngx.print(message)
                ngx.exit(ngx.HTTP_OK)
            end,
        },
        log = { err = function(...) ngx.log(ngx.ERR, ...) end },
    }
end


-- The handler, loaded as Kong does, on a network or none.
local function load_handler(network, request)
    rawset(_G, "kong", new_kong(request or {}))
    local name = "kong.plugins.dshm-rate-limiting.handler"
    package.loaded[name] = nil
    local handler = network and network:load(name) or require(name)
    rawset(_G, "kong", nil)
    return handler
end


local function scripted_kong(conf, request)
    local network = scripted_network.new()
    local handler = load_handler(network, request)
    conf.dshm = { host = { "a:1" }, region = "kong", algorithm = "fixed", read_timeout = ngx.null }
    conf.error_code, conf.error_message = 429, "API rate limit exceeded"
    http.handlers.access = function() handler:access(conf) end
    return network
end


local function kong_schema()
    case("Kong: the schema has the fields of rate-limiting, and a record dshm", function()
        local schema = require("kong.plugins.dshm-rate-limiting.schema")
        equal("dshm-rate-limiting", schema.name)
        local config = schema.fields[2].config
        local fields = {}
        for _, field in ipairs(config.fields) do
            local name, definition = next(field)
            equal(nil, next(field, name))
            fields[name] = definition
        end
        for _, name in ipairs({ "second", "minute", "hour", "day", "month", "year" }) do
            equal("number", fields[name].type)
            equal(0, fields[name].gt)
        end
        equal("consumer", fields.limit_by.default)
        equal(true, fields.fault_tolerant.default)
        equal(false, fields.hide_client_headers.default)
        equal(429, fields.error_code.default)
        equal("record", fields.dshm.type)
        equal(true, config.custom_validator({ second = 1, minute = 1, year = 5 }))
        equal(nil, (config.custom_validator({ second = 2, hour = 1 })))
    end)
end


local function kong_handler(socket)
    case("Kong: periods are charged all or none, in one request", function()
        local network = scripted_kong({ second = 2, hour = 10.5, month = ngx.null, limit_by = "ip", route_id = "r" })
        network:on("a:1", says_all(1, "allowed=1 limit=2 remaining=1 reset=500 retry=0",
                                   "allowed=1 limit=10 remaining=9 reset=3000000 retry=0"),
                   says_all(0, "allowed=1 limit=2 remaining=2 reset=0 retry=0",
                            "allowed=0 limit=10 remaining=0 reset=3000000 retry=2999001"))
        local status, found = http.get(socket, "/limited/")
        equal(200, status)
        equal("2", found["x-ratelimit-limit-second"])
        equal("1", found["x-ratelimit-remaining-second"])
        equal("9", found["x-ratelimit-remaining-hour"])
        equal("2", found["ratelimit-limit"])
        equal("1", found["ratelimit-remaining"])
        equal("1", found["ratelimit-reset"])
        equal(nil, found["retry-after"])
        local owner = "TAKE kong::r:-:192.0.2.1:"
        equal(take_all(owner .. "second fixed 2 1", owner .. "hour fixed 10 3600"), sent(network))
        local body
        status, found, body = http.get(socket, "/limited/")
        equal(429, status)
        equal("API rate limit exceeded", body)
        equal("0", found["ratelimit-remaining"])
        equal("3000", found["ratelimit-reset"])
        equal("3000", found["retry-after"])
    end)

    case("Kong: who is limited", function()
        for _, c in ipairs({
            { { limit_by = "consumer" }, { consumer = { id = "c1" }, credential = { id = "k1" } }, "c1" },
            { { limit_by = "consumer" }, { credential = { id = "k1" } }, "k1" },
            { { limit_by = "credential" }, { consumer = { id = "c1" } }, "192.0.2.1" },
            { { limit_by = "service" }, { service = { id = "s1" } }, "s1" },
            { { limit_by = "header", header_name = "Host" }, {}, "localhost" },
            { { limit_by = "path", path = "/limited/" }, {}, "%2Flimited%2F" },
            { { limit_by = "path", path = "/other" }, {}, "192.0.2.1" },
            { { limit_by = "ip" }, { consumer = { id = "c1" } }, "192.0.2.1" },
        }) do
            c[1].minute = 5
            c[1].hide_client_headers = true
            local network = scripted_kong(c[1], c[2])
            network:on("a:1", says("allowed=1 limit=5 remaining=4 reset=1 retry=0"))
            local status, found = http.get(socket, "/limited/")
            equal(200, status)
            equal(nil, found["ratelimit-limit"])
            equal("TAKE kong::-:-:" .. c[3] .. ":minute fixed 5 60\r\n", sent(network))
        end
    end)

    case("Kong: nobody decides", function()
        for _, c in ipairs({ { true, 200 }, { false, 500 } }) do
            local network = scripted_kong({ minute = 5, limit_by = "ip", fault_tolerant = c[1] })
            network:on("a:1", REFUSED)
            equal(c[2], (http.get(socket, "/limited/")))
        end
    end)
end


-- lua-resty-global-throttle -------------------------------------------------------------------------------------------

local function global_throttle()
    case("global-throttle: the store counts, reads, and tells a miss from an error", function()
        local network = scripted_network.new()
        local store = network:load("resty.global_throttle.store.dshm")
        local counters = assert(store.new({ provider = "dshm", host = "a:1" }))
        network:on("a:1", { input = "LEN 1\r\n3\r\nDONE\r\n" }, { input = "ERROR not_found\r\n" },
                   { input = "LEN 1 type=number version=1\r\n3\r\nDONE\r\n" }, REFUSED, REFUSED)
        returns(values(3, nil), counters:incr("ns.k.1.counter", 1, 20))
        returns(values(nil), counters:get("ns.k.0.counter"))
        returns(values(3), counters:get("ns.k.1.counter"))
        equal("INCR_NUMBER global-throttle::ns.k.1.counter 1 init=0 full=evict ttl=20\r\n"
            .. "FETCH global-throttle::ns.k.0.counter read=linearizable\r\n"
            .. "FETCH global-throttle::ns.k.1.counter read=linearizable\r\n", sent(network))
        returns(values(nil, "no connection: connection refused"), counters:incr("k", 1, 20))
        returns(values(nil, "no connection: connection refused"), counters:get("k"))
        local _, err = store.new({ provider = "dshm", hots = "a" })
        equal(true, err:find("no such option", 1, true) ~= nil)
    end)
end


local function against_a_server(socket, host, port)
    local run = ngx.worker.pid() .. "-" .. math.floor(ngx.now() * 1000)

    local function statuses(n)
        local counts = {}
        for _ = 1, n do
            local status = http.get(socket, "/limited/")
            counts[status] = (counts[status] or 0) + 1
        end
        return counts
    end

    case("gateways: a server decides", function()
        local dshm = { host = { host }, port = port, region = "apisix-" .. run }
        apisix(require("apisix.plugins.limit-count-dshm"), { count = 3, time_window = 315619200, dshm = dshm })
        local counts = statuses(5)
        equal(3, counts[200])
        equal(2, counts[503])

        local handler = load_handler()
        local conf = {
            year = 2, limit_by = "ip", error_code = 429, error_message = "m",
            dshm = { host = { host }, port = port, region = "kong-" .. run, algorithm = "gcra" },
        }
        http.handlers.access = function() handler:access(conf) end
        counts = statuses(4)
        equal(2, counts[200])
        equal(2, counts[429])

        local store = require("resty.global_throttle.store.dshm")
        local counters = assert(store.new({ provider = "dshm", host = host, port = port, region = "throttle-" .. run }))
        returns(values(nil), counters:get("k"))
        returns(values(1, nil), counters:incr("k", 1, 60))
        returns(values(3, nil), counters:incr("k", 2, 60))
        returns(values(3), counters:get("k"))
    end)
end


return function(socket, host, port)
    rockspecs()
    apisix_plugin(socket)
    kong_schema()
    kong_handler(socket)
    global_throttle()
    if port then
        against_a_server(socket, host, port)
    end
end
