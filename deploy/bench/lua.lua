-- One measurement of deploy/bench/lua, inside an nginx worker: `threads` light threads call one thing, one call after
-- the other, for `seconds`. Says how many calls a second that made.

local dict = require("resty.dshm.dict")
local edge = require("resty.dshm.limit.edge")
local redis = require("nginx.redis")

local KEYS = 1000
local VALUE = string.rep("v", 64)
local POOL_SIZE = 100

local dshm = dict.new({ region = "bench", host = os.getenv("BENCH_DSHM"), pool_size = POOL_SIZE })
local share = edge.new({ share_dict = "shares", limit = 1e9, period = 60, dict = dshm })
local redis_port = tonumber(os.getenv("BENCH_REDIS"))


-- What lua-resty-redis asks of its users for each call.
local function with_redis(method, ...)
    local red = redis:new()
    red:set_timeout(5000)
    assert(red:connect("127.0.0.1", redis_port))
    local result = assert(red[method](red, ...))
    assert(red:set_keepalive(60000, POOL_SIZE))
    return result
end


local calls = {
    ["dshm/incr"] = function(i) assert(dshm:incr("c" .. i, 1, 0)) end,
    -- a few keys, so that they are hot; beside it, what others count a limit with
    ["dshm/take"] = function(i) assert(share:take("hot" .. i % 10)) end,
    ["dshm/get"] = function(i) assert(dshm:get("g" .. i) == VALUE) end,
    ["redis/incr"] = function(i) with_redis("incr", "c" .. i) end,
    ["redis/take"] = function(i) with_redis("incr", "hot" .. i % 10) end,
    ["redis/get"] = function(i) assert(with_redis("get", "g" .. i) == VALUE) end,
    ["native/incr"] = function(i) assert(ngx.shared.native:incr("c" .. i, 1, 0)) end,
    ["native/take"] = function(i) assert(ngx.shared.native:incr("hot" .. i % 10, 1, 0)) end,
    ["native/get"] = function(i) assert(ngx.shared.native:get("g" .. i) == VALUE) end,
}


local function fill()
    for i = 1, KEYS do
        assert(dshm:set("g" .. i, VALUE))
        assert(ngx.shared.native:set("g" .. i, VALUE))
        with_redis("set", "g" .. i, VALUE)
    end
end


local function measure(call, threads, seconds)
    local count, begin = 0, ngx.now()
    local running = {}
    for thread = 1, threads do
        running[thread] = ngx.thread.spawn(function()
            repeat
                -- some at a time, because a call of the native dict does not let the clock go on
                for _ = 1, 10 do
                    call(math.random(KEYS))
                end
                count = count + 10
                ngx.update_time()
            until ngx.now() - begin >= seconds
        end)
    end
    for _, thread in ipairs(running) do
        assert(ngx.thread.wait(thread))
    end
    return count / (ngx.now() - begin)
end


local args = ngx.req.get_uri_args()
if args.what == "fill" then
    fill()
    ngx.say("filled")
else
    ngx.say(string.format("%.0f", measure(calls[args.what], tonumber(args.threads), tonumber(args.seconds))))
end
