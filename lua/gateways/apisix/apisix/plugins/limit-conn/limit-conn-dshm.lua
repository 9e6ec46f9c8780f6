--- An object as APISIX's limit-conn has them: `incoming(key, commit)`, `is_committed()` and `leaving(key, latency)`.
-- What a gateway that crashes held is free again by itself.

local limiter_of = require("apisix.plugins.limit-count.limit-count-dshm").limiter_of
local new_conn = require("resty.dshm.limit.conn").new


local _M = {
    version = 0.1,
}


--- `max` requests at a time, and `burst` more that have to wait. `conf` has the record `dshm`, and perhaps `key_ttl`:
-- the seconds after which a permit ends.
function _M.new(_, conf, max, burst, default_conn_delay)
    return new_conn(limiter_of(conf).dict, max, burst, default_conn_delay, conf.key_ttl)
end


return _M
