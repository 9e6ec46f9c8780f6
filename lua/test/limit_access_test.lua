--- `resty.dshm.limit.access`: what a location of nginx that is limited answers, and what it does when nobody decides.

local headers = require("resty.dshm.limit.headers")
local http = require("support.http")
local limit_replies = require("support.limit_replies")
local scripted_network = require("support.scripted_network")
local tap = require("support.tap")

local case, equal, returns, values = tap.case, tap.equal, tap.returns, tap.values
local says, says_all, sent = limit_replies.says, limit_replies.says_all, limit_replies.sent

local REFUSED = { refused = "connection refused" }


-- A network with one node, and the location with these options on it.
local function limited(options)
    local network = scripted_network.new()
    for name, value in pairs({ region = "r", host = "a:1", exactly_once = false }) do
        options[name] = value
    end
    local limit = network:load("resty.dshm.limit.access").new(options)
    http.handlers.access = function() limit:access() end
    return network
end


local function options()
    case("limit.access: what is no option, or missing", function()
        local new = require("resty.dshm.limit.access").new
        for _, c in ipairs({
            { "on_failure", { limit = 1, period = 1 } }, { "bad limit", { period = 1, on_failure = "admit" } },
            { "bad period", { limit = 1, on_failure = "admit" } },
            { "no such option", { limit = 1, period = 1, on_failure = "admit", burts = 1 } },
            { "no such option", { limits = { { limit = 1, period = 1, on_failure = "admit", host = "a" } } } },
            { "name", { name = 'a"b', limit = 1, period = 1, on_failure = "admit" } },
            { "local_dict", { limit = 1, period = 1, on_failure = "local", local_limit = 1 } },
            { "local_limit", { limit = 1, period = 1, on_failure = "local", local_dict = "native" } },
            { "local_period", { policy = "p", on_failure = "local", local_dict = "native", local_limit = 1 } },
            { "named", { limits = { { limit = 1, period = 1 }, { limit = 1, period = 2 } }, on_failure = "admit" } },
        }) do
            local ok, err = pcall(new, c[2])
            equal(false, ok)
            equal(true, err:find(c[1], 1, true) ~= nil)
        end
    end)

    case("limit.headers: one function knows the draft", function()
        local decision = { limit = 10, remaining = 7, reset = 0.2 }
        returns(values('"a";q=100;w=1, "b";q=10', '"a";r=7;t=1, "b";r=7;t=1'), headers.draft({
            { name = "a", limit = 100, period = 0.5, decision = decision }, { name = "b", decision = decision },
        }))
        equal(1, headers.retry_after({ { allowed = false, retry = 0 }, { allowed = true, retry = 5 } }))
        equal(7, headers.retry_after({ { allowed = false, retry = 6.001 }, { allowed = false, retry = 1 } }))
    end)
end


local function decisions(socket)
    case("limit.access: an admitted request, and its headers", function()
        local network = limited({ name = "api", limit = 100, period = 60, on_failure = "refuse", old_headers = true })
        network:on("a:1", says("allowed=1 limit=100 remaining=99 reset=601 retry=0"))
        local status, found, body = http.get(socket, "/limited/")
        equal(200, status)
        equal("content\n", body)
        equal('"api";q=100;w=60', found["ratelimit-policy"])
        equal('"api";r=99;t=1', found["ratelimit"])
        equal("100", found["x-ratelimit-limit"])
        equal("99", found["x-ratelimit-remaining"])
        equal("1", found["x-ratelimit-reset"])
        equal(nil, found["retry-after"])
        equal("TAKE r::api:unix: gcra 100 60\r\n", sent(network))
    end)

    case("limit.access: a refused request gets 429, and when to come again, never 0", function()
        local network = limited({ limit = 100, period = 60, on_failure = "refuse", problem = true })
        network:on("a:1", says("allowed=0 limit=100 remaining=0 reset=60000 retry=1"),
                   says("allowed=0 limit=100 remaining=0 reset=60000 retry=1001"),
                   says("allowed=0 limit=100 remaining=0 reset=60000 retry=-1"))
        for _, retry_after in ipairs({ "1", "2", false }) do
            local status, found, body = http.get(socket, "/limited/")
            equal(429, status)
            equal(retry_after or nil, found["retry-after"])
            equal('"default";r=0;t=60', found["ratelimit"])
            equal(nil, found["x-ratelimit-limit"])
            equal("application/problem+json", found["content-type"])
            equal(true, body:find('"violated-policies":["default"]', 1, true) ~= nil)
        end
    end)

    case("limit.access: key and cost may be functions, a request without key is not limited", function()
        local network = limited({
            limit = 100, period = 60, on_failure = "refuse", status = 503,
            key = function() return ngx.var.arg_user end, cost = function() return tonumber(ngx.var.arg_cost) end,
        })
        network:on("a:1", says("allowed=0 limit=100 remaining=0 reset=1 retry=1"))
        equal(503, (http.get(socket, "/limited/?user=a%20b&cost=7")))
        equal("TAKE r::default:a%2520b gcra 100 60 cost=7\r\n", sent(network))
        equal(200, (http.get(socket, "/limited/")))
        equal("", sent(network))
    end)

    case("limit.access: several limits are one request, all or none", function()
        local network = limited({
            on_failure = "refuse", old_headers = true,
            limits = {
                { name = "s", limit = 2, period = 1, key = "arg_user" }, { name = "h", limit = 10, period = 3600 },
            },
        })
        network:on("a:1", says_all(1, "allowed=1 limit=2 remaining=1 reset=500 retry=0",
                                   "allowed=1 limit=10 remaining=9 reset=360000 retry=0"),
                   says_all(0, "allowed=1 limit=2 remaining=2 reset=0 retry=0",
                            "allowed=0 limit=10 remaining=0 reset=3600000 retry=360000"))
        local status, found = http.get(socket, "/limited/?user=joe")
        equal(200, status)
        equal('"s";q=2;w=1, "h";q=10;w=3600', found["ratelimit-policy"])
        equal('"s";r=1;t=1, "h";r=9;t=360', found["ratelimit"])
        equal("1", found["x-ratelimit-remaining"])
        local lines = "TAKE r::s:joe gcra 2 1\r\nTAKE r::h:unix: gcra 10 3600\r\n"
        equal("TAKE_ALL " .. #lines .. "\r\n" .. lines, sent(network))
        status, found = http.get(socket, "/limited/")
        equal(429, status)
        equal("360", found["retry-after"])
        equal("0", found["x-ratelimit-remaining"])
    end)

    case("limit.access: a leaky bucket makes the request wait, a shadow lets it pass", function()
        local network = limited({
            algorithm = "leaky", limit = 10, period = 1, burst = 5, on_failure = "refuse", shadow = true,
        })
        network:on("a:1", says("allowed=1 limit=6 remaining=4 reset=1 retry=0 delay=100 would=0"))
        local would
        http.handlers.log = function() would = ngx.ctx.dshm_limits.default.would end
        local began = ngx.now()
        equal(200, (http.get(socket, "/limited/")))
        ngx.update_time()
        equal(true, ngx.now() - began >= 0.099)
        http.handlers.log = nil
        equal(false, would)
        equal("TAKE r::default:unix: leaky 10 1 burst=5 shadow=yes\r\n", sent(network))
    end)
end


local function failures(socket)
    for _, c in ipairs({ { "refuse", 503, "1" }, { "admit", 200, nil } }) do
        case("limit.access: nobody decides: " .. c[1], function()
            local network = limited({ limit = 100, period = 60, on_failure = c[1] })
            network:on("a:1", REFUSED)
            local status, found = http.get(socket, "/limited/")
            equal(c[2], status)
            equal(c[3], found["retry-after"])
            equal(nil, found["ratelimit"])
            equal(1, #network:sent())
            -- for a moment nobody waits for it again
            equal(c[2], (http.get(socket, "/limited/")))
            equal(0, #network:sent())
            network.time = network.time + 1
            network:on("a:1", says("allowed=1 limit=100 remaining=99 reset=600 retry=0"))
            equal(200, (http.get(socket, "/limited/")))
            equal(1, #network:sent())
        end)
    end

    case("limit.access: an error that is an answer does not keep others from asking", function()
        local network = limited({ limit = 100, period = 60, on_failure = "admit" })
        network:on("a:1", { input = "ERROR bad_request other algorithm\r\n" }, { input = "ERROR busy\r\n" })
        equal(200, (http.get(socket, "/limited/")))
        equal(200, (http.get(socket, "/limited/")))
        equal(2, #network:sent())
    end)

    case("limit.access: nobody decides: this nginx admits its share, and no more", function()
        ngx.shared.native:flush_all()
        local network = limited({
            limit = 100, period = 60, on_failure = "local", local_dict = "native", local_limit = 2, key = "arg_user",
        })
        network:on("a:1", REFUSED)
        for i = 1, 4 do
            local status, found = http.get(socket, "/limited/?user=a")
            equal(i <= 2 and 200 or 429, status)
            equal(i > 2 and "60" or nil, found["retry-after"])
        end
        equal(200, (http.get(socket, "/limited/?user=b")))
        equal(1, #network:sent())
        ngx.shared.native:flush_all()
    end)

    case("limit.access: of several limits the strictest says what happens", function()
        local network = limited({ limits = {
            { name = "a", limit = 1, period = 1, on_failure = "admit" },
            { name = "b", limit = 1, period = 1, on_failure = "refuse" },
        } })
        network:on("a:1", REFUSED)
        equal(503, (http.get(socket, "/limited/")))
    end)
end


local function against_a_server(socket, host, port)
    case("limit.access: a server decides, for requests at once", function()
        local limit = require("resty.dshm.limit.access").new({
            region = "lua-access-test-" .. ngx.worker.pid() .. "-" .. math.floor(ngx.now() * 1000),
            host = host, port = port, limit = 5, period = 315619200, on_failure = "refuse",
        })
        http.handlers.access = function() limit:access() end
        local counts, threads = {}, {}
        for i = 1, 20 do
            threads[i] = ngx.thread.spawn(function()
                local status = http.get(socket, "/limited/")
                counts[status] = (counts[status] or 0) + 1
            end)
        end
        for _, thread in ipairs(threads) do
            assert(ngx.thread.wait(thread))
        end
        equal(5, counts[200])
        equal(15, counts[429])
    end)
end


return function(socket, host, port)
    options()
    decisions(socket)
    failures(socket)
    if port then
        against_a_server(socket, host, port)
    end
end
