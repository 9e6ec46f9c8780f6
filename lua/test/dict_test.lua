--- Every method of a dict beside the native one, call by call.

local dict = require("resty.dshm.dict")
local differential = require("support.differential")
local tap = require("support.tap")

local case = tap.case

local METHODS = {
    "add", "capacity", "delete", "expire", "flush_all", "flush_expired", "free_space", "get", "get_keys", "get_stale",
    "incr", "llen", "lpop", "lpush", "replace", "rpop", "rpush", "safe_add", "safe_set", "set", "ttl",
}

-- What a random sequence is made of.
local KEYS = {
    "a", "A", "k l", "a:b", ":", "::", "%41", "a+b", "a%2Bb", "\0", "line\r\nFLUSHALL", "\xC3\xA9", "\xFF\x7F\x01", 5,
    1.5, true, false, "!'()*", "~-._", string.rep("k", 65535), string.rep("\0", 65535),
}
local VALUES = {
    "", "v", "\0\r\n\r\nDONE\r\n", string.rep("x", 5000), "007", "true", 0, -0.0, 1, -1.5, 0.1, 1e300, -1e-300, 2 ^ 53,
    2 ^ 63, 5e-324, 1 / 0, -1 / 0, 0 / 0, true, false,
}
-- No time to live here, or below, may run out by itself while a test runs.
local EXPTIMES = { false, 0, 100, 3600.5, 1e10, 1 / 0, 0 / 0 }
local FLAGS = { false, 0, 1, 7, 1.9, 2 ^ 31 - 1, true }
local NUMBERS = { 1, -1, 0.5, "2", 1e300, -0.0 }
local NONSENSE = { -1, "x", true, {}, "500" }


-- Entries that have expired are purged natively when they are the least recently used ones. One that is older and does
-- not expire keeps them, so that both dicts show them.
local function with_anchor(native, ours)
    native:flush_all()
    native:flush_expired()
    ours:flush_all()
    for _, d in ipairs({ native, ours }) do
        assert(d:set("anchor", 1))
    end
end


-- Waits until an entry has expired in both. What expired 5 ms ago is "not found" for the native `ttl`, by mistake: 5 is
-- also what that means.
local function await_expiry(native, ours, key)
    local deadline = ngx.now() + 10
    while native:get(key) ~= nil or ours:get(key) ~= nil or (native:ttl(key) or 0) > -0.006 do
        assert(ngx.now() < deadline, "an entry did not expire")
        ngx.sleep(0.01)
    end
end


local function scripted(native, ours)
    local both = differential.pair(native, ours)
    local function scene(name, body)
        case(name, function()
            with_anchor(native, ours)
            body()
        end)
    end

    for _, value in ipairs(VALUES) do
        local shown = tostring(value):sub(1, 10):gsub("%c", "?")
        scene("a value comes back as it went in: " .. type(value) .. " " .. shown, function()
            both("set", "k", value)
            both("get", "k")
            both("get_stale", "k")
            both("set", "k", value, 0, 5)
            both("get", "k")
            both("get_stale", "k")
            both("ttl", "k")
        end)
    end

    for _, key in ipairs(KEYS) do
        scene("any bytes are a key: " .. tostring(key):sub(1, 12):gsub("%c", "?"), function()
            both("set", key, "v")
            both("get", key)
            both("get", tostring(key))
            both("incr", key, 1)
            both("get_keys")
            both("replace", key, 1, 100, 3)
            both("incr", key, 1)
            both("get", key)
            both("ttl", key)
            both("expire", key, 1000)
            both("delete", key)
            both("get", key)
            both("lpush", key, "e")
            both("llen", key)
            both("rpop", key)
            both("rpush", key, 1)
            both("lpop", key)
            both("get_keys")
        end)
    end

    for _, method in ipairs({ "set", "safe_set", "add", "safe_add", "replace" }) do
        scene(method, function()
            both(method, "k", "v")
            both(method, "k", "w", 100)
            both("get", "k")
            both(method, "there", 1)
            both("set", "there", 1, 100, 9)
            both(method, "there", 2)
            both("get", "there")
            both("ttl", "there")
            both(method, "list", 1)
            both("delete", "list")
            both("lpush", "list", 1)
            both(method, "list", "no list any more")
            both("get", "list")
        end)

        scene(method .. " with what cannot be", function()
            both("set", "there", 1)
            for _, key in ipairs({ "there", "absent" }) do
                both(method, key, nil)
                both("get", key)
                both(method, key)
                both(method, key, {})
                both(method, key, print)
                for _, nonsense in ipairs(NONSENSE) do
                    both(method, key, 1, nonsense)
                    both("get", key)
                    both(method, key, nil, nonsense)
                end
                for _, nonsense in ipairs({ "x", {}, print, 0.9, -0.9 }) do
                    both(method, key, 1, 0, nonsense)
                    both("get", key)
                end
            end
            both(method, nil, 1)
            both(method, "", 1)
            both(method, string.rep("k", 65536), 1)
            both(method, nil, {}, -1)
            both(method, "", {}, 1, {})
        end)
    end

    scene("times to live", function()
        for _, exptime in ipairs({ 0, 60, 100, 3600.5, 1e10, 1e17, 1e300, 1 / 0, 0 / 0 }) do
            both("set", "k", 1, exptime)
            both("ttl", "k")
            both("expire", "k", 50)
            both("ttl", "k")
            both("expire", "k", exptime)
            both("ttl", "k")
            both("incr", "k" .. exptime, 1, 0, exptime)
            both("ttl", "k" .. exptime)
        end
        both("expire", "k", -5)
        both("ttl", "k")
        both("expire", "k", "70")
        both("ttl", "k")
        both("expire", "absent", 5)
        both("ttl", "absent")
        for _, nonsense in ipairs({ "x", true, {}, print }) do
            both("expire", "k", nonsense)
        end
        both("expire", "k")
        both("expire", "k", false)
        for _, key in ipairs({ false, "" }) do
            both("expire", key or nil, 1)
            both("expire", key or nil)
            both("ttl", key or nil)
        end
        both("ttl", string.rep("k", 65536))
        both("expire", string.rep("k", 65536), 1)
    end)

    scene("incr", function()
        both("incr", "n", 1)
        both("incr", "n", 1, 10)
        both("incr", "n", 1, 10)
        both("incr", "n", -0.5)
        both("incr", "n", "3")
        both("incr", "n", 1, "5")
        both("incr", "window", 1, 0, 100)
        both("ttl", "window")
        both("incr", "window", 1, 0, 50)
        both("ttl", "window")
        both("incr", "window", 1, 0, "70")
        both("incr", "n", 1, false)
        both("incr", "absent", 1, false)
        both("incr", "n", 2 ^ 53)
        both("incr", "n", 1 / 0)
        both("incr", "n", -1 / 0)
        both("get", "n")
        both("incr", "zero", -0.0, -0.0)
        both("get", "zero")
        both("set", "flagged", 1, 100, 9)
        both("incr", "flagged", 1)
        both("incr", "flagged", 1, 0, 7)
        both("get", "flagged")
        both("ttl", "flagged")
        for _, value in ipairs({ "1", "x", true, false }) do
            both("set", "no number", value)
            both("incr", "no number", 1)
            both("incr", "no number", 1, 0)
            both("get", "no number")
        end
        both("delete", "list")
        both("lpush", "list", 1)
        both("incr", "list", 1, 0)
        for _, nonsense in ipairs({ "x", true, {}, print }) do
            both("incr", "n", nonsense)
            both("incr", "n", 1, nonsense)
            both("incr", "n", 1, 0, nonsense)
            both("incr", "n", nonsense, nonsense, nonsense)
        end
        both("incr", "n")
        both("incr", "n", 1, 0, -1)
        both("incr", "n", 1, 0, false)
        both("incr", "n", 1, nil, 5)
        both("incr", "n", 1, false, 5)
        both("incr", nil, "x")
        both("incr", "", 1)
        both("incr", string.rep("k", 65536), 1)
        both("get", "n")
    end)

    scene("lists", function()
        both("llen", "l")
        both("lpop", "l")
        both("rpop", "l")
        for i, value in ipairs({ "b", "", "\0\r\n", 1, -0.0, 0.1, 1 / 0, 0 / 0 }) do
            both(i % 2 == 0 and "lpush" or "rpush", "l", value)
            both("llen", "l")
        end
        both("get", "l")
        both("get_stale", "l")
        both("ttl", "l")
        both("expire", "l", 100)
        both("rpush", "l", 1)
        both("ttl", "l")
        both("add", "l", 1)
        for _ = 1, 5 do
            both("lpop", "l")
            both("rpop", "l")
            both("llen", "l")
        end
        both("get", "l")
        both("add", "l", 1)
        for _, method in ipairs({ "lpush", "rpush" }) do
            both(method, "l", 1)
            both(method, "l", true)
            both(method, "l", nil)
            both(method, "l", {})
            both(method, "l")
            both(method)
            both(method, "l", 1, 2)
            both(method, nil, 1)
            both(method, "", 1)
            both(method, true, 1)
            both(method, {}, 1)
            both(method, string.rep("k", 65536), 1)
        end
        for _, method in ipairs({ "lpop", "rpop", "llen" }) do
            both(method, "l")
            both(method)
            both(method, "l", 1)
            both(method, nil)
            both(method, "")
            both(method, true)
            both(method, {})
            both(method, string.rep("k", 65536))
        end
    end)

    scene("get, get_stale and delete with what cannot be", function()
        for _, method in ipairs({ "get", "get_stale", "delete" }) do
            both(method)
            both(method, nil)
            both(method, "")
            both(method, string.rep("k", 65536))
            both(method, "absent")
            both(method, {})
        end
    end)

    scene("what is expired and not yet purged", function()
        both("set", "s", "v", 0.05, 5)
        both("incr", "n", 1, 0, 0.05)
        both("set", "freed", true, 0.05)
        both("lpush", "l", "v")
        both("expire", "l", 0.05)
        for _, key in ipairs({ "s", "n", "freed", "l" }) do
            await_expiry(native, ours, key)
        end
        for _, key in ipairs({ "s", "n", "freed", "l" }) do
            both("get", key)
            both("get_stale", key)
            both("ttl", key)
            both("incr", key, 1)
            both("replace", key, 1)
            both("lpop", key)
            both("llen", key)
        end
        both("get_keys")
        both("expire", "s", 100)
        both("get", "s")
        both("ttl", "s")
        both("incr", "n", 5, 1)
        both("ttl", "n")
        both("rpush", "l", "w")
        both("ttl", "l")
        both("llen", "l")
        both("flush_expired")
        both("get_stale", "freed")
        both("ttl", "freed")
        both("expire", "freed", 5)
        both("add", "freed", 1)
        both("flush_expired")
        both("get_keys")
    end)

    scene("flush_expired and get_keys with a limit", function()
        for i = 1, 5 do
            both("set", "k" .. i, i, 0.05)
            both("set", "stays" .. i, i)
        end
        for i = 1, 5 do
            await_expiry(native, ours, "k" .. i)
        end
        for _, limit in ipairs({ 2, "1", 1.9, -1, 0 }) do
            both("flush_expired", limit)
        end
        both("get_keys", 0)
        both("get_keys", -1)
        both("get_keys", 100)
        tap.equal(#native:get_keys(2), #ours:get_keys(2))
        tap.equal(#native:get_keys("3"), #ours:get_keys("3"))
        for _, method in ipairs({ "get_keys", "flush_expired" }) do
            both(method, "x")
            both(method, nil)
            both(method, {})
            both(method, 1, 2)
        end
        both("flush_all")
        both("get_keys")
        both("get", "stays1")
    end)

    scene("no dict at all", function()
        for _, method in ipairs(METHODS) do
            for _, arguments in ipairs({ tap.values(), tap.values(nil), tap.values("x", "k", 1), tap.values({}, "k", 1),
                                         tap.values({}, "k"), tap.values({}) }) do
                local natively, native_err = pcall(native[method], unpack(arguments, 1, arguments.n))
                local here, err = pcall(ours[method], unpack(arguments, 1, arguments.n))
                tap.equal(natively, here)
                tap.equal(method .. ": " .. tostring(native_err):gsub("^[^:]+:%d+: ", ""),
                          method .. ": " .. tostring(err):gsub("^[^:]+:%d+: ", ""))
            end
        end
    end)

    case("there is every method that the native dict has", function()
        local natively = {}
        for method, value in pairs(getmetatable(native).__index) do
            natively[#natively + 1] = type(value) == "function" and method or nil
        end
        table.sort(natively)
        tap.equal(table.concat(natively, " "), table.concat(METHODS, " "))
    end)

    case("capacity and free_space are bytes", function()
        local capacity, free = ours:capacity(), ours:free_space()
        tap.equal("number", type(capacity))
        tap.equal(true, free > 0 and free <= capacity)
    end)

    case("flags are an int, as natively", function()
        for _, flags in ipairs({ 0, 1, 2 ^ 31 - 1, -1, -2 ^ 31 }) do
            native:set("flags", 1, 0, flags)
            tap.returns(tap.values(true, nil, false), ours:set("flags", 1, 0, flags))
            tap.returns(tap.values(native:get("flags")), ours:get("flags"))
        end
        -- natively, what is larger depends on the machine
        ours:set("flags", 1, 0, 2 ^ 32 - 1)
        tap.equal(-1, select(2, ours:get("flags")))
    end)

    case("the metatable of dicts is the table of their methods: what is added to it, they have", function()
        for _, d in ipairs({ native, ours }) do
            local methods = getmetatable(d)
            tap.equal(methods, methods.__index)
            tap.equal(d.get, methods.get)
            methods.added_by_test = function(self, key)
                return self:get(key)
            end
            d:set("added", "v")
            tap.equal("v", d:added_by_test("added"))
            methods.added_by_test = nil
        end
    end)
end


local function any(list)
    return list[math.random(#list)]
end


-- One random call on both.
local function step(native, ours, both)
    local key = any(KEYS)
    local dice = math.random(100)
    if dice <= 14 then
        both("get", key)
    elseif dice <= 18 then
        both("get_stale", key)
    elseif dice <= 40 then
        both(any({ "set", "safe_set", "add", "safe_add", "replace" }), key, any(VALUES), any(EXPTIMES), any(FLAGS))
    elseif dice <= 44 then
        both("delete", key)
    elseif dice <= 54 then
        both("incr", key, any(NUMBERS))
    elseif dice <= 62 then
        both("incr", key, any(NUMBERS), any(NUMBERS), any({ 0, 100, 3600 }))
    elseif dice <= 72 then
        both(any({ "lpush", "rpush" }), key, any(VALUES))
    elseif dice <= 82 then
        both(any({ "lpop", "rpop", "llen" }), key)
    elseif dice <= 86 then
        both("ttl", key)
    elseif dice <= 90 then
        both("expire", key, any(EXPTIMES) or 500)
    elseif dice <= 92 then
        both(any({ "set", "add", "replace", "incr" }), key, any(VALUES), any(NONSENSE), any(NONSENSE))
    elseif dice <= 94 then
        both("get_keys", 0)
    elseif dice <= 96 then
        -- one that expires, right away
        both("set", key, any(VALUES), 0.02, any(FLAGS))
        await_expiry(native, ours, key)
        both("get_stale", key)
    elseif dice <= 99 then
        -- which ones go first is not said, so none may stay
        both("flush_expired", 0)
    else
        both("flush_all")
        with_anchor(native, ours)
    end
end


return function(host, port)
    local native = ngx.shared.native
    local ours = dict.new({
        region = "lua-dict-test-" .. ngx.worker.pid() .. "-" .. math.floor(ngx.now() * 1000),
        host = host,
        port = port,
        read_timeout = 30000,
    })
    scripted(native, ours)

    local seed = tonumber(os.getenv("DSHM_TEST_SEED")) or math.floor(ngx.now() * 1000) % 2 ^ 31
    math.randomseed(seed)
    for sequence = 1, 10 do
        case("random calls, sequence " .. sequence .. " of DSHM_TEST_SEED=" .. seed, function()
            with_anchor(native, ours)
            local both = differential.pair(native, ours)
            for _ = 1, 300 do
                step(native, ours, both)
            end
        end)
    end
    ours:flush_all()
    native:flush_all()
end
