--- Calls where Lua cannot yield: nothing is sent. Without the checks nginx's worker dies with signal 11.

local dict = require("resty.dshm.dict")
local dshm = require("resty.dshm")
local ffi = require("ffi")
local tap = require("support.tap")

local case, equal, returns, values = tap.case, tap.equal, tap.returns, tap.values

local CANNOT_YIELD = "no sockets here: Lua cannot yield here"


local function collected(call)
    local garbage = newproxy(true)
    getmetatable(garbage).__gc = call
    garbage = nil -- luacheck: ignore
    collectgarbage()
end


-- Places that call a function where it cannot yield.
local places = {
    ["the __gc of a userdata"] = collected,
    -- what resty.lock has
    ["the __gc of a cdata"] = function(call)
        ffi.gc(ffi.new("int[1]"), call)
        collectgarbage()
    end,
    ["table.sort"] = function(call)
        table.sort({ 1, 2 }, function(a, b)
            call()
            return a < b
        end)
    end,
    ["string.gsub"] = function(call)
        string.gsub("a", "a", function() call() end)
    end,
    ["require"] = function(call)
        package.preload["required by yield_test"] = call
        package.loaded["required by yield_test"] = nil
        require("required by yield_test")
    end,
}


-- What a call returned there. It may be made more than once.
local function returned(place, call)
    local results
    place(function()
        results = values(call())
    end)
    return unpack(assert(results, "it was not called"), 1, results.n)
end


return function(socket_path, host, port)
    for name, place in pairs(places) do
        case("a dict sends nothing in " .. name, function()
            local d = dict.new({ region = "r", host = "unix:" .. socket_path })
            returns(values(nil, CANNOT_YIELD), returned(place, function() return d:get("k") end))
            returns(values(nil, CANNOT_YIELD), returned(place, function() return d:incr("k", 1) end))
            returns(values(false, CANNOT_YIELD, false), returned(place, function() return d:delete("k") end))
        end)

        case("a connection sends nothing in " .. name .. ", and can be used afterwards", function()
            local store = dshm:new()
            returns(values(nil, CANNOT_YIELD), returned(place, function()
                return store:connect("unix:" .. socket_path)
            end))
            store = dshm:new()
            store:set_timeout(5000)
            assert(store:connect("unix:" .. socket_path))
            returns(values(nil, CANNOT_YIELD), returned(place, function() return store:get("k") end))
            returns(values(nil, CANNOT_YIELD), returned(place, function() return store:quit() end))
            equal(nil, store.unusable)
            -- what nginx says of such a request
            returns(values(nil, "protocol_error"), store:get("k"))
        end)
    end

    case("without the C function of LuaJIT by its name, FFI finds it", function()
        local loadlib, loaded = package.loadlib, package.loaded["resty.dshm"]
        rawset(package, "loadlib", function() return nil end)
        package.loaded["resty.dshm"] = nil
        local ok, fresh = pcall(require, "resty.dshm")
        rawset(package, "loadlib", loadlib)
        package.loaded["resty.dshm"] = loaded
        assert(ok, fresh)
        local store = fresh:new()
        returns(values(nil, CANNOT_YIELD), returned(collected, function()
            return store:connect("unix:" .. socket_path)
        end))
        equal(1, (store:connect("unix:" .. socket_path)))
    end)

    if not port then
        return
    end

    case("a call of a __gc is queued, if the dict has a queue", function()
        local region = "lua-yield-test-" .. math.floor(ngx.now() * 1000)
        local d = dict.new({ region = region, host = host, port = port, queue = true })
        returns(values(true, nil, false), d:set("lock", true, 60))
        returns(values(true, nil, false), returned(collected, function() return d:delete("lock") end))
        local deadline = ngx.now() + 10
        while d:get("lock") do
            assert(ngx.now() < deadline, "it did not happen in time")
            ngx.sleep(0.01)
        end
    end)
end
