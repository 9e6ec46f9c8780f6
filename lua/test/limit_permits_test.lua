--- Permits: `acquire` and `release`, `resty.dshm.limit.conn` and `resty.dshm.lock`.

local http = require("support.http")
local limit_replies = require("support.limit_replies")
local tap = require("support.tap")

local case, equal, returns, values = tap.case, tap.equal, tap.returns, tap.values
local says, scripted = limit_replies.says, limit_replies.scripted

local DONE = { input = "DONE\r\n" }
local REFUSED = { input = "DONE allowed=0 limit=1 remaining=0 retry=500\r\n" }


local function eventually(check)
    local deadline = ngx.now() + 10
    while not check() do
        assert(ngx.now() < deadline, "it did not happen in time")
        ngx.sleep(0.01)
    end
end


-- What was sent since the last time, without the node and with the holders numbered in their order.
local function sent(network)
    local names, count = {}, 0
    return (limit_replies.sent(network):gsub("holder=(%x+%-%d+)", function(name)
        if not names[name] then
            count = count + 1
            names[name] = "holder=" .. count
        end
        return names[name]
    end))
end


local function permits()
    case("limit.acquire and release: what is sent, and what is not", function()
        local network, limits = scripted()
        network:on("a:1", says("allowed=1 limit=2 remaining=1 retry=0 fence=9007199254740993"), DONE)
        local decision = assert(limits:acquire("k", 2, "me", 0.5))
        equal(true, decision.allowed)
        equal("9007199254740993", decision.fence)
        returns(values(true), limits:release("k", "me"))
        equal("ACQUIRE r::k 2 holder=me ttl=0.500\r\nRELEASE r::k holder=me\r\n", sent(network))
        returns(values(nil, "bad limit"), limits:acquire("k", 0.5, "me", 1))
        returns(values(nil, "bad holder"), limits:acquire("k", 1, "a b", 1))
        returns(values(nil, "bad holder"), limits:release("k", ("h"):rep(129)))
        returns(values(nil, "bad ttl"), limits:acquire("k", 1, "me", 0))
        returns(values(nil, "empty key"), limits:release("", "me"))
        equal("", sent(network))
    end)

    case("limit.acquire: a permit that may have been given is given back", function()
        local network, limits = scripted()
        network:on("a:1", { input = "", ending = "timeout" }, DONE)
        returns(values(nil, "timeout"), limits:acquire("k", 2, "me", 1))
        local all = ""
        eventually(function()
            all = all .. sent(network)
            return all == "ACQUIRE r::k 2 holder=me ttl=1\r\nRELEASE r::k holder=me\r\n"
        end)
    end)
end


local function reservations()
    case("limit.reserve and settle: what is sent, and what is not", function()
        local network, limits = scripted()
        local decided = says("allowed=1 limit=100 remaining=90 reset=6000 retry=0")
        network:on("a:1", decided, decided, { input = "ERROR not_found\r\n" })
        equal(90, assert(limits:reserve("k", { limit = 100, period = 60, cost = 10 }, "job-1", 30)).remaining)
        equal(90, assert(limits:settle("k", "job-1", 4)).remaining)
        returns(values(nil, "not found"), limits:settle("k", "job-1", 4))
        equal("RESERVE r::k gcra 100 60 hold=job-1 ttl=30 cost=10\r\n"
            .. ("SETTLE r::k job-1 cost=4\r\n"):rep(2), sent(network))
        local rule = { limit = 100, period = 60 }
        returns(values(nil, "bad hold"), limits:reserve("k", rule, "a b", 30))
        returns(values(nil, "bad ttl"), limits:reserve("k", rule, "a", 0))
        returns(values(nil, "bad limit"), limits:reserve("k", { period = 60 }, "a", 1))
        returns(values(nil, "bad cost"), limits:reserve("k", { limit = 1, period = 1, cost = -1 }, "a", 1))
        returns(values(nil, "bad cost"), limits:settle("k", "a"))
        returns(values(nil, "bad hold"), limits:settle("k", "", 1))
        equal("", sent(network))
    end)
end


local function conn()
    case("limit.conn: returns what lua-resty-limit-traffic's does", function()
        local network, limits, module = scripted("resty.dshm.limit.conn")
        local limiter = assert(module.new(limits.dict, 1, 2, 0.5, 60))
        network:on("a:1", says("allowed=1 limit=3 remaining=2 retry=0 fence=1"),
                   says("allowed=1 limit=3 remaining=1 retry=0 fence=2"),
                   says("allowed=1 limit=3 remaining=0 retry=0 fence=3"), REFUSED)
        returns(values(0, 1), limiter:incoming("k", true))
        equal(true, limiter:is_committed())
        returns(values(0.5, 2), limiter:incoming("k", true))
        returns(values(1, 3), limiter:incoming("k", true))
        returns(values(nil, "rejected"), limiter:incoming("k", true))
        equal(false, limiter:is_committed())
        local line = "ACQUIRE r::k 3 holder=%d ttl=60\r\n"
        equal(line:format(1) .. line:format(2) .. line:format(3) .. line:format(4), sent(network))

        network:on("a:1", { input = "LEN 1 type=limiter version=1\r\n1\r\nDONE\r\n" },
                   { input = "ERROR not_found\r\n" },
                   { input = "LEN 1 type=limiter version=1\r\n0\r\nDONE\r\n" })
        returns(values(1, 3), limiter:incoming("k"))
        equal(false, limiter:is_committed())
        returns(values(0, 1), limiter:incoming("k"))
        returns(values(nil, "rejected"), limiter:incoming("k", false))
        sent(network)

        -- another object knows the permits of this worker, too
        local other = assert(module.new(limits.dict, 1, 2, 0.5, 60))
        network:on("a:1", DONE, DONE, DONE)
        returns(values(true), other:leaving("k", 1.5))
        equal(1, other.unit_delay)
        returns(values(true), limiter:leaving("k"))
        returns(values(true), limiter:uncommit("k"))
        returns(values(nil, "not found"), limiter:leaving("k"))
        line = "RELEASE r::k holder=%d\r\n"
        equal(line:format(1) .. line:format(2) .. line:format(3), sent(network))
        limiter:set_conn(2)
        limiter:set_burst(0)
        network:on("a:1", { input = "ERROR busy\r\n" })
        returns(values(nil, "busy"), limiter:incoming("k", true))
        equal("ACQUIRE r::k 2 holder=1 ttl=60\r\n", sent(network))
    end)

    case("limit.conn: who has not left before the end of the permit is forgotten", function()
        local network, limits, module = scripted("resty.dshm.limit.conn")
        local limiter = assert(module.new(limits.dict, 5, 0, 0.5, 60))
        for fence = 1, 2 do
            network:on("a:1", says("allowed=1 limit=5 remaining=4 retry=0 fence=" .. fence))
            returns(values(0, 1), limiter:incoming("k", true))
            network.time = network.time + 60
        end
        network:on("a:1", DONE)
        returns(values(true), limiter:leaving("k"))
        returns(values(nil, "not found"), limiter:leaving("k"))
        local lines = sent(network)
        equal("RELEASE r::k holder=2\r\n", lines:sub(-23))
    end)
end


local function lock()
    case("lock: waits, has a fence, and gives back", function()
        local network, limits, module = scripted("resty.dshm.lock")
        local lock_of = assert(module:new(limits.dict, { exptime = 10, timeout = 5, step = 0.001 }))
        returns(values(nil, "unlocked"), lock_of:unlock())
        returns(values(nil, "unlocked"), lock_of:expire())
        returns(values(nil, "nil key"), lock_of:lock())
        network:on("a:1", REFUSED, REFUSED, says("allowed=1 limit=1 remaining=0 retry=0 fence=7"))
        equal("number", type(lock_of:lock("k")))
        equal("7", lock_of:fence())
        equal(("ACQUIRE r::k 1 holder=1 ttl=10\r\n"):rep(3), sent(network))
        returns(values(nil, "locked"), lock_of:lock("other"))
        network:on("a:1", says("allowed=1 limit=1 remaining=0 retry=0 fence=7"), DONE)
        returns(values(true), lock_of:expire(20))
        returns(values(1), lock_of:unlock())
        equal(nil, lock_of:fence())
        equal("ACQUIRE r::k 1 holder=1 ttl=20\r\nRELEASE r::k holder=1\r\n", sent(network))
    end)

    case("lock: one that has ended meanwhile is not prolonged", function()
        local network, limits, module = scripted("resty.dshm.lock")
        for _, later in ipairs({ REFUSED, says("allowed=1 limit=1 remaining=0 retry=0 fence=9") }) do
            local lock_of = assert(module:new(limits.dict))
            network:on("a:1", says("allowed=1 limit=1 remaining=0 retry=0 fence=7"), later)
            assert(lock_of:lock("k"))
            if later ~= REFUSED then
                network:on("a:1", DONE)
            end
            returns(values(nil, "not found"), lock_of:expire())
            returns(values(nil, "unlocked"), lock_of:unlock())
        end
        equal("RELEASE r::k holder=2\r\n", sent(network):sub(-23))
    end)

    case("lock: errors", function()
        local network, limits, module = scripted("resty.dshm.lock")
        returns(values(nil, "dictionary not found"), module:new("absent"))
        returns(values(nil, "not a dict of resty.dshm"), module:new("native"))
        local lock_of = assert(module:new(limits.dict, { timeout = 0 }))
        network:on("a:1", { input = "ERROR bad_request\r\n" }, REFUSED)
        returns(values(nil, "bad_request"), lock_of:lock("k"))
        returns(values(nil, "timeout"), lock_of:lock("k"))
    end)

    case("lock: an object that nobody knows any more gives its lock back", function()
        local network, limits, module = scripted("resty.dshm.lock")
        network:on("a:1", says("allowed=1 limit=1 remaining=0 retry=0 fence=7"), DONE)
        assert(assert(module:new(limits.dict)):lock("k"))
        local all = ""
        eventually(function()
            collectgarbage()
            all = all .. sent(network)
            return all:find("RELEASE r::k", 1, true) ~= nil
        end)
    end)
end


local function against_a_server(socket, host, port)
    local limit = require("resty.dshm.limit")
    local region = "lua-permits-test-" .. ngx.worker.pid() .. "-" .. math.floor(ngx.now() * 1000)
    local limits = limit.new({ region = region, host = host, port = port, read_timeout = 30000 })

    case("limit.reserve and settle: what was not needed comes back, and what was is charged", function()
        local rule = { algorithm = "fixed", limit = 100, period = 315619200, cost = 60 }
        equal(true, assert(limits:reserve("budget", rule, "a", 3600)).allowed)
        equal(false, assert(limits:reserve("budget", rule, "b", 3600)).allowed)
        equal(90, assert(limits:settle("budget", "a", 10)).remaining)
        equal(90, assert(limits:settle("budget", "a", 10)).remaining)
        equal(30, assert(limits:reserve("budget", rule, "c", 3600)).remaining)
        equal(true, assert(limits:settle("budget", "c", 95)).remaining <= 0)
        returns(values(nil, "not found"), limits:settle("budget", "b", 1))
    end)

    case("limit.conn: 30 requests at once, and never more than 5 run", function()
        local limiter = assert(require("resty.dshm.limit.conn").new(limits.dict, 5, 0, 1))
        local inside, most, rejected, threads = 0, 0, 0, {}
        for i = 1, 30 do
            threads[i] = ngx.thread.spawn(function()
                local delay, err = limiter:incoming("many", true)
                if not delay then
                    assert(err == "rejected", err)
                    rejected = rejected + 1
                    return
                end
                inside = inside + 1
                most = math.max(most, inside)
                ngx.sleep(0.05)
                inside = inside - 1
                assert(limiter:leaving("many"))
            end)
        end
        for _, thread in ipairs(threads) do
            assert(ngx.thread.wait(thread))
        end
        equal(true, most <= 5 and rejected >= 1)
        returns(values(0, 1), limiter:incoming("many"))
    end)

    case("limit.conn: a request leaves in log_by_lua", function()
        local limiter = assert(require("resty.dshm.limit.conn").new(limits.dict, 1, 0, 1))
        http.handlers.access = function() assert(limiter:incoming("logged", true)) end
        http.handlers.log = function() returns(values(true), limiter:leaving("logged", 0.1)) end
        equal(200, (http.get(socket, "/limited/")))
        eventually(function() return limiter:incoming("logged") end)
        http.handlers.log = nil
    end)

    case("lock: one at a time, and each has a higher fence", function()
        local lock_module = require("resty.dshm.lock")
        local inside, last, threads = 0, 0, {}
        for i = 1, 10 do
            threads[i] = ngx.thread.spawn(function()
                local lock_of = assert(lock_module:new(limits.dict, { timeout = 30, exptime = 30, max_step = 0.05 }))
                assert(lock_of:lock("one"))
                inside = inside + 1
                assert(inside == 1, "two hold the lock")
                local fence = tonumber(lock_of:fence())
                assert(fence > last, "the fence does not rise")
                last = fence
                ngx.sleep(0.005)
                returns(values(true), lock_of:expire())
                inside = inside - 1
                returns(values(1), lock_of:unlock())
            end)
        end
        for _, thread in ipairs(threads) do
            assert(ngx.thread.wait(thread))
        end
    end)

    case("lock: what has ended belongs to the next one, and stays theirs", function()
        local lock_module = require("resty.dshm.lock")
        local slow = assert(lock_module:new(limits.dict, { exptime = 0.05 }))
        assert(slow:lock("ends"))
        local next_one = assert(lock_module:new(limits.dict, { timeout = 30, exptime = 30 }))
        assert(next_one:lock("ends"))
        returns(values(1), slow:unlock())
        returns(values(true), next_one:expire())
        returns(values(1), next_one:unlock())
    end)
end


return function(socket, host, port)
    permits()
    reservations()
    conn()
    lock()
    if port then
        against_a_server(socket, host, port)
    end
end
