--- In place of `resty.limit.count` of lua-resty-limit-traffic, with its constructor, methods and returns.
--
-- Each call is one round trip. A window is one of the cluster's clock, and begins at a multiple of its length, on all
-- web servers at once; a fourth argument names another algorithm. A refused call takes nothing.

local limit = require("resty.dshm.limit")

local assert = assert
local floor = math.floor
local setmetatable = setmetatable


local _M = {
    _VERSION = "0.1.0",
}

local mt = { __index = _M }


--- `dict` is a dict of `resty.dshm.dict`, or the name of one in `ngx.shared`; `count` calls in `window` seconds.
-- `algorithm` is "fixed" unless given.
function _M.new(dict, count, window, algorithm)
    local found, err = limit.dict_of(dict)
    if not found then
        return nil, err
    end
    assert(count > 0 and window > 0)
    local words
    words, err = limit.rule_words({ algorithm = algorithm or "fixed", limit = floor(count), period = window })
    if not words then
        return nil, err
    end
    return setmetatable({ dict = found, limit = count, window = window, words = words }, mt)
end


--- The request of a call, for `resty.dshm.limit.traffic`.
function _M.take_line(self, key, commit)
    return limit.take_line(self.dict, key, self.words, commit and 1 or 0)
end


--- What `incoming` returns of a decision.
function _M.read(_, decision, commit)
    local remaining = decision.remaining - (commit and 0 or 1)
    if not decision.allowed or remaining < 0 then
        return nil, "rejected"
    end
    return 0, remaining
end


--- A call comes: 0 and how many are left; or nil and "rejected", or another error. Counts it if `commit` is true.
_M.incoming = limit.incoming


--- Takes back what `incoming` has counted. Returns how many are left, or nil and the error; true where nginx has no
-- sockets, and it was queued.
function _M.uncommit(self, key)
    assert(key)
    local line, err = limit.take_line(self.dict, key, self.words, -1)
    if not line then
        return nil, err
    end
    local decision
    decision, err = limit.decide(self.dict, line, true)
    if decision == true or not decision then
        return decision, err
    end
    return decision.remaining
end


return _M
