--- Writes that wait until there are sockets: a bounded queue, that timers send.
--
-- A queue has lanes, and each has at most one timer, which sends one write after the other. A key has always the same
-- lane, so that writes of one key are sent in the order in which they were made.

local crc32 = ngx.crc32_short
local format = string.format
local log = ngx.log
local pcall = pcall
local setmetatable = setmetatable
local timer_at = ngx.timer.at
local tostring = tostring

local ERR = ngx.ERR


local _M = {}

local mt = { __index = _M }

local LANES = 16


--- `send(line, data)` sends a write, and returns something true, or nil and the error; `size` is how many may wait.
function _M.new(name, size, send)
    local lanes = {}
    for i = 1, LANES do
        lanes[i] = { first = 1, last = 0, has_timer = false }
    end
    return setmetatable({ name = name, size = size, send = send, lanes = lanes, waiting = 0, dropped = 0 }, mt)
end


-- Sends one write after the other, each at most once. Returns how many failed, and the last error.
local function send_all(self, lane)
    local failures, last_err = 0, nil
    while lane.first <= lane.last do
        local write = lane[lane.first]
        lane[lane.first] = nil
        lane.first = lane.first + 1
        self.waiting = self.waiting - 1
        -- an error in the middle of one is no reason to lose the others
        local can, ok, err = pcall(self.send, write[1], write[2])
        if not can or not ok then
            failures = failures + 1
            last_err = can and err or ok
        end
    end
    return failures, last_err
end


-- Also when nginx stops: it is then that what waits must not be lost.
local function drain(_, self, lane)
    local failures, last_err = send_all(self, lane)
    lane.first, lane.last, lane.has_timer = 1, 0, false
    if failures > 0 then
        self.dropped = self.dropped + failures
        log(ERR, format("DSHM: %s: queued writes that failed: %d, the last with: %s", self.name, failures,
                        tostring(last_err)))
    end
end


local function drop(self, err)
    self.dropped = self.dropped + 1
    return nil, err
end


--- Queues a write of a key. Returns true, or nil and the error: what cannot be queued counts as dropped.
function _M.add(self, key, line, data)
    if self.waiting >= self.size then
        return drop(self, "queue full")
    end
    local lane = self.lanes[crc32(key) % LANES + 1]
    if not lane.has_timer then
        -- init_by_lua has no timers, and raises an error
        local can, ok, err = pcall(timer_at, 0, drain, self, lane)
        if not can or not ok then
            return drop(self, "no timer: " .. (can and err or ok))
        end
        lane.has_timer = true
    end
    lane.last = lane.last + 1
    lane[lane.last] = { line, data }
    self.waiting = self.waiting + 1
    return true
end


return _M
