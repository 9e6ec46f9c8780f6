--- In place of `resty.limit.req` of lua-resty-limit-traffic, with its constructor, methods and returns, for dicts of
-- `resty.dshm.dict`: exact when calls overlap.
--
-- The library's own module reads an entry and then writes it. Other calls read the same entry between the two, because
-- a call of such a dict waits for its reply. So here an entry is written only if it is still what was read (compare and
-- set), and otherwise read again.
--
-- An entry has the form of the library's own, so that both may be in use at the same time. It lives until it is as good
-- as none. So a web server whose clock is wrong disturbs the others for no longer than that.

local ffi = require("ffi")

local assert = assert
local cast = ffi.cast
local max = math.max
local min = math.min
local now = ngx.now
local random = math.random
local setmetatable = setmetatable
local shared = ngx.shared
local sleep = ngx.sleep
local tonumber = tonumber
local to_string = ffi.string
local type = type


local _M = {
    _VERSION = "0.1.0",
}

local mt = { __index = _M }

-- Excess in thousandths of a request, and the milliseconds at which it was that.
local record_type = ffi.typeof("struct { unsigned long excess; uint64_t last; }")
local record_pointer = ffi.typeof("const $ *", record_type)
local RECORD_BYTES = ffi.sizeof(record_type)

-- Each attempt that fails is a write of another call. With the pauses between them some hundred calls at the same
-- moment come through.
local ATTEMPTS_MAX = 100
local FIRST_PAUSE_SECONDS = 0.002
local LONGEST_PAUSE_SECONDS = 0.1


--- `dict` is a dict, or the name of one in `ngx.shared`; `rate` requests a second, and `burst` of them beyond that.
function _M.new(dict, rate, burst)
    if type(dict) == "string" then
        dict = shared[dict]
    end
    if not dict then
        return nil, "shared dict not found"
    end
    if not dict.cas then
        return nil, "not a dict of resty.dshm"
    end
    assert(rate > 0 and burst >= 0)
    return setmetatable({ dict = dict, rate = rate * 1000, burst = burst * 1000 }, mt)
end


-- Excess, time and version of the entry of a key, all nil if there is none; or nil and the error.
local function read(self, key)
    local value, flags, version = self.dict:gets(key)
    if value == nil then
        return nil, flags
    end
    if type(value) ~= "string" or #value ~= RECORD_BYTES then
        return nil, "shdict abused by other users"
    end
    local record = cast(record_pointer, value)
    return tonumber(record.excess), tonumber(record.last), version
end


-- Returns as `cas` of a dict.
local function write(self, key, excess, last, version)
    -- when one request more would find nothing in excess
    local seconds = (excess + 1000) / self.rate
    return self.dict:cas(key, to_string(record_type(excess, last), RECORD_BYTES), version, seconds)
end


-- Calls `attempt` until nobody else has written the entry meanwhile.
local function until_written(attempt, self, key, commit)
    local pause = FIRST_PAUSE_SECONDS
    for _ = 1, ATTEMPTS_MAX do
        local is_over, first, second = attempt(self, key, commit)
        if is_over then
            return first, second
        end
        sleep(pause * (0.5 + random() / 2))
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
    end
    return nil, "too many calls for one key at the same time"
end


-- Whether a write is over, and then what to return: `first` and `second` if it was made, or nil and the error.
local function written(ok, err, first, second)
    if ok then
        return true, first, second
    end
    return err ~= "exists" and err ~= "not found", nil, err
end


local function try_incoming(self, key, commit)
    local excess, last, version = read(self, key)
    if not excess and last then
        return true, nil, last
    end
    local time = now() * 1000
    if excess then
        -- clocks of web servers differ: what one has counted as elapsed, no other counts again
        local elapsed = max(time - last, 0)
        excess = max(excess - self.rate * elapsed / 1000 + 1000, 0)
        if excess > self.burst then
            return true, nil, "rejected"
        end
        time = max(time, last)
    else
        excess = 0
    end
    if not commit then
        return true, excess / self.rate, excess / 1000
    end
    local ok, err = write(self, key, excess, time, version)
    return written(ok, err, excess / self.rate, excess / 1000)
end


--- A request comes: the seconds to wait for, and the excess, in requests; or nil and "rejected", or another error.
-- Counts it if `commit` is true.
function _M.incoming(self, key, commit)
    return until_written(try_incoming, self, key, commit)
end


local function try_uncommit(self, key)
    local excess, last, version = read(self, key)
    if not excess then
        return true, nil, last or "not found"
    end
    local ok, err = write(self, key, max(excess - 1000, 0), last, version)
    return written(ok, err, true)
end


--- Takes back what `incoming` has counted. Returns true, or nil and the error.
function _M.uncommit(self, key)
    assert(key)
    local ok, err = until_written(try_uncommit, self, key)
    if not ok then
        return nil, err
    end
    return true
end


function _M.set_rate(self, rate)
    self.rate = rate * 1000
end


function _M.set_burst(self, burst)
    self.burst = burst * 1000
end


return _M
