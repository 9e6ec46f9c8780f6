--- `resty.dshm.limit.req`: what one call after the other returns, and how many of many at once are admitted.

local dict = require("resty.dshm.dict")
local scripted_network = require("support.scripted_network")
local tap = require("support.tap")

local case, equal, returns, values = tap.case, tap.equal, tap.returns, tap.values


-- A limiter whose entry is a table, and a clock.
local function scripted(rate, burst)
    local network = scripted_network.new()
    local req = network:load("resty.dshm.limit.req")
    local entry = { version = 0 }
    function entry:gets()
        if not self.value then
            return nil
        end
        return self.value, nil, tostring(self.version)
    end
    function entry:cas(_, value, version, exptime)
        if version ~= (self.value and tostring(self.version) or nil) then
            return false, "exists", false
        end
        self.value, self.version, self.exptime = value, self.version + 1, exptime
        return true, nil, false
    end
    return network, assert(req.new(entry, rate, burst)), entry
end


local function alone()
    case("limit.req: the delay and the excess are those of lua-resty-limit-traffic", function()
        local network, limit, entry = scripted(10, 2)
        returns(values(0, 0), limit:incoming("k", true))
        equal(0.1, entry.exptime)
        returns(values(0.1, 1), limit:incoming("k", true))
        returns(values(0.2, 2), limit:incoming("k", true))
        equal(true, math.abs(entry.exptime - 0.3) < 1e-9)
        returns(values(nil, "rejected"), limit:incoming("k", true))
        network.time = network.time + 0.1
        returns(values(0.2, 2), limit:incoming("k"))
        returns(values(0.2, 2), limit:incoming("k", true))
        returns(values(true), limit:uncommit("k"))
        returns(values(0.2, 2), limit:incoming("k", true))
        network.time = network.time + 1
        returns(values(0, 0), limit:incoming("k", true))
        equal(16, #entry.value)
    end)

    case("limit.req: rate and burst can be changed", function()
        local _, limit = scripted(10, 0)
        returns(values(0, 0), limit:incoming("k", true))
        limit:set_burst(1)
        limit:set_rate(100)
        returns(values(0.01, 1), limit:incoming("k", true))
        returns(values(nil, "rejected"), limit:incoming("k", true))
    end)

    case("limit.req: a clock that is behind counts nothing as elapsed, and turns back no time", function()
        local network, limit, entry = scripted(10, 1)
        returns(values(0, 0), limit:incoming("k", true))
        network.time = network.time - 100
        returns(values(0.1, 1), limit:incoming("k", true))
        returns(values(nil, "rejected"), limit:incoming("k", true))
        network.time = network.time + 100
        returns(values(nil, "rejected"), limit:incoming("k", true))
        equal(true, entry.exptime <= 0.2 + 1e-9)
    end)

    case("limit.req: what is no dict, and no entry, of its own", function()
        local req = require("resty.dshm.limit.req")
        returns(values(nil, "shared dict not found"), req.new("absent", 1, 0))
        returns(values(nil, "not a dict of resty.dshm"), req.new("native", 1, 0))
        local _, limit, entry = scripted(1, 0)
        returns(values(nil, "not found"), limit:uncommit("k"))
        entry.value = "something else"
        returns(values(nil, "shdict abused by other users"), limit:incoming("k", true))
        returns(values(nil, "shdict abused by other users"), limit:uncommit("k"))
        function entry.gets()
            return nil, "busy"
        end
        returns(values(nil, "busy"), limit:incoming("k", true))
        returns(values(nil, "busy"), limit:uncommit("k"))
    end)
end


local function together(host, port)
    local region = "lua-limit-test-" .. ngx.worker.pid() .. "-" .. math.floor(ngx.now() * 1000)
    local req = require("resty.dshm.limit.req")
    local d = dict.new({ region = region, host = host, port = port, read_timeout = 30000 })

    for _, burst in ipairs({ 0, 9 }) do
        case("limit.req: 100 calls at once, and exactly " .. burst + 1 .. " are admitted", function()
            -- one in 1,000 seconds
            local limit = assert(req.new(d, 0.001, burst))
            local results, threads = {}, {}
            for i = 1, 100 do
                threads[i] = ngx.thread.spawn(function()
                    local delay, err = limit:incoming("burst " .. burst, true)
                    local result = delay and "admitted" or err
                    results[result] = (results[result] or 0) + 1
                end)
            end
            for _, thread in ipairs(threads) do
                assert(ngx.thread.wait(thread))
            end
            equal(burst + 1, results.admitted)
            equal(99 - burst, results.rejected)
        end)
    end

    case("limit.req: uncommit gives back exactly what incoming took", function()
        local limit = assert(req.new(d, 0.001, 20))
        local threads = {}
        for i = 1, 20 do
            threads[i] = ngx.thread.spawn(function()
                assert(limit:incoming("back", true))
                assert(limit:uncommit("back"))
            end)
        end
        for _, thread in ipairs(threads) do
            assert(ngx.thread.wait(thread))
        end
        local _, excess = assert(limit:incoming("back", true))
        -- the first one found nothing, and all others one
        equal(true, excess <= 1)
    end)
end


return function(host, port)
    alone()
    if port then
        together(host, port)
    end
end
