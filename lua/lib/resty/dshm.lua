--- Client of DSHM for nginx with the Lua module, and OpenResty: one object is one connection.
--
-- Every method returns exactly one value when it succeeds and `nil, err` when it fails; README.md says what and which.
--
-- A connection is either in step with the server (all that was asked is answered) or must not be used again: a reply
-- read one request too late would be some other key's value. So `unusable` holds, from the moment a request is sent
-- until its reply is complete, why the next one may not be sent. Whatever ends a request half way, be it a timeout, a
-- broken reply or a light thread that was killed, leaves it set, and neither a command nor the connection pool gets
-- that connection.

local escape_uri = ngx.escape_uri
local tcp = ngx.socket.tcp
local ceil = math.ceil
local find = string.find
local floor = math.floor
local format = string.format
local gsub = string.gsub
local match = string.match
local pcall = pcall
local require = require
local running = coroutine.running
local setmetatable = setmetatable
local tonumber = tonumber
local tostring = tostring
local type = type


local _M = {
    _VERSION = "0.1.0",
    PROTOCOL_ERROR = "protocol_error",
    -- What is returned where Lua cannot yield.
    CANNOT_YIELD = "no sockets here: Lua cannot yield here",
}

local mt = { __index = _M }


-- The server's limit, tested on what is sent, that is after escaping.
local KEY_BYTES_MAX = 65535

-- More than any server's limit. What announces more is no DSHM server, and `receive` takes no number beyond it.
local REPLY_BYTES_MAX = 2 ^ 31 - 1

-- Numbers up to here are exact in a double.
local EXACT_INTEGER_MAX = 2 ^ 53

-- The finest TTL there is. A shorter one becomes this, because 0 means "never expires".
local SECONDS_MIN = 0.001

-- What follows the bytes of a value.
local AFTER_VALUE = "\r\nDONE\r\n"

local CANNOT_YIELD = _M.CANNOT_YIELD
local NOT_INITIALIZED = "not initialized"
local CLOSED = "closed"
local CONNECTION_BUSY = "connection busy"

-- The server's code, where users know the error by another name.
local ERROR_NAMES = {
    not_found = "not found",
}


-- A function of one argument, `true`, that returns something true where Lua can yield. A cosocket must not wait
-- anywhere else: in a `__gc`, below table.sort, string.gsub or require, that ends the nginx worker with signal 11.
--
-- nginx's own table "coroutine" has no `isyieldable`. LuaJIT's C function for it takes the Lua state and returns 1 or
-- 0. So it has the form of a C function of Lua, and its result is how many of its arguments it returns.
local function yield_test()
    if coroutine.isyieldable then
        return coroutine.isyieldable
    end
    -- the program itself, with all libraries that it has loaded
    local from_library = package.loadlib("", "lua_isyieldable")
    if from_library then
        return from_library
    end
    -- C libraries other than glibc know no such name: FFI finds the function, and the address is the Lua state's
    local has_ffi, ffi = pcall(require, "ffi")
    if not has_ffi then
        return function() return true end
    end
    ffi.cdef("int lua_isyieldable(void *L);")
    local has_function, is_yieldable = pcall(function() return ffi.C.lua_isyieldable end)
    if not has_function then
        return function() return true end
    end
    return function()
        local thread = running()
        return thread and is_yieldable(ffi.cast("void *", tonumber(format("%p", thread)))) ~= 0
    end
end

local can_yield = yield_test()


local function escape_pieces(key)
    return (gsub(key, "[^:]+", escape_uri))
end


-- Text of a number that is whole and exact, never with an exponent; nil for any other.
local function whole_number_text(number)
    if floor(number) ~= number or number > EXACT_INTEGER_MAX or number < -EXACT_INTEGER_MAX then
        return nil
    end
    -- format makes "-0" of a negative zero
    return number == 0 and "0" or format("%.0f", number)
end


-- An integer as the server reads it. Strings of digits go as they are: 64 bits do not fit into a Lua number.
local function integer_text(value)
    if type(value) == "number" then
        return whole_number_text(value)
    end
    if type(value) == "string" and #value <= 20 and find(value, "^%-?%d+$") then
        return value
    end
    return nil
end


local function seconds_text(value)
    local seconds = tonumber(value)
    -- written so that NaN fails, too
    if not (seconds and seconds >= 0 and seconds <= EXACT_INTEGER_MAX) then
        return nil
    end
    if seconds > 0 and seconds < SECONDS_MIN then
        seconds = SECONDS_MIN
    end
    return whole_number_text(seconds) or format("%.3f", seconds)
end


local function ttl_text(exptime)
    if exptime == nil then
        return "0"
    end
    return seconds_text(exptime)
end


-- A string as it is, a number as its text; nil for anything else.
local function bytes_of(value)
    if type(value) == "string" then
        return value
    end
    if type(value) == "number" then
        return whole_number_text(value) or tostring(value)
    end
    return nil
end


-- The key as it is sent, or nil and why it cannot be sent. A transformation of the user's own is not trusted to leave
-- nothing that would end the argument or the line.
local function wire_key(self, key)
    local bytes = bytes_of(key)
    if not bytes or bytes == "" then
        return nil, "bad key"
    end
    local escaped = self.escape_key(bytes)
    if type(escaped) ~= "string" or escaped == "" or find(escaped, "[%c ]") then
        return nil, "bad key"
    end
    if #escaped > KEY_BYTES_MAX then
        return nil, "key too long"
    end
    return escaped
end


local function fail(self, err)
    self.unusable = CLOSED
    self.sock:close()
    return nil, err
end


--- Sends a request, a table of strings, in one go, and reads its reply, whatever the verb: returns its first line and,
-- when one came, the value; or nil and the error. For what has no method here; keys are escaped by the caller.
function _M.request(self, request)
    if self.unusable then
        return nil, self.unusable
    end
    if not can_yield(true) then
        return nil, CANNOT_YIELD
    end
    self.unusable = CONNECTION_BUSY

    local sock = self.sock
    local sent, err = sock:send(request)
    if not sent then
        return fail(self, err)
    end

    local line
    line, err = sock:receive()
    if not line then
        return fail(self, err)
    end

    local code, text = match(line, "^ERROR (%S+) ?(.*)")
    if code then
        self.unusable = nil
        return nil, ERROR_NAMES[code] or code, text
    end

    if line == "DONE" or find(line, "^DONE %S") then
        self.unusable = nil
        return line
    end

    local length = tonumber(match(line, "^LEN (%d+)%f[ %z]"))
    if not length or length > REPLY_BYTES_MAX then
        return fail(self, _M.PROTOCOL_ERROR)
    end
    local value, after
    value, err = sock:receive(length)
    if not value then
        return fail(self, err)
    end
    after, err = sock:receive(#AFTER_VALUE)
    if not after then
        return fail(self, err)
    end
    if after ~= AFTER_VALUE then
        return fail(self, _M.PROTOCOL_ERROR)
    end
    self.unusable = nil
    return line, value
end


-- The reply of a plain verb, which has nothing but the value if the request is answered with one: that, otherwise 1.
local function exchange(self, request, has_value)
    local line, value = self:request(request)
    if not line then
        return nil, value
    end
    if not find(line, has_value and "^LEN %d+$" or "^DONE$") then
        return fail(self, _M.PROTOCOL_ERROR)
    end
    return value or 1
end


--- Makes a client without a connection; `dshm:new(opts)` and `dshm.new(opts)` do the same.
function _M.new(self, opts)
    if opts == nil and self ~= _M then
        opts = self
    end

    local escape_key = escape_pieces
    local key_transform = opts and opts.key_transform
    if key_transform then
        escape_key = key_transform[1]
        -- nothing here reads keys back yet, but a pair is what the option promises to those who will
        if not escape_key or not key_transform[2] then
            return nil, "expecting key_transform = { escape, unescape } table"
        end
    end

    local sock, err = tcp()
    if not sock then
        return nil, err
    end
    return setmetatable({ sock = sock, escape_key = escape_key, unusable = NOT_INITIALIZED }, mt)
end


function _M.connect(self, host, port, opts)
    if not can_yield(true) then
        return nil, CANNOT_YIELD
    end
    local sock = self.sock
    local ok, err
    -- connect() of the cosocket counts its arguments, and raises an error over a nil among them
    if port == nil then
        if opts == nil then
            ok, err = sock:connect(host)
        else
            ok, err = sock:connect(host, opts)
        end
    elseif opts == nil then
        ok, err = sock:connect(host, port)
    else
        ok, err = sock:connect(host, port, opts)
    end

    if not ok then
        self.unusable = CLOSED
        return nil, err
    end
    self.unusable = nil
    return ok
end


-- Where the connections of several users go into pools, each user has a pool of its own (`opts.pool` of `connect`):
-- a pooled connection stays who it was.
function _M.auth(self, user, secret)
    if type(user) ~= "string" or user == "" or type(secret) ~= "string" or secret == "" then
        return nil, "bad user or secret"
    end
    return exchange(self, { "AUTH ", escape_uri(user), " ", escape_uri(secret), "\r\n" })
end


--- Milliseconds; 0 is nginx's own, `lua_socket_read_timeout` and its like, and what is less than one becomes one.
function _M.set_timeout(self, timeout_millis)
    self.sock:settimeout(type(timeout_millis) == "number" and ceil(timeout_millis) or timeout_millis)
    return 1
end


--- Puts the connection into the pool, if it is in step with the server. If it cannot go there it is closed.
function _M.set_keepalive(self, ...)
    if self.unusable then
        return nil, self.unusable
    end
    local ok, err = self.sock:setkeepalive(...)
    if not ok then
        return fail(self, err)
    end
    self.unusable = CLOSED
    return ok
end


function _M.get_reused_times(self)
    if self.unusable then
        return nil, self.unusable
    end
    return self.sock:getreusedtimes()
end


function _M.close(self)
    local unusable = self.unusable
    if unusable == NOT_INITIALIZED or unusable == CLOSED then
        return nil, unusable
    end
    self.unusable = CLOSED
    return self.sock:close()
end


--- Takes leave of the server and closes the connection.
function _M.quit(self)
    local ok, err = exchange(self, { "QUIT\r\n" }, false)
    if not ok then
        return nil, err
    end
    self.unusable = CLOSED
    self.sock:close()
    return 1
end


function _M.get(self, key)
    local escaped, err = wire_key(self, key)
    if not escaped then
        return nil, err
    end
    return exchange(self, { "GET ", escaped, "\r\n" }, true)
end


function _M.set(self, key, value, exptime)
    local escaped, err = wire_key(self, key)
    if not escaped then
        return nil, err
    end
    local bytes = bytes_of(value)
    if not bytes then
        return nil, "bad value"
    end
    local ttl = ttl_text(exptime)
    if not ttl then
        return nil, "bad exptime"
    end
    return exchange(self, { "SET ", escaped, " ", ttl, " ", whole_number_text(#bytes), "\r\n", bytes }, true)
end


function _M.touch(self, key, exptime)
    local escaped, err = wire_key(self, key)
    if not escaped then
        return nil, err
    end
    local ttl = ttl_text(exptime)
    if not ttl then
        return nil, "bad exptime"
    end
    return exchange(self, { "TOUCH ", escaped, " ", ttl, "\r\n" }, false)
end


function _M.delete(self, key)
    local escaped, err = wire_key(self, key)
    if not escaped then
        return nil, err
    end
    return exchange(self, { "DELETE ", escaped, "\r\n" }, false)
end


function _M.incr(self, key, value, init, init_ttl)
    local escaped, err = wire_key(self, key)
    if not escaped then
        return nil, err
    end
    local by = integer_text(value == nil and 1 or value)
    if not by then
        return nil, "bad value"
    end
    local first = integer_text(init == nil and 0 or init)
    if not first then
        return nil, "bad init"
    end
    local ttl = ttl_text(init_ttl)
    if not ttl then
        return nil, "bad init_ttl"
    end
    return exchange(self, { "INCR ", escaped, " ", by, " ", first, " ", ttl, "\r\n" }, true)
end


function _M.rate_limiter(self, key, capacity, duration)
    local escaped, err = wire_key(self, key)
    if not escaped then
        return nil, err
    end
    local capacity_text = integer_text(capacity)
    if not capacity_text or find(capacity_text, "^%-") then
        return nil, "bad capacity"
    end
    local duration_text = seconds_text(duration)
    if not duration_text then
        return nil, "bad duration"
    end
    local left
    left, err = exchange(self, { "RATE_LIMITER ", escaped, " ", capacity_text, " ", duration_text, "\r\n" }, true)
    if left == "-1" then
        return nil, "rejected"
    end
    if not left then
        return nil, err
    end
    return left
end


--- Empties one region; without a name, the default region.
function _M.flush_all(self, region)
    if region == nil or region == "" then
        return exchange(self, { "FLUSHALL\r\n" }, false)
    end
    local escaped, err = wire_key(self, region)
    if not escaped then
        return nil, err == "bad key" and "bad region" or err
    end
    -- a region ends before the first colon of a key, so no key is in such a one
    if find(escaped, ":", 1, true) then
        return nil, "bad region"
    end
    return exchange(self, { "FLUSHALL ", escaped, "\r\n" }, false)
end


return _M
