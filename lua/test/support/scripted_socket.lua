--- A stand-in for the cosocket: receives what a test has written down, then ends as the test says, and remembers all
-- that was sent.

local _M = {}

local mt = { __index = _M }


--- `input` are the bytes that the "server" sends; `ending` is the error of a read beyond them ("timeout" unless given);
-- with "never" it waits.
function _M.new(input, ending)
    return setmetatable({
        input = input or "",
        ending = ending or "timeout",
        requests = {},
        send_error = nil,
        closed = false,
        keepalive_count = 0,
        connect_arguments = nil,
    }, mt)
end


function _M.connect(self, ...)
    self.connect_arguments = { n = select("#", ...), ... }
    self.closed = false
    return 1
end


--- Takes tables only: a request whose value was put together into one string has copied it once too often.
function _M.send(self, parts)
    assert(type(parts) == "table", "a request is sent as a table")
    if self.send_error then
        return nil, self.send_error
    end
    self.requests[#self.requests + 1] = table.concat(parts)
    return #self.requests[#self.requests]
end


local function take(self, count)
    local taken = self.input:sub(1, count)
    self.input = self.input:sub(count + 1)
    return taken
end


function _M.receive(self, size)
    if self.closed then
        return nil, "closed"
    end
    if type(size) == "number" then
        if #self.input >= size then
            return take(self, size)
        end
    else
        local line_end = self.input:find("\n", 1, true)
        if line_end then
            return (take(self, line_end):gsub("[\r\n]", ""))
        end
    end
    if self.ending == "never" then
        -- until the light thread is killed
        ngx.sleep(3600)
    end
    return nil, self.ending, take(self, #self.input)
end


function _M.setkeepalive(self, keepalive_millis)
    self.keepalive_millis = keepalive_millis
    self.keepalive_count = self.keepalive_count + 1
    self.closed = true
    return 1
end


function _M.getreusedtimes()
    return 0
end


function _M.settimeout(self, timeout_millis)
    self.timeout_millis = timeout_millis
end


function _M.settimeouts(self, ...)
    self.timeouts_millis = { ... }
end


function _M.close(self)
    if self.closed then
        return nil, "closed"
    end
    self.closed = true
    return 1
end


return _M
