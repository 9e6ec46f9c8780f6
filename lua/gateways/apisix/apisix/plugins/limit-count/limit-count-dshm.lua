--- An object as APISIX's limit-count has them: `incoming(key, cost)` returns the delay, what remains and the seconds
-- until the window is new; or nil and "rejected", and these seconds; or nil and another error.

local limit = require("resty.dshm.limit")

local setmetatable = setmetatable


local _M = {
    version = 0.1,
}

local mt = { __index = _M }

-- What `conf` has for a dict.
local OF_DICT = {
    "connect_timeout", "host", "keepalive_timeout", "password", "pool_size", "port", "read_timeout", "region",
    "send_timeout", "server_name", "ssl", "ssl_verify", "username",
}

-- Of each configuration that lives: what it is connected with.
local limiters = setmetatable({}, { __mode = "k" })


--- The limiter of the record `conf.dshm`; made once.
function _M.limiter_of(conf)
    local record = conf.dshm or conf
    local limiter = limiters[record]
    if not limiter then
        local options = {}
        for i = 1, #OF_DICT do
            options[OF_DICT[i]] = record[OF_DICT[i]]
        end
        options.region = options.region or "apisix"
        limiter = limit.new(options)
        limiters[record] = limiter
    end
    return limiter
end


--- `count` requests in `window` seconds. `conf` has the record `dshm`, and perhaps `algorithm` ("fixed").
function _M.new(_, count, window, conf)
    return setmetatable({
        limit = count,
        window = window,
        limiter = _M.limiter_of(conf),
        rule = { algorithm = conf.algorithm or "fixed", limit = count, period = window },
    }, mt)
end


function _M.incoming(self, key, cost)
    local decision, err = self.limiter:take(key, setmetatable({ cost = cost or 1 }, { __index = self.rule }))
    if not decision then
        return nil, err
    elseif not decision.allowed then
        return nil, "rejected", decision.retry or decision.reset
    end
    return 0, decision.remaining, decision.reset
end


return _M
