--- What a dict has beyond ngx.shared.DICT, and what other clients see of it, against a live server.

local dict = require("resty.dshm.dict")
local dshm = require("resty.dshm")
local tap = require("support.tap")

local case, equal, returns, values = tap.case, tap.equal, tap.returns, tap.values


-- Keys and values of a table, sorted, as one text.
local function shown(table_)
    local lines = {}
    for key, value in pairs(table_ or {}) do
        lines[#lines + 1] = tostring(key):sub(1, 20) .. "=" .. tostring(value):sub(1, 20)
    end
    table.sort(lines)
    return table.concat(lines, " ")
end


return function(host, port)
    local region = "lua-beyond-test-" .. ngx.worker.pid() .. "-" .. math.floor(ngx.now() * 1000)
    local function new(opts)
        opts = opts or {}
        opts.region, opts.host, opts.port, opts.read_timeout = region, host, port, 30000
        return dict.new(opts)
    end
    local d = new()

    local function live_case(name, body)
        case(name, function()
            d:flush_all()
            body()
        end)
    end

    live_case("mget: values by key, what is not there is not in it", function()
        returns(values(true, nil, false), d:set("a b", "\r\nDONE\r\n"))
        returns(values(true, nil, false), d:set("n", -0.5, 0, 7))
        returns(values(true, nil, false), d:set("f", false))
        local found, err, errors = d:mget({ "a b", "n", "f", "absent", 5 })
        equal("a b=\r\nDONE\r\n f=false n=-0.5", shown(found))
        equal(nil, err)
        equal(nil, errors)
        equal("f=false", shown(d:mget({ "f" })))
        equal("", shown(d:mget({})))
        returns(values(nil, "empty key"), d:mget({ "a b", "" }))
    end)

    live_case("mget: what cannot be read has an error of its own", function()
        d:lpush("l", 1)
        d:set("v", 1)
        local found, err, errors = d:mget({ "l", "v" })
        equal("v=1", shown(found))
        equal(nil, err)
        equal("l=value is a list", shown(errors))
        found, err, errors = d:mget({ "l" })
        equal("", shown(found))
        equal(nil, err)
        equal("l=value is a list", shown(errors))
    end)

    live_case("mget of more than fits into one request or one reply", function()
        local keys, expected = {}, 0
        for i = 1, 1500 do
            keys[i] = "k" .. i
        end
        for i = 1, 1500, 100 do
            d:set(keys[i], i)
            expected = expected + i
        end
        local sum = 0
        for key, value in pairs(assert(d:mget(keys))) do
            equal(key, "k" .. value)
            sum = sum + value
        end
        equal(expected, sum)

        local large = string.rep("x", 1500 * 1024)
        for i = 1, 4 do
            returns(values(true, nil, false), d:set("large" .. i, large .. i))
        end
        local found = assert(d:mget({ "large1", "large2", "large3", "large4" }))
        for i = 1, 4 do
            equal(large .. i, found["large" .. i])
        end

        local long = string.rep("\0", 65530)
        d:set(long .. 1, 1)
        d:set(long .. 2, 2)
        found = assert(d:mget({ long .. 1, long .. 2, long .. 3 }))
        equal(1, found[long .. 1])
        equal(2, found[long .. 2])
        equal(nil, found[long .. 3])
    end)

    live_case("gets and cas: a value is stored if nobody else has", function()
        returns(values(nil), d:gets("k"))
        returns(values(true, nil, false), d:cas("k", "first", nil))
        returns(values(false, "exists", false), d:cas("k", "second", nil))
        local value, flags, version = d:gets("k")
        equal("first", value)
        equal(nil, flags)
        returns(values(true, nil, false), d:cas("k", 2, version, 100, 7))
        returns(values(2, 7), d:get("k"))
        returns(values(false, "exists", false), d:cas("k", 3, version))
        value, flags, version = d:gets("k")
        equal(2, value)
        equal(7, flags)
        d:expire("k", 50)
        returns(values(false, "exists", false), d:cas("k", nil, version))
        version = select(3, d:gets("k"))
        returns(values(true, nil, false), d:cas("k", nil, version))
        returns(values(false, "not found", false), d:cas("k", nil, version))
        returns(values(false, "not found", false), d:cas("k", 1, version))
        d:lpush("l", 1)
        returns(values(nil, "value is a list"), d:gets("l"))
        equal(false, (pcall(d.cas, d, "k", 1, "x")))
        returns(values(nil, "bad value type"), d:cas("k", {}, version))
    end)

    live_case("multi: several writes of a key at once", function()
        local results = assert(d:multi("k", { { "incr", 5, 0, 100 }, { "incr", 1 }, { "expire", 200 } }))
        equal("1=5 2=6 3=true", shown(results))
        equal(6, d:get("k"))
        equal(true, d:ttl("k") > 150)
        results = assert(d:multi("l", { { "rpush", "a" }, { "rpush", 2 }, { "rpush", "\n" }, { "lpop" }, { "rpop" } }))
        equal("1=1 2=2 3=3 4=a 5=\n", shown(results))
        returns(values(1), d:llen("l"))
        results = assert(d:multi("s", { { "delete" }, { "add", "x", 0, 5 }, { "replace", "y" }, { "set", "z" } }))
        equal("1=true 2=true 3=true 4=true", shown(results))
        returns(values("z"), d:get("s"))
    end)

    live_case("multi: all or none", function()
        d:set("k", 1)
        returns(values(nil, "exists", 2), d:multi("k", { { "incr", 5 }, { "add", 1 }, { "incr", 1 } }))
        returns(values(1), d:get("k"))
        returns(values(nil, "not a number", 3), d:multi("k", { { "delete" }, { "set", "x" }, { "incr", 1 } }))
        returns(values(1), d:get("k"))
        local version = select(3, d:gets("k"))
        equal("1=true 2=true", shown(d:multi("k", { { "cas", 2, version }, { "expire", 50 } })))
        returns(values(nil, "exists", 1), d:multi("k", { { "cas", 2, version }, { "expire", 70 } }))
    end)

    live_case("multi: what cannot be is found before anything is sent", function()
        returns(values(nil, "bad value type", 2), d:multi("k", { { "set", 1 }, { "set", {} } }))
        returns(values(nil, "attempt to add or replace nil values", 1), d:multi("k", { { "add" } }))
        returns(values(nil, "nil key", 1), d:multi(nil, { { "set", 1 } }))
        for _, method in ipairs({ "get", "flush_all", "nonsense" }) do
            local ok, err = pcall(d.multi, d, "k", { { method } })
            equal(false, ok)
            equal("no write of one key: " .. method, err)
        end
        equal(false, (pcall(d.multi, d, "k", { { "set", 1, -1 } })))
        returns(values(nil), d:get("k"))
    end)

    live_case("get_keys: least recently written first, and only its own", function()
        for i = 1, 30 do
            d:set("k:" .. i, i)
        end
        d:incr("k:1", 1)
        local keys = d:get_keys(0)
        equal(30, #keys)
        equal("k:2", keys[1])
        equal("k:1", keys[30])
        equal("k:2 k:3", table.concat(d:get_keys(2), " "))

        local store = assert(dshm:new({ key_transform = { tostring, tostring } }))
        assert(store:connect(host, port))
        store:set(region .. ":other", "v")
        store:set(region .. "::", "v")
        store:set_keepalive()
        equal(30, #d:get_keys(0))
    end)

    live_case("what a dict writes and resty.dshm reads, and the other way", function()
        local store = assert(dshm:new())
        assert(store:connect(host, port))
        d:set("a b:c", "text")
        returns(values("text"), store:get(region .. "::a b:c"))
        d:set("n", 1.5)
        returns(values("1.5"), store:get(region .. "::n"))
        returns(values("5"), store:set(region .. "::raw", 5))
        returns(values("5"), d:get("raw"))
        returns(values(6), d:incr("raw", 1))
        returns(values(6), d:get("raw"))
        d:lpush("l", 1)
        returns(values(nil, "bad_request"), store:get(region .. "::l"))
        store:set_keepalive()
    end)

    live_case("linearizable reads", function()
        local linearizable = new({ read = "linearizable" })
        d:set("k", "v", 100)
        returns(values("v"), linearizable:get("k"))
        equal(true, linearizable:ttl("k") > 0)
        equal("k=v", shown(linearizable:mget({ "k", "absent" })))
        equal("k", table.concat(linearizable:get_keys(), " "))
        returns(values(nil), linearizable:get("absent"))
        returns(values("v", nil, false), linearizable:get_stale("k"))
        equal(true, linearizable:capacity() > 0)
    end)

    live_case("a counter of many light threads counts exactly", function()
        local threads = {}
        for i = 1, 150 do
            threads[i] = ngx.thread.spawn(function()
                for _ = 1, 10 do
                    assert(d:incr("n", 1, 0, 100))
                end
            end)
        end
        for _, thread in ipairs(threads) do
            assert(ngx.thread.wait(thread))
        end
        returns(values(1500), d:get("n"))
    end)

    live_case("a value that is too large fits into no dict", function()
        returns(values(false, "no memory", false), d:set("k", string.rep("x", 33 * 1024 * 1024)))
        returns(values(nil, "no memory"), d:lpush("l", string.rep("x", 65537)))
        returns(values(nil), d:get("k"))
    end)

    d:flush_all()
end
