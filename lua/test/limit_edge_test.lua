--- `resty.dshm.limit.edge`: what it decides from a share, and what it asks the cluster for.

local scripted_network = require("support.scripted_network")
local tap = require("support.tap")

local case, equal, returns, values = tap.case, tap.equal, tap.returns, tap.values

local OPTIONS = {
    share_dict = "edge_a", algorithm = "log", limit = 1000, period = 60, region = "r", host = "a:1",
    exactly_once = false,
}

local GRANTED_40 = { input = "DONE granted=40 limit=1000 remaining=960 life=6000\r\n" }
local DONE = { input = "DONE\r\n" }
local NO_SOCKETS = { refused = require("resty.dshm").CANNOT_YIELD }


local function says(allowed)
    return { input = "DONE allowed=" .. allowed .. " limit=1000 remaining=7 reset=6000 retry=0\r\n" }
end


-- The module as a worker of one nginx has it, whose timers the test runs.
local function load_edge(network)
    local timers, timer_at = {}, ngx.timer.at
    rawset(ngx.timer, "at", function(delay, run, ...)
        timers[#timers + 1] = { delay = delay, run = run, arguments = { ... } }
        return true
    end)
    local edge = network:load("resty.dshm.limit.edge")
    rawset(ngx.timer, "at", timer_at)
    return edge, timers
end


local function copy(options)
    local all = {}
    for name, value in pairs(OPTIONS) do
        all[name] = value
    end
    for name, value in pairs(options or {}) do
        all[name] = value
    end
    return all
end


local function scripted(options)
    ngx.shared.edge_a:flush_all()
    local network = scripted_network.new()
    local edge, timers = load_edge(network)
    return network, edge.new(copy(options)), timers, edge
end


-- Runs the timers that wait, in their order, and moves no clock. Returns the delays.
local function run_timers(timers, premature)
    local delays = {}
    for _ = 1, #timers do
        local timer = table.remove(timers, 1)
        delays[#delays + 1] = timer.delay
        timer.run(premature or false, unpack(timer.arguments))
    end
    return delays
end


-- What was sent since the last time; names of holders, which are random, as HOLDER.
local function sent(network)
    return (table.concat(network:sent()):gsub("a:1 ", ""):gsub("holder=[%x]+%-%d+", "holder=HOLDER"))
end


local function takes(limiter, count, key)
    local admitted = 0
    for _ = 1, count do
        admitted = admitted + (limiter:take(key or "k") and 1 or 0)
    end
    return admitted
end


-- Ten requests that the cluster decides, and a share of 40 after them.
local function with_share(options)
    local network, limiter, timers, edge = scripted(options)
    for _ = 1, 10 do
        network:on("a:1", says(1))
    end
    equal(10, takes(limiter, 10))
    network:on("a:1", GRANTED_40)
    run_timers(timers)
    sent(network)
    return network, limiter, timers, edge
end


local function fetching()
    case("limit.edge: what is no option, or missing", function()
        local new = require("resty.dshm.limit.edge").new
        for _, c in ipairs({
            { "bad limit", { limit = "x" } }, { "bad period", { period = 0 } },
            { "bad algorithm", { algorithm = "leaky" } }, { "share_dict", { share_dict = "none" } },
        }) do
            local ok, err = pcall(new, copy(c[2]))
            equal(false, ok)
            equal(true, err:find(c[1], 1, true) ~= nil)
        end
        local limiter = new(copy())
        returns(values(nil, "bad cost"), limiter:take("k", 0))
        returns(values(nil, "bad cost"), limiter:take("k", 1.5))
        returns(values(nil, "empty key"), limiter:take(""))
    end)

    case("limit.edge: the cluster decides about a key that few ask for, and gives a share of a hot one", function()
        local network, limiter, timers = scripted()
        network:on("a:1", says(1), says(0))
        local allowed, decision = limiter:take("k")
        equal(true, allowed)
        equal(7, decision.remaining)
        equal(false, (limiter:take("k", 2)))
        equal(0, #timers)
        equal("TAKE r::k log 1000 60\r\nTAKE r::k log 1000 60 cost=2\r\n", sent(network))
        for _ = 1, 8 do
            network:on("a:1", says(1))
        end
        takes(limiter, 8)
        equal(1, #timers)
        sent(network)
        network:on("a:1", GRANTED_40)
        equal(0, run_timers(timers)[1])
        equal("GRANT r::k log 1000 60 holder=HOLDER want=40 min=20\r\n", sent(network))
        -- in the middle of its life it is looked at again
        equal(true, timers[1].delay > 2.9 and timers[1].delay < 3)
        -- no connection is expected
        returns(values(true), limiter:take("k"))
        returns(values(true), limiter:take("k", 39))
        equal("", sent(network))
    end)

    case("limit.edge: where there are no sockets the first request fetches, and a share decides", function()
        local network, limiter, timers = scripted()
        network:on("a:1", NO_SOCKETS)
        returns(values(nil, "no share"), limiter:take("k"))
        sent(network)
        network:on("a:1", { input = "DONE granted=3 limit=1000 remaining=0 life=6000\r\n" })
        run_timers(timers)
        equal("GRANT r::k log 1000 60 holder=HOLDER want=10 min=1\r\n", sent(network))
        equal(3, takes(limiter, 3))
        equal("", sent(network))
    end)

    case("limit.edge: one worker fetches, and all spend the same share, no more than it has", function()
        local network, limiter, timers = with_share()
        local module, others_timers = load_edge(network)
        local other = module.new(copy())
        for _ = 1, 20 do
            returns(values(true), limiter:take("k"))
            returns(values(true), other:take("k"))
        end
        for _, each in ipairs({ limiter, other, limiter }) do
            network:on("a:1", says(0))
            equal(false, (each:take("k")))
        end
        equal(("TAKE r::k log 1000 60\r\n"):rep(3), sent(network))
        equal(0, ngx.shared.edge_a:get("t " .. ngx.shared.edge_a:get("s r::k"):match("%S+")))
        -- to look at the first in the middle of its life, and to fetch the next
        equal(2, #timers + #others_timers)
    end)

    case("limit.edge: what is asked for grows with the demand, and never beyond a part of the limit", function()
        local network, limiter, timers = with_share({ limit = 500 })
        network.time = network.time + 1
        equal(40, takes(limiter, 40))
        table.remove(timers, 1)
        equal(1, #timers)
        network:on("a:1", { input = "DONE granted=125 limit=500 remaining=60 life=6000\r\n" })
        run_timers(timers)
        equal("GRANT r::k log 500 60 holder=HOLDER want=125 min=63\r\n", sent(network))
        returns(values(true), limiter:take("k"))
    end)

    case("limit.edge: with a policy the limit is known from the first share on", function()
        ngx.shared.edge_a:flush_all()
        local network = scripted_network.new()
        local edge, timers = load_edge(network)
        local limiter = edge.new({
            share_dict = "edge_a", policy = "p", region = "r", host = "a:1", exactly_once = false,
        })
        for _ = 1, 10 do
            network:on("a:1", says(1))
        end
        takes(limiter, 10)
        sent(network)
        network:on("a:1", { input = "DONE granted=40 limit=100 remaining=0 life=6000\r\n" })
        run_timers(timers)
        equal(40, takes(limiter, 40))
        network:on("a:1", { input = "DONE granted=25 limit=100 remaining=0 life=6000\r\n" })
        run_timers({ timers[2] })
        equal("GRANT r::k policy=p holder=HOLDER want=40 min=20\r\n"
            .. "GRANT r::k policy=p holder=HOLDER want=25 min=13\r\n", sent(network))
    end)

    case("limit.edge: near the limit the cluster decides, and for a while nobody asks for a share", function()
        local network, limiter, timers = scripted()
        for _ = 1, 30 do
            network:on("a:1", says(1))
        end
        takes(limiter, 10)
        network.connections["a:1"] = { { input = "DONE granted=0 limit=1000 remaining=9 life=0\r\n" } }
        run_timers(timers)
        for _ = 1, 20 do
            network:on("a:1", says(0))
        end
        equal(0, takes(limiter, 20))
        equal(0, #timers)
    end)

    case("limit.edge: a cluster that does not answer: an error, and what a share has is spent", function()
        local network, limiter, timers = with_share()
        equal(31, takes(limiter, 31))
        network:on("a:1", { refused = "connection refused" }, { refused = "connection refused" })
        run_timers({ table.remove(timers) })
        equal(9, takes(limiter, 9))
        returns(values(nil, "no connection: connection refused"), limiter:take("k"))
    end)
end


local function ends()
    case("limit.edge: a share is not spent after its life, counted from before it was asked for", function()
        local network, limiter, timers, edge = scripted()
        for _ = 1, 10 do
            network:on("a:1", says(1))
        end
        takes(limiter, 10)
        network:on("a:1", GRANTED_40)
        run_timers(timers)
        sent(network)
        local other = edge.new(copy())
        network.time = 1005.9
        returns(values(true), limiter:take("k"))
        returns(values(true), other:take("k"))
        -- 1 % and 5 ms before the end
        network.time = 1005.936
        for _, each in ipairs({ limiter, other, edge.new(copy()) }) do
            network:on("a:1", says(0))
            equal(false, (each:take("k")))
        end
        equal(("TAKE r::k log 1000 60\r\n"):rep(3), sent(network))
    end)

    case("limit.edge: a reply that came after the share's life gives nothing", function()
        local network, limiter, timers = scripted()
        for _ = 1, 10 do
            network:on("a:1", says(1))
        end
        takes(limiter, 10)
        sent(network)
        local late = { input = GRANTED_40.input }
        setmetatable(late, { __index = function(_, name)
            if name == "ending" then
                network.time = network.time + 6
            end
        end })
        network:on("a:1", late)
        run_timers(timers)
        equal("GRANT r::k log 1000 60 holder=HOLDER want=40 min=20\r\n", sent(network))
        equal(nil, ngx.shared.edge_a:get("s r::k"))
        network:on("a:1", says(0))
        equal(false, (limiter:take("k")))
    end)

    case("limit.edge: a process that stood still between the decrement and the clock admits nothing", function()
        local network, limiter = with_share()
        returns(values(true), limiter:take("k"))
        local dict = limiter.shared
        limiter.shared = setmetatable({ incr = function(_, ...)
            local left = dict:incr(...)
            network.time = network.time + 10
            return left
        end }, { __index = function(_, name)
            return function(_, ...) return dict[name](dict, ...) end
        end })
        network:on("a:1", says(0))
        equal(false, (limiter:take("k")))
    end)

    case("limit.edge: what is not needed is given back, each token once", function()
        local network, limiter, timers = with_share()
        network.time = network.time + 3
        equal(8, takes(limiter, 8))
        network:on("a:1", DONE)
        run_timers(timers)
        -- 32 are left, and 10 may be needed
        equal("RETURN r::k holder=HOLDER unused=22\r\n", sent(network))
        network.time = network.time + 2
        equal(4, takes(limiter, 4))
        network:on("a:1", DONE)
        -- to fetch the next share, which fails, and the end of this one
        local ending = table.remove(timers, 1)
        run_timers({ ending })
        equal("RETURN r::k holder=HOLDER unused=6\r\n", sent(network))
        run_timers({ ending })
        equal("", sent(network))
        network:on("a:1", says(0))
        equal(false, (limiter:take("k")))
    end)

    case("limit.edge: a return that fails is not sent again, and its tokens are lost", function()
        local network, _, timers = with_share()
        network:on("a:1", { input = "", ending = "closed" })
        network.time = network.time + 3
        run_timers(timers)
        equal("RETURN r::k holder=HOLDER unused=40\r\n", sent(network))
        equal(0, #timers)
    end)

    case("limit.edge: when nginx stops or is loaded anew a share is given back", function()
        local network, limiter, timers = with_share()
        equal(10, takes(limiter, 10))
        network:on("a:1", DONE)
        run_timers(timers, true)
        equal("RETURN r::k holder=HOLDER unused=30\r\n", sent(network))
        equal(0, #timers)
    end)
end


return function()
    fetching()
    ends()
end
