--- A location that takes from one limit by `resty.dshm.limit.edge`, for ../reload.

local edge = require("resty.dshm.limit.edge")

local _M = {}

local limiter


--- Asks `take` times for a token of the key, and says how many were admitted, and how many of these by a share. With
-- `take` 0 it says how many are left, as the cluster knows it, and which process has answered.
function _M.serve()
    local arguments = ngx.req.get_uri_args()
    limiter = limiter or edge.new({
        share_dict = "edge_a", host = os.getenv("DSHM_HOST") or "127.0.0.1", port = tonumber(os.getenv("DSHM_PORT")),
        region = "lua-reload-test", algorithm = "fixed", limit = tonumber(arguments.limit), period = 315619200,
    })
    local key = arguments.key
    if arguments.take == "0" then
        local line = "TAKE " .. limiter.dict.prefix .. key .. limiter.words .. " cost=0"
        ngx.say(assert(limiter.dict.nodes:request(line, nil, true)):match("remaining=(%d+)"), " ", ngx.worker.pid())
        return
    end
    local admitted, by_share = 0, 0
    for _ = 1, tonumber(arguments.take) do
        local allowed, decision = limiter:take(key)
        if allowed == nil then
            error(decision)
        end
        admitted = admitted + (allowed and 1 or 0)
        by_share = by_share + (allowed and not decision and 1 or 0)
    end
    ngx.say(admitted, " ", by_share)
end


return _M
