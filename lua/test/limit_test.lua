--- `resty.dshm.limit` and the modules in place of lua-resty-limit-traffic's: what they send and make of the replies,
-- and how many of many calls at once a server admits.

local limit_replies = require("support.limit_replies")
local tap = require("support.tap")

local case, equal, returns, values = tap.case, tap.equal, tap.returns, tap.values
local says, says_all = limit_replies.says, limit_replies.says_all
local scripted, sent = limit_replies.scripted, limit_replies.sent


local function take()
    case("limit.take: the rule in words, and the decision in a table", function()
        local network, limits = scripted()
        network:on("a:1", says("allowed=1 limit=100 remaining=99 reset=600 retry=0"))
        local decision = assert(limits:take("a b:c", { limit = 100, period = 60 }))
        equal("TAKE r::a%20b:c gcra 100 60\r\n", sent(network))
        equal(true, decision.allowed)
        equal(100, decision.limit)
        equal(99, decision.remaining)
        equal(0.6, decision.reset)
        equal(0, decision.retry)
        equal(nil, decision.delay)
        equal(nil, decision.would)

        network:on("a:1", says("allowed=1 limit=5 remaining=0 reset=2500 retry=-1 delay=1250 would=0"))
        decision = assert(limits:take("k", {
            algorithm = "leaky", limit = 2, period = 0.25, burst = 4, cost = 7, shadow = true, share = true,
        }))
        equal("TAKE r::k leaky 2 0.250 burst=4 cost=7 shadow=yes share=yes\r\n", sent(network))
        equal(false, decision.would)
        equal(nil, decision.retry)
        equal(1.25, decision.delay)

        network:on("a:1", says("allowed=0 limit=5 remaining=0 reset=1 retry=1"))
        equal(false, limits:take("k", { policy = "api v2", cost = -3 }).allowed)
        equal("TAKE r::k policy=api%20v2 cost=-3\r\n", sent(network))

        network:on("a:1", says("allowed=1 limit=5 remaining=5 reset=0 retry=0"))
        equal(5, limits:peek("k", { algorithm = "log", limit = 1e12, period = 315619200, cost = 9 }).remaining)
        equal("TAKE r::k log 1000000000000 315619200 cost=0\r\n", sent(network))
    end)

    case("limit.take: what cannot be asked is not sent", function()
        local network, limits = scripted()
        for _, c in ipairs({
            { "bad algorithm", { algorithm = "token", limit = 1, period = 1 } }, { "bad limit", { period = 1 } },
            { "bad limit", { limit = 1.5, period = 1 } }, { "bad limit", { limit = -1, period = 1 } },
            { "bad limit", { limit = 1e12 + 1, period = 1 } }, { "bad limit", { limit = 0 / 0, period = 1 } },
            { "bad period", { limit = 1 } }, { "bad period", { limit = 1, period = 0 } },
            { "bad period", { limit = 1, period = 0 / 0 } }, { "bad period", { limit = 1, period = 4e8 } },
            { "bad burst", { limit = 1, period = 1, burst = 0.5 } },
            { "bad burst", { algorithm = "fixed", limit = 1, period = 1, burst = 1 } },
            { "bad cost", { limit = 1, period = 1, cost = 0.5 } }, { "bad policy", { policy = "" } },
            { "bad cost", { limit = 1, period = 1, cost = "2" } },
        }) do
            returns(values(nil, c[1]), limits:take("k", c[2]))
        end
        returns(values(nil, "empty key"), limits:take("", { limit = 1, period = 1 }))
        equal("", sent(network))
    end)

    case("limit.take: errors, and what is no decision", function()
        local network, limits = scripted()
        local rule = { limit = 1, period = 1 }
        network:on("a:1", { input = "ERROR bad_request the key holds no limiter\r\n" }, { input = "DONE\r\n" },
                   { refused = "connection refused" })
        returns(values(nil, "bad_request"), limits:take("k", rule))
        returns(values(nil, "protocol_error"), limits:take("k", rule))
        returns(values(nil, "no connection: connection refused"), limits:take("k", rule))
    end)

    case("limit.new: a dict, its name, or options", function()
        local limit = require("resty.dshm.limit")
        equal(false, pcall(limit.new, "absent"))
        equal(false, pcall(limit.new, "native"))
        equal("limits", limit.new({ host = "a" }).dict.region)
        local dict = require("resty.dshm.dict").new({ region = "r" })
        equal(dict, limit.new(dict).dict)
    end)
end


local function req()
    case("limit.req: the delay and the excess are those of lua-resty-limit-traffic", function()
        local network, limits, module = scripted("resty.dshm.limit.req")
        local limiter = assert(module.new(limits.dict, 10, 2))
        network:on("a:1", says("allowed=1 limit=3000 remaining=2000 reset=100 retry=0 delay=0"))
        returns(values(0, 0), limiter:incoming("k", true))
        equal("TAKE r::k leaky 10000 1 burst=2999 cost=1000\r\n", sent(network))
        network:on("a:1", says("allowed=1 limit=3000 remaining=500 reset=250 retry=0 delay=150"))
        returns(values(0.15, 1.5), limiter:incoming("k", true))
        sent(network)
        network:on("a:1", says("allowed=0 limit=3000 remaining=0 reset=300 retry=100"))
        returns(values(nil, "rejected"), limiter:incoming("k", true))
        sent(network)

        network:on("a:1", says("allowed=1 limit=3000 remaining=3000 reset=0 retry=0 delay=0"),
                   says("allowed=1 limit=3000 remaining=1000 reset=200 retry=0 delay=0"),
                   says("allowed=1 limit=3000 remaining=999 reset=200 retry=0 delay=0"))
        returns(values(0, 0), limiter:incoming("k", false))
        returns(values(0.2, 2), limiter:incoming("k"))
        returns(values(nil, "rejected"), limiter:incoming("k"))
        equal(("TAKE r::k leaky 10000 1 burst=2999 cost=0\r\n"):rep(3), sent(network))

        network:on("a:1", says("allowed=1 limit=3000 remaining=3000 reset=0 retry=0 delay=0"))
        returns(values(true), limiter:uncommit("k"))
        equal("TAKE r::k leaky 10000 1 burst=2999 cost=-1000\r\n", sent(network))
    end)

    case("limit.req: rate and burst may have fractions, and change", function()
        local network, limits, module = scripted("resty.dshm.limit.req")
        local limiter = assert(module.new(limits.dict, 0.5, 0.25))
        for _, c in ipairs({
            { 0.5, 0.25, "1000 2 burst=1249" }, { 1 / 3, 0, "1000 3 burst=999" }, { 0.001, 0, "1000 1000 burst=999" },
            { 2.5, 1, "5000 2 burst=1999" },
            { 100 / 60, 1, "5000 3 burst=1999" },
            { 1e6, 1, "1000000000 1 burst=1999" }, { 0.1 + 0.2, 0, "3000 10 burst=999" },
            { 1 / 86400, 0, "1000 86400 burst=999" },
            { 1000.001, 0, "1000001000 1000 burst=999" },
        }) do
            limiter:set_rate(c[1])
            limiter:set_burst(c[2])
            network:on("a:1", says("allowed=0 limit=1000 remaining=0 reset=1 retry=1"))
            returns(values(nil, "rejected"), limiter:incoming("k", true))
            equal("TAKE r::k leaky " .. c[3] .. " cost=1000\r\n", sent(network))
        end
        limiter:set_rate(2e9)
        returns(values(nil, "bad limit"), limiter:incoming("k", true))
        returns(values(nil, "bad limit"), limiter:uncommit("k"))
    end)
end


local function count()
    case("limit.count: returns what lua-resty-limit-traffic's does", function()
        local network, limits, module = scripted("resty.dshm.limit.count")
        local limiter = assert(module.new(limits.dict, 2, 60))
        network:on("a:1", says("allowed=1 limit=2 remaining=1 reset=1 retry=0"),
                   says("allowed=0 limit=2 remaining=0 reset=1 retry=1"))
        returns(values(0, 1), limiter:incoming("k", true))
        returns(values(nil, "rejected"), limiter:incoming("k", true))
        equal(("TAKE r::k fixed 2 60\r\n"):rep(2), sent(network))
        network:on("a:1", says("allowed=1 limit=2 remaining=1 reset=1 retry=0"),
                   says("allowed=1 limit=2 remaining=0 reset=1 retry=1"))
        returns(values(0, 0), limiter:incoming("k", false))
        returns(values(nil, "rejected"), limiter:incoming("k"))
        equal(("TAKE r::k fixed 2 60 cost=0\r\n"):rep(2), sent(network))
        network:on("a:1", says("allowed=1 limit=2 remaining=2 reset=0 retry=0"))
        returns(values(2), limiter:uncommit("k"))
        equal("TAKE r::k fixed 2 60 cost=-1\r\n", sent(network))
        network:on("a:1", { input = "ERROR busy\r\n" })
        returns(values(nil, "busy"), limiter:incoming("k", true))
    end)

    case("limit.count: other algorithms, and what is no dict", function()
        local network, limits, module = scripted("resty.dshm.limit.count")
        network:on("a:1", says("allowed=1 limit=2 remaining=1 reset=1 retry=0"))
        returns(values(0, 1), assert(module.new(limits.dict, 2.5, 0.5, "log")):incoming("k", true))
        equal("TAKE r::k log 2 0.500\r\n", sent(network))
        returns(values(nil, "bad algorithm"), module.new(limits.dict, 2, 1, "other"))
        for _, name in ipairs({ "count", "req" }) do
            local here = require("resty.dshm.limit." .. name)
            returns(values(nil, "shared dict not found"), here.new("absent", 1, 1))
            returns(values(nil, "not a dict of resty.dshm"), here.new("native", 1, 1))
            equal(false, pcall(here.new, require("resty.dshm.dict").new({ region = "r" }), 0, 1))
        end
    end)
end


local function together()
    case("limit.take_all: one request, and all decisions", function()
        local network, limits = scripted()
        local takes = {
            { "s", { limit = 2, period = 1 } }, { "h", { algorithm = "log", limit = 9, period = 60, cost = 2 } },
        }
        network:on("a:1", says_all(0, "allowed=1 limit=2 remaining=2 reset=0 retry=0",
                                   "allowed=0 limit=9 remaining=1 reset=9000 retry=500"),
                   { input = "ERROR bad_request 2\r\n" }, { input = "LEN 6 allowed=1\r\nDONE\r\n\r\nDONE\r\n" },
                   says("allowed=1 limit=2 remaining=1 reset=0 retry=0"))
        local decisions = assert(limits:take_all(takes))
        local lines = "TAKE r::s gcra 2 1\r\nTAKE r::h log 9 60 cost=2\r\n"
        equal("TAKE_ALL " .. #lines .. "\r\n" .. lines, sent(network))
        equal(false, decisions.allowed)
        equal(true, decisions[1].allowed)
        equal(0.5, decisions[2].retry)
        returns(values(nil, "bad_request"), limits:take_all(takes))
        returns(values(nil, "protocol_error"), limits:take_all(takes))
        sent(network)
        decisions = assert(limits:take_all({ takes[1] }))
        equal("TAKE r::s gcra 2 1\r\n", sent(network))
        equal(true, decisions.allowed)
        returns(values(nil, "bad limit"), limits:take_all({ takes[1], { "k", { period = 1 } } }))
    end)

    case("limit.traffic: one request for all limiters of a dict, and the longest delay", function()
        local network, limits, traffic, req_of, count_of =
            scripted("resty.dshm.limit.traffic", "resty.dshm.limit.req", "resty.dshm.limit.count")
        local limiters = {
            req_of.new(limits.dict, 10, 2), count_of.new(limits.dict, 5, 60), req_of.new(limits.dict, 1, 2),
        }
        network:on("a:1", says_all(1, "allowed=1 limit=3000 remaining=1000 reset=1 retry=0 delay=100",
                                   "allowed=1 limit=5 remaining=4 reset=1 retry=0",
                                   "allowed=1 limit=3000 remaining=1500 reset=1 retry=0 delay=500"),
                   says_all(0, "allowed=1 limit=3000 remaining=1000 reset=1 retry=0 delay=100",
                            "allowed=0 limit=5 remaining=0 reset=1 retry=1",
                            "allowed=1 limit=3000 remaining=1500 reset=1 retry=0 delay=500"))
        local states = {}
        returns(values(0.5), traffic.combine(limiters, { "a", "b", "c" }, states))
        equal("1 4 0.5", table.concat(states, " "))
        returns(values(nil, "rejected"), traffic.combine(limiters, { "a", "b", "c" }))
        local lines = "TAKE r::a leaky 10000 1 burst=2999 cost=1000\r\nTAKE r::b fixed 5 60\r\n"
            .. "TAKE r::c leaky 1000 1 burst=2999 cost=1000\r\n"
        equal(("TAKE_ALL " .. #lines .. "\r\n" .. lines):rep(2), sent(network))
    end)

    case("limit.traffic: limiters on other dicts and of other kinds are given back if one refuses", function()
        local network, limits, traffic, count_of = scripted("resty.dshm.limit.traffic", "resty.dshm.limit.count")
        local calls = {}
        local other = {
            incoming = function(_, key, commit)
                calls[#calls + 1] = "incoming " .. key .. " " .. tostring(commit)
                return 0.25, 7
            end,
            uncommit = function(_, key) calls[#calls + 1] = "uncommit " .. key end,
        }
        local dict = { prefix = "q::" }
        for name, value in pairs(limits.dict) do
            dict[name] = dict[name] or value
        end
        setmetatable(dict, getmetatable(limits.dict))
        local limiters = { count_of.new(limits.dict, 5, 60), other, count_of.new(dict, 5, 60) }
        local admitted = says("allowed=1 limit=5 remaining=4 reset=1 retry=0")
        network:on("a:1", admitted, admitted)
        local states = {}
        returns(values(0.25), traffic.combine(limiters, { "a", "b", "c" }, states))
        equal("4 7 4", table.concat(states, " "))
        equal("TAKE r::a fixed 5 60\r\nTAKE q::c fixed 5 60\r\n", sent(network))

        network:on("a:1", admitted, says("allowed=0 limit=5 remaining=0 reset=1 retry=1"), admitted)
        returns(values(nil, "rejected"), traffic.combine(limiters, { "a", "b", "c" }))
        equal("TAKE r::a fixed 5 60\r\nTAKE q::c fixed 5 60\r\nTAKE r::a fixed 5 60 cost=-1\r\n", sent(network))
        equal("incoming b true, incoming b true, uncommit b", table.concat(calls, ", "))
    end)
end


-- Calls a function so many times at once. Returns how many calls returned what, by the second value for nil.
local function at_once(n, call)
    local results, threads = {}, {}
    for i = 1, n do
        threads[i] = ngx.thread.spawn(function()
            local first, second = call(i)
            local result = first == nil and second or "admitted"
            results[result] = (results[result] or 0) + 1
        end)
    end
    for _, thread in ipairs(threads) do
        assert(ngx.thread.wait(thread))
    end
    return results
end


local function against_a_server(host, port)
    local region = "lua-limit-test-" .. ngx.worker.pid() .. "-" .. math.floor(ngx.now() * 1000)
    local limit = require("resty.dshm.limit")
    local limits = limit.new({ region = region, host = host, port = port, read_timeout = 30000 })

    for _, algorithm in ipairs({ "fixed", "log", "counter", "gcra", "leaky" }) do
        case("limit.take: 100 calls at once, and exactly 10 are admitted: " .. algorithm, function()
            local rule = { algorithm = algorithm, limit = 10, period = 315619200 }
            rule.burst = algorithm == "leaky" and 9 or nil
            local results = at_once(100, function()
                local decision, err = limits:take(algorithm, rule)
                if not decision then
                    return nil, err
                end
                return decision.allowed or nil, "rejected"
            end)
            equal(10, results.admitted)
            equal(90, results.rejected)
            local decision = assert(limits:peek(algorithm, rule))
            equal(10, decision.limit)
            equal(0, decision.remaining)
            decision = assert(limits:take(algorithm, setmetatable({ cost = -10 }, { __index = rule })))
            equal(10, decision.remaining)
            equal(0, decision.reset)
        end)
    end

    case("limit.take: a policy of the cluster, by its name", function()
        local policies = require("resty.dshm.dict").new({ region = "policies", host = host, port = port })
        assert(policies:set(region, "gcra 3 3600"))
        local rule = { policy = region }
        equal(2, assert(limits:take("by policy", rule)).remaining)
        assert(policies:set(region, "gcra 10 3600"))
        equal(8, assert(limits:take("by policy", rule)).remaining)
        assert(policies:delete(region))
        returns(values(nil, "not found"), limits:take("by policy", rule))
    end)

    local req_module = require("resty.dshm.limit.req")
    for _, burst in ipairs({ 0, 9 }) do
        case("limit.req: 100 calls at once, and exactly " .. burst + 1 .. " are admitted", function()
            local limiter = assert(req_module.new(limits.dict, 0.001, burst))
            local results = at_once(100, function()
                return limiter:incoming("burst " .. burst, true)
            end)
            equal(burst + 1, results.admitted)
            equal(99 - burst, results.rejected)
        end)
    end

    case("limit.req: one after the other, as lua-resty-limit-traffic counts", function()
        -- one in 1,000 seconds: what leaks during the test is less than a thousandth
        local limiter = assert(req_module.new(limits.dict, 0.001, 2))
        for excess = 0, 2 do
            local _, looked = limiter:incoming("in order")
            equal(true, math.abs(looked - excess) < 0.01)
            local delay, found = limiter:incoming("in order", true)
            equal(true, math.abs(found - excess) < 0.01)
            equal(true, math.abs(delay - excess * 1000) < 10)
        end
        returns(values(nil, "rejected"), limiter:incoming("in order"))
        returns(values(nil, "rejected"), limiter:incoming("in order", true))
        returns(values(true), limiter:uncommit("in order"))
        local _, excess = limiter:incoming("in order", true)
        equal(true, math.abs(excess - 2) < 0.01)
    end)

    case("limit.req: uncommit gives back exactly what incoming took", function()
        local limiter = assert(req_module.new(limits.dict, 0.001, 20))
        local results = at_once(20, function()
            assert(limiter:incoming("back", true))
            return limiter:uncommit("back")
        end)
        equal(20, results.admitted)
        returns(values(0, 0), limiter:incoming("back", true))
    end)

    case("limit.traffic: 50 calls at once, and no limit is charged for what another one refuses", function()
        local traffic = require("resty.dshm.limit.traffic")
        local count_of = require("resty.dshm.limit.count")
        local limiters = {
            assert(count_of.new(limits.dict, 30, 315619200)), assert(req_module.new(limits.dict, 0.001, 9)),
        }
        local results = at_once(50, function()
            return traffic.combine(limiters, { "traffic count", "traffic req" })
        end)
        equal(10, results.admitted)
        equal(40, results.rejected)
        returns(values(0, 19), limiters[1]:incoming("traffic count", true))
        returns(values(nil, "bad_request"), traffic.combine(limiters, { "traffic req", "traffic count" }))
    end)

    case("limit.count: 100 calls at once, and exactly 10 are admitted", function()
        local limiter = assert(require("resty.dshm.limit.count").new(limits.dict, 10, 315619200))
        local results = at_once(100, function()
            return limiter:incoming("counted", true)
        end)
        equal(10, results.admitted)
        returns(values(1), limiter:uncommit("counted"))
        returns(values(0, 0), limiter:incoming("counted"))
        returns(values(0, 0), limiter:incoming("counted", true))
        returns(values(nil, "rejected"), limiter:incoming("counted"))
    end)
end


return function(host, port)
    take()
    req()
    count()
    together()
    if port then
        against_a_server(host, port)
    end
end
