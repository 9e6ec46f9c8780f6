--- An object as APISIX's limit-req has them: `incoming(key, commit)` returns the delay in seconds; or nil and
-- "rejected", or another error.

local limiter_of = require("apisix.plugins.limit-count.limit-count-dshm").limiter_of
local new_req = require("resty.dshm.limit.req").new


local _M = {
    version = 0.1,
}


--- `rate` requests a second, and `burst` beyond that. `conf` has the record `dshm`.
function _M.new(_, conf, rate, burst)
    return new_req(limiter_of(conf).dict, rate, burst)
end


return _M
