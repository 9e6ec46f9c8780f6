--- The bytes of every request, and every kind of reply, on a scripted socket.

local dshm = require("resty.dshm")
local scripted_socket = require("support.scripted_socket")
local tap = require("support.tap")

local case, equal, returns, values = tap.case, tap.equal, tap.returns, tap.values


local function connected(input, ending, opts)
    local store = assert(dshm:new(opts))
    local sock = scripted_socket.new(input, ending)
    store.sock = sock
    assert(store:connect("127.0.0.1", 4321))
    return store, sock
end


local function value_reply(value)
    return "LEN " .. #value .. "\r\n" .. value .. "\r\nDONE\r\n"
end


local IDENTITY = { key_transform = { function(key) return key end, function(key) return key end } }


local function requests_of_each_method()
    local cases = {
        -- what is sent, the reply, what is returned, method, arguments
        { "GET k\r\n", value_reply("v"), "v", "get", "k" },
        { "GET 7\r\n", value_reply("v"), "v", "get", 7 },
        { "SET k 0 5\r\nvalue", value_reply("value"), "value", "set", "k", "value" },
        { "SET k 0 0\r\n", value_reply(""), "", "set", "k", "" },
        { "SET k 0 2\r\n10", value_reply("10"), "10", "set", "k", 10 },
        { "SET k 0 3\r\n1.5", value_reply("1.5"), "1.5", "set", "k", 1.5 },
        { "SET k 0 16\r\n1000000000000000", value_reply("x"), "x", "set", "k", 1e15 },
        { "SET k 0 16\r\n9007199254740991", value_reply("x"), "x", "set", "k", 2 ^ 53 - 1 },
        { "SET k 60 1\r\nv", value_reply("v"), "v", "set", "k", "v", 60 },
        { "SET k 60 1\r\nv", value_reply("v"), "v", "set", "k", "v", "60" },
        { "TOUCH k 0\r\n", "DONE\r\n", 1, "touch", "k" },
        { "TOUCH k 30\r\n", "DONE\r\n", 1, "touch", "k", 30 },
        { "DELETE k\r\n", "DONE\r\n", 1, "delete", "k" },
        { "INCR k 1 0 0\r\n", value_reply("1"), "1", "incr", "k" },
        { "INCR k -2 5 0\r\n", value_reply("3"), "3", "incr", "k", -2, 5 },
        { "INCR k 1 0 60\r\n", value_reply("1"), "1", "incr", "k", 1, 0, 60 },
        { "INCR k 1000000000000000 0 0\r\n", value_reply("1"), "1", "incr", "k", 1e15 },
        { "INCR k 9223372036854775807 -9223372036854775808 0\r\n", value_reply("-1"), "-1", "incr", "k",
          "9223372036854775807", "-9223372036854775808" },
        { "RATE_LIMITER k 100 60\r\n", value_reply("99"), "99", "rate_limiter", "k", 100, 60 },
        { "RATE_LIMITER k 100 0.250\r\n", value_reply("99"), "99", "rate_limiter", "k", 100, 0.25 },
        { "FLUSHALL\r\n", "DONE\r\n", 1, "flush_all" },
        { "FLUSHALL\r\n", "DONE\r\n", 1, "flush_all", "" },
        { "FLUSHALL my%20region\r\n", "DONE\r\n", 1, "flush_all", "my region" },
        { "QUIT\r\n", "DONE\r\n", 1, "quit" },
    }
    for _, c in ipairs(cases) do
        local name = c[1]:gsub("\r\n", " ")
        case("sends " .. name, function()
            local store, sock = connected(c[2])
            returns(values(c[3]), store[c[4]](store, unpack(c, 5, 8)))
            equal(1, #sock.requests)
            equal(c[1], sock.requests[1])
            equal("", sock.input)
        end)
    end
end


local function times_to_live()
    local cases = {
        { 0, "0" }, { -0.0, "0" }, { 0.0001, "0.001" }, { 1e-300, "0.001" }, { 0.05, "0.050" }, { 1.5, "1.500" },
        { 0.9999, "1.000" }, { 86400, "86400" }, { 1e15, "1000000000000000" }, { 123456789.25, "123456789.250" },
    }
    for _, c in ipairs(cases) do
        case("a TTL of " .. c[1] .. " s is sent as " .. c[2], function()
            local store, sock = connected(value_reply("v") .. "DONE\r\n" .. value_reply("1"))
            returns(values("v"), store:set("k", "v", c[1]))
            returns(values(1), store:touch("k", c[1]))
            returns(values("1"), store:incr("k", 1, 0, c[1]))
            equal("SET k " .. c[2] .. " 1\r\nv", sock.requests[1])
            equal("TOUCH k " .. c[2] .. "\r\n", sock.requests[2])
            equal("INCR k 1 0 " .. c[2] .. "\r\n", sock.requests[3])
        end)
    end
end


local function keys()
    local cases = {
        { "region::key with space", "region::key%20with%20space" },
        { "sessions:a/b", "sessions:a%2Fb" },
        { ":", ":" }, { "a::b::c", "a::b::c" }, { "::k", "::k" }, { "k:", "k:" },
        { "line\r\nFLUSHALL", "line%0D%0AFLUSHALL" }, { "nul\0", "nul%00" }, { "\xC3\xA9", "%C3%A9" },
        { string.rep("k", 65535), string.rep("k", 65535) },
    }
    for _, c in ipairs(cases) do
        case("key " .. string.format("%q", c[1]:sub(1, 30)):gsub("%c", " ") .. " is escaped piece by piece", function()
            local store, sock = connected(value_reply("v"))
            returns(values("v"), store:get(c[1]))
            equal("GET " .. c[2] .. "\r\n", sock.requests[1])
        end)
    end

    case("key_transform replaces the escaping", function()
        local opts = { key_transform = { string.upper, string.lower } }
        local store, sock = connected(value_reply("v") .. "DONE\r\n", nil, opts)
        returns(values("v"), store:get("region::a%b"))
        returns(values(1), store:flush_all("region"))
        equal("GET REGION::A%B\r\n", sock.requests[1])
        equal("FLUSHALL REGION\r\n", sock.requests[2])
    end)

    case("a key_transform without both of its functions is refused", function()
        returns(values(nil, "expecting key_transform = { escape, unescape } table"),
                dshm:new({ key_transform = { string.upper } }))
    end)

    case("new works with a dot as with a colon", function()
        local store, sock = connected(value_reply("v"))
        equal("string", type(store:get("a b")))
        equal("GET a%20b\r\n", sock.requests[1])
        local dotted = assert(dshm.new(IDENTITY))
        dotted.sock = scripted_socket.new(value_reply("v"))
        assert(dotted:connect("127.0.0.1", 4321))
        returns(values("v"), dotted:get("a/b"))
        equal("GET a/b\r\n", dotted.sock.requests[1])
        equal("not initialized", select(2, assert(dshm.new()):get("k")))
    end)
end


-- Each is refused before a byte is sent, and the connection stays usable.
local function arguments_that_cannot_be_sent()
    local nan = 0 / 0
    local cases = {
        { "bad key", nil, "get", nil },
        { "bad key", nil, "get", "" },
        { "bad key", nil, "get", true },
        { "bad key", IDENTITY, "get", "two words" },
        { "bad key", IDENTITY, "delete", "k\r\nFLUSHALL" },
        { "bad key", IDENTITY, "get", "nul\0" },
        { "bad key", { key_transform = { function(key) return key ~= "lost" and key or nil end, string.lower } }, "get",
          "lost" },
        { "key too long", nil, "get", string.rep("k", 65536) },
        { "key too long", nil, "set", string.rep(" ", 30000), "v" },
        { "bad value", nil, "set", "k", nil },
        { "bad value", nil, "set", "k", {} },
        { "bad value", nil, "set", "k", true },
        { "bad exptime", nil, "set", "k", "v", -1 },
        { "bad exptime", nil, "set", "k", "v", nan },
        { "bad exptime", nil, "set", "k", "v", math.huge },
        { "bad exptime", nil, "set", "k", "v", "soon" },
        { "bad exptime", nil, "touch", "k", -0.001 },
        { "bad exptime", nil, "touch", "k", nan },
        { "bad value", nil, "incr", "k", 1.5 },
        { "bad value", nil, "incr", "k", nan },
        { "bad value", nil, "incr", "k", math.huge },
        { "bad value", nil, "incr", "k", "1 2" },
        { "bad init", nil, "incr", "k", 1, "x" },
        { "bad init_ttl", nil, "incr", "k", 1, 0, -1 },
        { "bad capacity", nil, "rate_limiter", "k", nil, 60 },
        { "bad capacity", nil, "rate_limiter", "k", -1, 60 },
        { "bad capacity", nil, "rate_limiter", "k", 1.5, 60 },
        { "bad duration", nil, "rate_limiter", "k", 10, nil },
        { "bad duration", nil, "rate_limiter", "k", 10, -60 },
        { "bad region", nil, "flush_all", "a:b" },
        { "bad region", nil, "flush_all", {} },
        { "bad region", IDENTITY, "flush_all", "two words" },
        { "key too long", nil, "flush_all", string.rep("r", 65536) },
    }
    for _, c in ipairs(cases) do
        local shown = {}
        for i = 4, math.max(4, table.maxn(c)) do
            shown[#shown + 1] = type(c[i]) == "table" and "{}" or tostring(c[i]):sub(1, 12):gsub("%c", "?")
        end
        case(c[3] .. "(" .. table.concat(shown, ", ") .. ") is refused as " .. c[1], function()
            local store, sock = connected(value_reply("v"), nil, c[2])
            returns(values(nil, c[1]), store[c[3]](store, unpack(c, 4, 7)))
            equal(0, #sock.requests)
            returns(values("v"), store:get("k"))
        end)
    end
end


local function errors_from_the_server()
    local cases = {
        { "ERROR not_found\r\n", "not found" },
        { "ERROR malformed_request\r\n", "malformed_request" },
        { "ERROR malformed_request INCR takes: key by init [init_exp]\r\n", "malformed_request" },
        { "ERROR bad_request GET takes no list; STAT shows its length\r\n", "bad_request" },
        { "ERROR busy try again later\r\n", "busy" },
        { "ERROR timeout\r\n", "timeout" },
        { "ERROR unknown_outcome\n", "unknown_outcome" },
    }
    local calls = {
        { "get", "k" }, { "set", "k", "v" }, { "touch", "k", 1 }, { "delete", "k" }, { "incr", "k", 1 },
        { "rate_limiter", "k", 1, 1 }, { "flush_all" },
    }
    for _, c in ipairs(cases) do
        case("'" .. c[1]:gsub("%c", "") .. "' is an error, and the connection stays usable", function()
            for _, call in ipairs(calls) do
                local store, sock = connected(c[1] .. value_reply("v"))
                returns(values(nil, c[2]), store[call[1]](store, unpack(call, 2)))
                returns(values("v"), store:get("k"))
                returns(values(1), store:set_keepalive(1000, 10))
                equal(1, sock.keepalive_count)
            end
        end)
    end

    case("request sends what it is given, and returns line and value, or an error and its text", function()
        local store, sock = connected("DONE type=list length=3 version=7\r\n"
            .. "LEN 2 type=number version=7\r\n10\r\nDONE\r\n" .. "DONE\r\nERROR exists 3\r\nERROR busy\r\nDONE  x\r\n")
        returns(values("DONE type=list length=3 version=7"), store:request({ "STAT ", "k", "\r\n" }))
        returns(values("LEN 2 type=number version=7", "10"), store:request({ "FETCH k\r\n" }))
        returns(values("DONE"), store:request({ "PING\r\n" }))
        returns(values(nil, "exists", "3"), store:request({ "MULTI 0\r\n" }))
        returns(values(nil, "busy", ""), store:request({ "PING\r\n" }))
        equal("STAT k\r\n", sock.requests[1])
        returns(values(nil, "protocol_error"), store:request({ "PING\r\n" }))
        returns(values(nil, "closed"), store:request({ "PING\r\n" }))
    end)

    case("what has more than its value is no reply to a plain verb", function()
        for _, reply in ipairs({ "DONE version=7\r\n", "LEN 1 type=raw\r\nv\r\nDONE\r\n" }) do
            local store = connected(reply .. reply)
            returns(values(nil, "protocol_error"), store:get("k"))
            store = connected(reply)
            returns(values(nil, "protocol_error"), store:delete("k"))
        end
    end)

    case("a refused token is 'rejected', and the connection stays usable", function()
        local store = connected(value_reply("-1") .. value_reply("-1"))
        returns(values(nil, "rejected"), store:rate_limiter("k", 10, 60))
        returns(values("-1"), store:get("k"))
    end)
end


local function replies_that_break_the_connection()
    local cases = {
        -- err, input, what the socket says after it, method
        { "protocol_error", "HTTP/1.1 400 Bad Request\r\n", "timeout", "get" },
        { "protocol_error", "\r\nDONE\r\n", "timeout", "delete" },
        { "protocol_error", "LEN\r\n", "timeout", "get" },
        { "protocol_error", "LEN -1\r\n", "timeout", "get" },
        { "protocol_error", "LEN 1x\r\nvx\r\nDONE\r\n", "timeout", "get" },
        { "protocol_error", "LEN 99999999999999999999\r\n", "timeout", "get" },
        { "protocol_error", "LEN 1\r\nvalue\r\nDONE\r\n", "timeout", "get" },
        { "protocol_error", "LEN 1\r\nv\r\nERROR busy\r\n", "timeout", "get" },
        { "protocol_error", "DONE\r\n", "timeout", "get" },
        { "protocol_error", "LEN 1\r\nv\r\nDONE\r\n", "timeout", "delete" },
        { "protocol_error", "ERROR\r\n", "timeout", "get" },
        { "protocol_error", "ERROR \r\n", "timeout", "delete" },
        { "protocol_error", "DONE \r\n", "timeout", "touch" },
        { "timeout", "", "timeout", "get" },
        { "timeout", "DO", "timeout", "delete" },
        { "timeout", "LEN 5\r\nval", "timeout", "get" },
        { "timeout", "LEN 5\r\nvalue", "timeout", "get" },
        { "timeout", "LEN 5\r\nvalue\r\nDON", "timeout", "get" },
        { "closed", "", "closed", "get" },
        { "closed", "LEN 5\r\nval", "closed", "get" },
        { "closed", "LEN 5\r\nvalue\r\n", "closed", "get" },
        { "connection reset by peer", "", "connection reset by peer", "quit" },
    }
    for _, c in ipairs(cases) do
        local name = string.format("%s after %q", c[4], c[2]):gsub("\r", "\\r"):gsub("\\?\n", "\\n")
        case(name .. " is " .. c[1] .. ", and no more is asked of the connection", function()
            local store, sock = connected(c[2], c[3])
            returns(values(nil, c[1]), store[c[4]](store, "k"))
            equal(true, sock.closed)
            returns(values(nil, "closed"), store:get("k"))
            returns(values(nil, "closed"), store:quit())
            returns(values(nil, "closed"), store:get_reused_times())
            returns(values(nil, "closed"), store:set_keepalive(1000, 10))
            returns(values(nil, "closed"), store:close())
            equal(0, sock.keepalive_count)
            equal(1, #sock.requests)

            sock.input = value_reply("v")
            returns(values(1), store:connect("127.0.0.1", 4321))
            returns(values("v"), store:get("k"))
        end)
    end

    case("a request that cannot be sent breaks the connection, too", function()
        local store, sock = connected(value_reply("v"))
        sock.send_error = "timeout"
        returns(values(nil, "timeout"), store:set("k", "v"))
        equal(true, sock.closed)
        returns(values(nil, "closed"), store:set_keepalive())
        equal(0, sock.keepalive_count)
    end)
end


local function life_of_a_connection()
    case("nothing but set_timeout works before connect", function()
        local store = assert(dshm:new())
        local calls = {
            { "get", "k" }, { "set", "k", "v" }, { "touch", "k" }, { "delete", "k" }, { "incr", "k" },
            { "rate_limiter", "k", 1, 1 }, { "flush_all" }, { "quit" }, { "close" }, { "set_keepalive" },
            { "get_reused_times" },
        }
        for _, call in ipairs(calls) do
            returns(values(nil, "not initialized"), store[call[1]](store, unpack(call, 2)))
        end
        store.sock = scripted_socket.new()
        returns(values(1), store:set_timeout(250))
        equal(250, store.sock.timeout_millis)
    end)

    case("connect passes on what it was given, and no nil", function()
        local store, sock = connected()
        equal(2, sock.connect_arguments.n)
        returns(values(1), store:connect("127.0.0.1", 4321, nil))
        equal(2, sock.connect_arguments.n)
        local opts = { pool = "p" }
        returns(values(1), store:connect("127.0.0.1", 4321, opts))
        equal(3, sock.connect_arguments.n)
        equal(opts, sock.connect_arguments[3])
        returns(values(1), store:connect("unix:/run/dshm.sock"))
        equal(1, sock.connect_arguments.n)
        returns(values(1), store:connect("unix:/run/dshm.sock", opts))
        equal(opts, sock.connect_arguments[2])
        returns(values(1), store:connect("unix:/run/dshm.sock", nil, opts))
        equal(opts, sock.connect_arguments[2])
    end)

    case("after close, quit or set_keepalive the connection is closed", function()
        for _, ending in ipairs({ "close", "quit", "set_keepalive" }) do
            local store = connected("DONE\r\n")
            returns(values(1), store[ending](store))
            returns(values(nil, "closed"), store:get("k"))
            returns(values(nil, "closed"), store:set_keepalive())
        end
    end)

    case("a connection that the pool does not take is closed", function()
        local store, sock = connected()
        function sock.setkeepalive() return nil, "connection in dubious state" end
        returns(values(nil, "connection in dubious state"), store:set_keepalive())
        equal(true, sock.closed)
        returns(values(nil, "closed"), store:get("k"))
    end)
end


return function()
    requests_of_each_method()
    times_to_live()
    keys()
    arguments_that_cannot_be_sent()
    errors_from_the_server()
    replies_that_break_the_connection()
    life_of_a_connection()
end
