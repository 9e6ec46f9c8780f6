--- Every method against a live server. Keys are in a region of this run's own, but the default region is flushed.

local dshm = require("resty.dshm")
local tap = require("support.tap")

local case, equal, returns, values = tap.case, tap.equal, tap.returns, tap.values

local AS_IT_IS = { key_transform = { function(key) return key end, function(key) return key end } }


return function(host, port)
    local region = "lua-test-" .. ngx.worker.pid() .. "-" .. math.floor(ngx.now() * 1000)
    local pool = region

    local function connected(opts)
        local store = assert(dshm:new(opts))
        store:set_timeout(5000)
        assert(store:connect(host, port, { pool = pool }))
        return store
    end

    local function key(name)
        return region .. "::" .. name
    end

    -- Runs a case on a connection of its own, which must be in step with the server at the end.
    local function live_case(name, body)
        case(name, function()
            local store = connected()
            body(store)
            returns(values(nil, "not found"), store:get(key("never set")))
            returns(values(1), store:set_keepalive(10000, 10))
        end)
    end

    -- Repeats a check until it holds. The bound is generous, for slow machines; it is only reached by a failure.
    local function eventually(check)
        local deadline = ngx.now() + 10
        repeat
            if check() then
                return
            end
            ngx.sleep(0.02)
            ngx.update_time()
        until ngx.now() > deadline
        error("did not happen within 10 s", 2)
    end

    live_case("a miss is 'not found'", function(store)
        returns(values(nil, "not found"), store:get(key("miss")))
    end)

    live_case("set without a TTL, get, delete", function(store)
        returns(values("value"), store:set(key("k"), "value"))
        returns(values("value"), store:get(key("k")))
        returns(values(1), store:delete(key("k")))
        returns(values(nil, "not found"), store:get(key("k")))
        returns(values(1), store:delete(key("k")))
    end)

    live_case("numbers as values", function(store)
        returns(values("10"), store:set(key("number"), 10))
        returns(values("11"), store:incr(key("number")))
        returns(values("1.5"), store:set(key("number"), 1.5, 60))
        returns(values("1000000000000000"), store:set(key("number"), 1e15, 60))
        returns(values("1000000000000001"), store:incr(key("number")))
    end)

    local bytes = {}
    for byte = 0, 255 do
        bytes[byte + 1] = string.char(byte)
    end
    local binary_values = {
        { "all 256 bytes", table.concat(bytes) },
        { "empty", "" },
        { "commands", "\r\nDONE\r\nFLUSHALL\r\nQUIT\r\nSET k 0 1\r\n" },
        { "leading zeros", "007" },
        { "1 MiB", string.rep(table.concat(bytes), 4096) },
    }
    for _, c in ipairs(binary_values) do
        local name, value = c[1], c[2]
        live_case("a value comes back unchanged: " .. name, function(store)
            returns(values(value), store:set(key("binary"), value, 60))
            returns(values(value), store:get(key("binary")))
        end)
    end

    live_case("keys are escaped piece by piece on the wire", function(store)
        local raw = connected(AS_IT_IS)
        returns(values("v"), store:set(key("with space\r\n\0\xC3\xA9"), "v", 60))
        returns(values("v"), raw:get(region .. "::with%20space%0D%0A%00%C3%A9"))
        returns(values("v"), store:get(key("with space\r\n\0\xC3\xA9")))
        raw:close()
    end)

    live_case("a key of full length", function(store)
        local long = key(string.rep("k", 65535 - #key("")))
        returns(values("v"), store:set(long, "v", 60))
        returns(values("v"), store:get(long))
        returns(values(1), store:delete(long))
    end)

    live_case("a small TTL ends", function(store)
        returns(values("v"), store:set(key("short"), "v", 0.05))
        eventually(function() return select(2, store:get(key("short"))) == "not found" end)
        returns(values("v"), store:set(key("shortest"), "v", 0.0001))
        eventually(function() return select(2, store:get(key("shortest"))) == "not found" end)
    end)

    live_case("touch sets the TTL, takes it away, and does not mind an absent key", function(store)
        returns(values("v"), store:set(key("touched"), "v"))
        returns(values(1), store:touch(key("touched"), 0.05))
        eventually(function() return select(2, store:get(key("touched"))) == "not found" end)

        returns(values("v"), store:set(key("kept"), "v", 2))
        returns(values(1), store:touch(key("kept")))
        ngx.sleep(2.2)
        returns(values("v"), store:get(key("kept")))

        returns(values(1), store:touch(key("absent"), 10))
    end)

    live_case("incr", function(store)
        returns(values("1"), store:incr(key("counter")))
        returns(values("3"), store:incr(key("counter"), 2))
        returns(values("-7"), store:incr(key("counter"), -10, 100))
        returns(values("105"), store:incr(key("initialised"), 5, 100))
        returns(values("1"), store:incr(key("passing"), 1, 0, 0.05))
        eventually(function() return select(2, store:get(key("passing"))) == "not found" end)
    end)

    live_case("incr of 64 bits, and beyond", function(store)
        local max = "9223372036854775807"
        returns(values(max), store:incr(key("large"), max))
        returns(values(nil, "overflow"), store:incr(key("large")))
        returns(values(max), store:get(key("large")))
    end)

    live_case("incr of what is no integer changes nothing", function(store)
        returns(values("text"), store:set(key("text"), "text", 60))
        returns(values("text"), store:incr(key("text")))
        returns(values("text"), store:get(key("text")))
    end)

    live_case("rate_limiter grants its capacity, then rejects", function(store)
        for left = 2, 0, -1 do
            returns(values(tostring(left)), store:rate_limiter(key("limiter"), 3, 60))
        end
        returns(values(nil, "rejected"), store:rate_limiter(key("limiter"), 3, 60))
        returns(values("0"), store:get(key("limiter")))
        returns(values(nil, "bad_request"), store:incr(key("limiter")))
        returns(values(1), store:delete(key("limiter")))
        returns(values("2"), store:rate_limiter(key("limiter"), 3, 60))
    end)

    live_case("rate_limiter grants again when its window has passed", function(store)
        returns(values("0"), store:rate_limiter(key("brief"), 1, 0.2))
        eventually(function() return store:rate_limiter(key("brief"), 1, 0.2) == "0" end)
    end)

    live_case("rate_limiter on a plain key is an error of the server", function(store)
        returns(values("v"), store:set(key("plain"), "v", 60))
        returns(values(nil, "bad_request"), store:rate_limiter(key("plain"), 1, 1))
    end)

    live_case("flush_all empties one region", function(store)
        returns(values("v"), store:set(key("flushed"), "v"))
        returns(values("v"), store:set(region .. " other::kept", "v"))
        returns(values("v"), store:set(region .. "-in-default", "v"))

        returns(values(1), store:flush_all(region))
        returns(values(nil, "not found"), store:get(key("flushed")))
        returns(values("v"), store:get(region .. " other::kept"))
        returns(values("v"), store:get(region .. "-in-default"))

        returns(values(1), store:flush_all())
        returns(values(nil, "not found"), store:get(region .. "-in-default"))
        returns(values("v"), store:get(region .. " other::kept"))

        returns(values(1), store:flush_all(region .. " other"))
        returns(values(nil, "not found"), store:get(region .. " other::kept"))
    end)

    case("set_keepalive hands the connection to the next client", function()
        local store = connected()
        returns(values("v"), store:set(key("pooled"), "v", 60))
        returns(values(1), store:set_keepalive())
        returns(values(nil, "closed"), store:get(key("pooled")))

        local next_store = connected()
        local reused_times, err = next_store:get_reused_times()
        equal(nil, err)
        equal(true, reused_times > 0)
        returns(values("v"), next_store:get(key("pooled")))

        returns(values(1), next_store:close())
        returns(values(nil, "closed"), next_store:close())
    end)

    case("connect works without options, and again after close", function()
        local store = assert(dshm.new())
        returns(values(1), store:connect(host, port))
        returns(values(nil, "not found"), store:get(key("never set")))
        returns(values(1), store:close())
        returns(values(1), store:connect(host, port, nil))
        returns(values(nil, "not found"), store:get(key("never set")))
        returns(values(1), store:close())
    end)

    case("the socket is in reach, for settimeouts", function()
        local store = assert(dshm:new())
        store.sock:settimeouts(1000, 2000, 3000)
        returns(values(1), store:connect(host, port))
        returns(values(nil, "not found"), store:get(key("never set")))
        returns(values(1), store:set_keepalive(nil))
    end)

    case("quit takes leave and closes", function()
        local store = connected()
        returns(values(1), store:quit())
        returns(values(nil, "closed"), store:get(key("k")))
        returns(values(nil, "closed"), store:set_keepalive())
    end)
end
