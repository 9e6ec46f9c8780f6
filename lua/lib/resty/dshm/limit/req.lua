--- In place of `resty.limit.req` of lua-resty-limit-traffic, with its constructor, methods and returns: the server's
-- leaky bucket, in one round trip.
--
-- As in the library, what is counted are thousandths of a request: so `rate` and `burst` may have fractions, and the
-- excess that is returned is as exact as there.

local limit = require("resty.dshm.limit")

local abs = math.abs
local assert = assert
local floor = math.floor
local max = math.max
local setmetatable = setmetatable


local _M = {
    _VERSION = "0.1.0",
}

local mt = { __index = _M }

-- One request.
local UNIT = 1000

-- Of the fraction that is sent for a rate: more precise than anybody can measure, and within the server's limits.
local RELATIVE_ERROR = 1e-9
local SECONDS_MAX = 1e6


--- Two whole numbers whose quotient is `rate`, the second as small as can be: 200 and 1, 1 and 3. The convergents of
-- its continued fraction are tried one after the other.
local function fraction(rate)
    local before_over, before_under = 1, 0
    local over, under = floor(rate), 1
    local rest = rate - over
    while abs(over / under - rate) > rate * RELATIVE_ERROR do
        local inverse = 1 / rest
        local whole = floor(inverse)
        rest = inverse - whole
        local next_under = whole * under + before_under
        if next_under > SECONDS_MAX then
            break
        end
        over, before_over = whole * over + before_over, over
        under, before_under = next_under, under
    end
    return over, under
end


-- The words of rate and burst: made when they are needed, once.
local function words_of(self)
    if not self.words then
        local tokens, period = fraction(self.rate / 1000)
        self.words, self.err = limit.rule_words({
            algorithm = "leaky", limit = tokens * UNIT, period = period,
            -- the limit of what can come at once is the server's burst and one token
            burst = floor(self.burst) + UNIT - 1,
        })
    end
    return self.words, self.err
end


--- `dict` is a dict of `resty.dshm.dict`, or the name of one in `ngx.shared`; `rate` requests a second, from one in
-- 1,000,000 seconds on, and `burst` of them beyond that.
function _M.new(dict, rate, burst)
    local found, err = limit.dict_of(dict)
    if not found then
        return nil, err
    end
    assert(rate > 0 and burst >= 0)
    local self = setmetatable({ dict = found, rate = rate * 1000, burst = burst * 1000 }, mt)
    local words
    words, err = words_of(self)
    if not words then
        return nil, err
    end
    return self
end


--- The request of a call, for `resty.dshm.limit.traffic`.
function _M.take_line(self, key, commit)
    local words, err = words_of(self)
    if not words then
        return nil, err
    end
    return limit.take_line(self.dict, key, words, commit and UNIT or 0)
end


--- What `incoming` returns of a decision.
function _M.read(self, decision, commit)
    local used = decision.limit - decision.remaining
    if not decision.allowed or not commit and decision.remaining < UNIT then
        return nil, "rejected"
    end
    local excess = max(commit and used - UNIT or used, 0)
    return excess / self.rate, excess / 1000
end


--- A request comes: the seconds to wait for, and the excess, in requests; or nil and "rejected", or another error.
-- Counts it if `commit` is true.
_M.incoming = limit.incoming


--- Takes back what `incoming` has counted. Returns true, or nil and the error. Where nginx has no sockets it is queued.
function _M.uncommit(self, key)
    assert(key)
    local words, err = words_of(self)
    local line
    if words then
        line, err = limit.take_line(self.dict, key, words, -UNIT)
    end
    if not line then
        return nil, err
    end
    local decision
    decision, err = limit.decide(self.dict, line, true)
    if not decision then
        return nil, err
    end
    return true
end


function _M.set_rate(self, rate)
    self.rate, self.words = rate * 1000, nil
end


function _M.set_burst(self, burst)
    self.burst, self.words = burst * 1000, nil
end


return _M
