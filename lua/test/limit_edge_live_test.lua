--- `resty.dshm.limit.edge` against a live server: two nginxes, each with its dict, never admit more than the limit.

local http = require("support.http")
local tap = require("support.tap")

local case, equal, returns, values = tap.case, tap.equal, tap.returns, tap.values


local function live_options(host, port, dict_name)
    return {
        share_dict = dict_name, host = host, port = port, read_timeout = 30000,
        region = "lua-edge-test-" .. ngx.worker.pid() .. "-" .. math.floor(ngx.now() * 1000),
    }
end


-- Two nginxes, each with its dict, on one limit. With `stands_still` their timers of later do not run.
local function two_nginxes(host, port, rule, stands_still)
    local both, timer_at = {}, ngx.timer.at
    rawset(ngx.timer, "at", function(delay, ...)
        return stands_still and delay > 0 or timer_at(delay, ...)
    end)
    local ours = {}
    for name in pairs(package.loaded) do
        if name:find("^resty%.dshm%.limit") then
            ours[name], package.loaded[name] = package.loaded[name], nil
        end
    end
    local options = live_options(host, port)
    for i, name in ipairs({ "edge_a", "edge_b" }) do
        ngx.shared[name]:flush_all()
        local all = {}
        for _, from in ipairs({ options, rule }) do
            for option, value in pairs(from) do
                all[option] = value
            end
        end
        all.share_dict = name
        both[i] = require("resty.dshm.limit.edge").new(all)
    end
    rawset(ngx.timer, "at", timer_at)
    for name, module in pairs(ours) do
        package.loaded[name] = module
    end
    return both
end


-- Asks until the share decides.
local function until_shared(limiter)
    for _ = 1, 1000 do
        local allowed, decision = limiter:take("k")
        if allowed and not decision then
            return
        end
        ngx.sleep(0.001)
    end
    error("no share")
end


-- The most that were admitted for certain in a stretch shorter than that: each between when it was asked and answered.
local function most_within(grants, seconds)
    local most = 0
    table.sort(grants, function(a, b) return a.asked < b.asked end)
    for i = 1, #grants do
        local count, j = 0, i
        while grants[j] and grants[j].asked < grants[i].asked + seconds do
            count = count + (grants[j].answered < grants[i].asked + seconds and 1 or 0)
            j = j + 1
        end
        most = math.max(most, count)
    end
    return most
end


return function(socket, host, port)
    case("limit.edge: phases without sockets decide from a share", function()
        for _, phase in ipairs({ "log", "header_filter" }) do
            local limiter = two_nginxes(host, port, { algorithm = "log", limit = 1000, period = 60 })[1]
            local returned
            http.handlers[phase] = function() returned = values(limiter:take(phase)) end
            http.handlers.access = function() end
            for i = 1, 1000 do
                http.get(socket, "/limited/")
                if i == 1 then
                    returns(values(nil, "no share"), unpack(returned, 1, returned.n))
                elseif returned[1] then
                    break
                end
                ngx.sleep(0.01)
            end
            http.handlers[phase] = nil
            returns(values(true), unpack(returned, 1, returned.n))
        end
    end)

    case("limit.edge: two nginxes whose demand changes, and never more than the limit in any period", function()
        local both, grants, threads = two_nginxes(host, port, { algorithm = "log", limit = 400, period = 1 }), {}, {}
        local now = require("resty.dshm.clock").now
        local until_time, by_share = now() + 2.5, 0
        for i = 1, 6 do
            threads[i] = ngx.thread.spawn(function()
                local burst = i
                while now() < until_time do
                    burst = burst * 7 % 41
                    for _ = 1, burst do
                        local asked = now()
                        local allowed, decision = both[i % 2 + 1]:take("k")
                        if allowed then
                            grants[#grants + 1] = { asked = asked, answered = now() }
                            by_share = by_share + (decision and 0 or 1)
                        end
                    end
                    ngx.sleep((burst + 1) / 1000)
                end
            end)
        end
        for _, thread in ipairs(threads) do
            assert(ngx.thread.wait(thread))
        end
        -- The cluster's clock counts whole milliseconds.
        local most = most_within(grants, 0.999)
        tap.comment(string.format("%d admitted, %d by shares, at most %d in a period", #grants, by_share, most))
        equal(true, most <= 400)
        equal(true, by_share > 0)
    end)

    case("limit.edge: two nginxes never admit more than the limit, and decide most by themselves", function()
        local rule = { algorithm = "fixed", limit = 5000, period = 315619200 }
        local both, admitted, by_share, threads = two_nginxes(host, port, rule), 0, 0, {}
        for i = 1, 8 do
            threads[i] = ngx.thread.spawn(function()
                for j = 1, 1000 do
                    local allowed, decision = both[i % 2 + 1]:take("k")
                    admitted = admitted + (allowed and 1 or 0)
                    by_share = by_share + (allowed and not decision and 1 or 0)
                    if j % 20 == 0 then
                        ngx.sleep(0.001)
                    end
                end
            end)
        end
        for _, thread in ipairs(threads) do
            assert(ngx.thread.wait(thread))
        end
        tap.comment(string.format("%d of %d admitted, %d of them by shares", admitted, rule.limit, by_share))
        equal(true, admitted <= rule.limit)
        equal(true, by_share > admitted / 2)
    end)

    case("limit.edge: a share of an nginx that stood still is lost: with it the limit would be exceeded", function()
        local clock = require("resty.dshm.clock")
        local both = two_nginxes(host, port, { algorithm = "log", limit = 1000, period = 1 }, true)
        until_shared(both[1])
        local share = ngx.shared.edge_a:get("s " .. both[1].dict.prefix .. "k"):match("%S+")
        local left = ngx.shared.edge_a:get("t " .. share)
        equal(true, left > 0)
        -- longer than the share's life and the period after it
        ngx.sleep(1.3)
        local began, admitted = clock.now(), 0
        assert(both[2].dict.nodes:request("TAKE " .. both[2].dict.prefix .. "k log 1000 1 cost=1000", nil, true))
        admitted = admitted + 1000
        for _ = 1, left do
            admitted = admitted + (both[1]:take("k") and 1 or 0)
        end
        -- all that was in less than a period is in one stretch of it
        equal(true, clock.now() - began >= 1 or admitted <= 1000)
    end)
end
