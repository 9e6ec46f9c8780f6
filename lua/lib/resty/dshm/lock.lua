--- A lock of the cluster, with the methods of lua-resty-lock, and a number that rises with every holder.
--
-- It ends by itself, by the cluster's clock. Only who holds it can give it back: a lock that has ended meanwhile, and
-- that somebody else has, stays theirs.

local limit = require("resty.dshm.limit")

local escape = require("resty.dshm.wire").escape
local getmetatable = getmetatable
local max = math.max
local min = math.min
local newproxy = newproxy
local now = ngx.now
local setmetatable = setmetatable
local sleep = ngx.sleep
local update_time = ngx.update_time


local _M = {
    _VERSION = "0.1.0",
}

local mt = { __index = _M }


-- Gives back the lock of an object that nobody knows any more; there Lua cannot wait, so a timer sends it.
local function guard(self)
    local proxy = newproxy(true)
    local state = self.state
    getmetatable(proxy).__gc = function()
        if state.line then
            limit.send_later(state.dict, state.line)
        end
    end
    return proxy
end


--- `dict` is a dict of `resty.dshm.dict`, or the name of one in `ngx.shared`. `opts` are those of lua-resty-lock:
-- `exptime` (30), `timeout` (5), `step` (0.001), `ratio` (2), `max_step` (0.5); times in seconds.
function _M.new(_, dict, opts)
    local found, err = limit.dict_of(dict)
    if not found then
        return nil, err == "shared dict not found" and "dictionary not found" or err
    end
    opts = opts or {}
    local exptime = opts.exptime or 30
    local self = setmetatable({
        limiter = limit.new(found),
        exptime = exptime,
        timeout = opts.timeout and min(opts.timeout, exptime) or 5,
        step = opts.step or 0.001,
        ratio = opts.ratio or 2,
        max_step = opts.max_step or 0.5,
        state = { dict = found },
    }, mt)
    self.guard = guard(self)
    return self
end


local function hold(self, key, holder, fence)
    self.key, self.holder, self.number = key, holder, fence
    self.state.line = "RELEASE " .. self.state.dict.prefix .. escape(key) .. " holder=" .. holder
end


local function forget(self)
    self.key, self.holder, self.number, self.state.line = nil, nil, nil, nil
end


--- Waits until it has the lock. Returns how many seconds that took; or nil and "timeout", "locked" if this object has
-- one already, or another error.
function _M.lock(self, key)
    if not key then
        return nil, "nil key"
    elseif self.key then
        return nil, "locked"
    end
    local holder, began, step = limit.new_holder(), now(), self.step
    while true do
        local decision, err = self.limiter:acquire(key, 1, holder, self.exptime)
        if not decision then
            return nil, err
        elseif decision.allowed then
            hold(self, key, holder, decision.fence)
            return now() - began
        end
        update_time()
        local left = self.timeout - (now() - began)
        if left <= 0 then
            return nil, "timeout"
        end
        sleep(max(0.001, min(step, left)))
        step = min(step * self.ratio, self.max_step)
    end
end


--- A string of digits: higher than that of every earlier holder of this lock. What is written under the lock sends it
-- along, and the place that it is written to refuses a lower one than it has seen. Nil without a lock.
function _M.fence(self)
    return self.number
end


--- Gives the lock back. Returns 1, also if it has ended meanwhile; or nil and the error. Where nginx has no sockets it
-- is queued.
function _M.unlock(self)
    if not self.key then
        return nil, "unlocked"
    end
    local ok, err = self.limiter:release(self.key, self.holder)
    if not ok then
        return nil, err
    end
    forget(self)
    return 1
end


--- Lets the lock last so many seconds from now on, `exptime` of `new` unless given. Returns true, or nil and the error:
-- "not found" if it has ended meanwhile.
function _M.expire(self, exptime)
    if not self.key then
        return nil, "unlocked"
    end
    local decision, err = self.limiter:acquire(self.key, 1, self.holder, exptime or self.exptime)
    if not decision then
        return nil, err
    end
    if not decision.allowed or decision.fence ~= self.number then
        -- it had ended: somebody else has it, or could have had it
        if decision.allowed then
            self:unlock()
        end
        forget(self)
        return nil, "not found"
    end
    return true
end


return _M
