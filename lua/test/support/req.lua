--- A location that asks `resty.dshm.limit.req` once, for ../workers.

local dict = require("resty.dshm.dict")
local req = require("resty.dshm.limit.req")

local _M = {}

local limiter


--- Says 1 if the request is admitted, else 0, and which process has answered. The limit is one in a thousand seconds,
-- and a burst of nine.
function _M.serve()
    if not limiter then
        local limits = assert(dict.new({
            host = os.getenv("DSHM_HOST") or "127.0.0.1", port = tonumber(os.getenv("DSHM_PORT")),
            region = "lua-workers-test",
        }))
        limiter = assert(req.new(limits, 0.001, 9))
    end
    local delay, err = limiter:incoming(ngx.req.get_uri_args().key, true)
    if not delay and err ~= "rejected" then
        error(err)
    end
    ngx.say(delay and 1 or 0, " ", ngx.worker.pid())
end


return _M
