--- In place of `resty.limit.conn` of lua-resty-limit-traffic, with its constructor and methods: how many requests run
-- at the same time.
--
-- Each has a permit with an end. So those of a web server that has crashed are free again by themselves.

local limit = require("resty.dshm.limit")

local assert = assert
local floor = math.floor
local now = ngx.now
local setmetatable = setmetatable


local _M = {
    _VERSION = "0.1.0",
}

local mt = { __index = _M }

-- Seconds.
local PERMIT_SECONDS = 300

-- By dict and key: the permits that this worker holds, the oldest one first. Requests of one key need not know which
-- one is theirs: all that counts is how many there are. So `leaving` works with another object, too.
local held = setmetatable({}, { __mode = "k" })


local function permits_of(dict, key)
    local of_dict = held[dict]
    if not of_dict then
        of_dict = {}
        held[dict] = of_dict
    end
    local permits = of_dict[key]
    if not permits then
        permits = { first = 1, last = 0 }
        of_dict[key] = permits
    end
    return permits, of_dict
end


-- The holder of the oldest permit, or nil. It is forgotten.
local function take_oldest(permits)
    local oldest = permits[permits.first]
    if oldest then
        permits[permits.first] = nil
        permits.first = permits.first + 1
    end
    return oldest and oldest.holder
end


local function remember(dict, key, holder, seconds)
    local permits = permits_of(dict, key)
    -- whoever has not left by then never will
    while permits.first <= permits.last and permits[permits.first].ends <= now() do
        take_oldest(permits)
    end
    permits.last = permits.last + 1
    permits[permits.last] = { holder = holder, ends = now() + seconds }
end


--- `dict` is a dict of `resty.dshm.dict`, or the name of one in `ngx.shared`; `max` requests at a time, and `burst`
-- more that have to wait, for `default_conn_delay` seconds. A permit ends after `ttl` seconds (300).
function _M.new(dict, max, burst, default_conn_delay, ttl)
    local found, err = limit.dict_of(dict)
    if not found then
        return nil, err
    end
    assert(max > 0 and burst >= 0 and default_conn_delay > 0)
    return setmetatable({
        dict = found, limiter = limit.new(found), max = max + 0, burst = burst, unit_delay = default_conn_delay,
        ttl = ttl or PERMIT_SECONDS, committed = false,
    }, mt)
end


-- How many run already, as far as this node knows; or nil and the error.
local function running(self, key)
    local free, err = self.dict:get(key)
    if free == nil and err then
        return nil, err
    end
    return free and floor(self.max + self.burst) - free or 0
end


--- A request comes: the seconds to wait for, and how many run with it; or nil and "rejected", or another error. Counts
-- it if `commit` is true; otherwise only looks.
function _M.incoming(self, key, commit)
    self.committed = false
    local most = floor(self.max + self.burst)
    local count
    if commit then
        local holder = limit.new_holder()
        local decision, err = self.limiter:acquire(key, most, holder, self.ttl)
        if not decision then
            return nil, err
        elseif not decision.allowed then
            return nil, "rejected"
        end
        remember(self.dict, key, holder, self.ttl)
        self.committed = true
        count = decision.limit - decision.remaining
    else
        local others, err = running(self, key)
        if not others then
            return nil, err
        end
        count = others + 1
        if count > most then
            return nil, "rejected"
        end
    end
    if count > self.max then
        return self.unit_delay * floor((count - 1) / self.max), count
    end
    return 0, count
end


function _M.is_committed(self)
    return self.committed
end


--- Takes back what `incoming` has counted. Returns true, or nil and the error, "not found" if this worker holds none.
-- Where nginx has no sockets it is queued.
function _M.uncommit(self, key)
    assert(key)
    local permits, of_dict = permits_of(self.dict, key)
    local holder = take_oldest(permits)
    if permits.first > permits.last then
        of_dict[key] = nil
    end
    if not holder then
        return nil, "not found"
    end
    return self.limiter:release(key, holder)
end


--- The same, when a request is over. `latency` is how many seconds it took, if it is to count for later delays.
function _M.leaving(self, key, latency)
    local ok, err = self:uncommit(key)
    if not ok then
        return nil, err
    end
    if latency then
        self.unit_delay = (latency + self.unit_delay) / 2
    end
    return true
end


function _M.set_conn(self, max)
    self.max = max
end


function _M.set_burst(self, burst)
    self.burst = burst
end


return _M
