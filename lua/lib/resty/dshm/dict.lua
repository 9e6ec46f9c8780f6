--- A region of the cluster as a dict of nginx: the methods of `ngx.shared.DICT`, with their returns and errors.
--
-- A method checks its arguments as the native one does, in that order and in its words, then hands its request to the
-- dict's `send`, together with the function that makes the method's returns of the reply. One kind of `send` talks to
-- the cluster, and queues where nginx has no sockets if the user wants that; that of `multi` only notes.

local arguments = require("resty.dshm.arguments")
local ffi = require("ffi")
local nodes = require("resty.dshm.nodes")
local queue = require("resty.dshm.queue")
local replies = require("resty.dshm.replies")
local several = require("resty.dshm.several")
local wire = require("resty.dshm.wire")

local check_zone = arguments.check_zone
local error = error
local escape = wire.escape
local find = string.find
local floor = math.floor
local format = string.format
local gmatch = string.gmatch
local match = string.match
local min = math.min
local number_text = wire.number
local seconds_text = wire.seconds
local pairs = pairs
local setmetatable = setmetatable
local sub = string.sub
local tonumber = tonumber
local tostring = tostring
local type = type
local unescape = wire.unescape


local _M = {
    _VERSION = "0.1.0",
}

local methods = arguments.methods

local REGION_BYTES_MAX = 1024

-- The server's limit for one reply.
local KEYS_MAX = 65536

local OPTIONS = {
    backlog = true, connect_timeout = true, exactly_once = true, host = true, keepalive_timeout = true, password = true,
    pool_size = true, port = true, queue = true, queue_size = true, read = true, read_timeout = true, region = true,
    retry_after = true, send_timeout = true, server_name = true, ssl = true, ssl_verify = true, username = true,
}

local QUEUE_SIZE = 4096

-- It raises the native dict's error over what cannot be converted.
local as_double = ffi.new("double[1]")


-- Sending -------------------------------------------------------------------------------------------------------------

-- What kind of request it is.
local READ = 1 -- has the dict's mode
local WRITE = 2 -- has an identity
local OTHER = 3


local function send(dict, kind, line, data, read, is_queueable)
    if kind == READ then
        line = line .. dict.read_option
    end
    local reply, value, _, no_sockets = dict.nodes:request(line, data, kind == WRITE)
    if reply then
        return read(reply, value)
    end
    if no_sockets and is_queueable and dict.queue then
        local ok, err = dict.queue:add(match(line, "^%S+ (%S+)"), line, data)
        return read(ok and replies.QUEUED or nil, err)
    end
    return read(nil, replies.in_words(value))
end


-- What a write does for which there is no room: natively, some make room, and others refuse.
local EVICT = " full=evict"
local REFUSE = " full=refuse"


local function store(dict, condition, full, key, value, exptime, flags, is_queueable)
    check_zone(dict)
    if not exptime then
        exptime = 0
    elseif exptime < 0 then
        error('bad "exptime" argument', 2)
    end
    local sent_key, err = arguments.key(dict, key)
    if not sent_key then
        return nil, err
    end

    if value == nil then
        arguments.flags(flags)
        if condition == " if=absent" or condition == " if=present" then
            return false, "attempt to add or replace nil values", false
        end
        return dict:send(WRITE, "REMOVE " .. sent_key .. condition, nil, replies.stored, is_queueable)
    end
    local kind, data = arguments.typed(value)
    if not kind then
        return nil, "bad value type"
    end
    local line = "PUT " .. sent_key .. " " .. seconds_text(exptime) .. " " .. format("%d", #data) .. " type=" .. kind
        .. arguments.flags(flags) .. condition .. full
    return dict:send(WRITE, line, data, replies.stored, is_queueable)
end


-- Methods of ngx.shared.DICT ------------------------------------------------------------------------------------------

function methods.get(dict, key)
    check_zone(dict)
    local sent_key, err = arguments.key(dict, key)
    if not sent_key then
        return nil, err
    end
    return dict:send(READ, "FETCH " .. sent_key, nil, replies.value)
end


function methods.get_stale(dict, key)
    check_zone(dict)
    local sent_key, err = arguments.key(dict, key)
    if not sent_key then
        return nil, err
    end
    return dict:send(READ, "FETCH " .. sent_key .. " stale=yes", nil, replies.stale_value)
end


function methods.set(dict, key, value, exptime, flags)
    return store(dict, "", EVICT, key, value, exptime, flags, true)
end


function methods.safe_set(dict, key, value, exptime, flags)
    return store(dict, "", REFUSE, key, value, exptime, flags)
end


function methods.add(dict, key, value, exptime, flags)
    return store(dict, " if=absent", EVICT, key, value, exptime, flags, true)
end


function methods.safe_add(dict, key, value, exptime, flags)
    return store(dict, " if=absent", REFUSE, key, value, exptime, flags)
end


function methods.replace(dict, key, value, exptime, flags)
    return store(dict, " if=present", EVICT, key, value, exptime, flags)
end


function methods.delete(dict, key)
    return store(dict, "", "", key, nil, nil, nil, true)
end


function methods.incr(dict, key, value, init, init_ttl)
    check_zone(dict)
    local sent_key, err = arguments.key(dict, key)
    if not sent_key then
        return nil, err
    end
    if type(value) ~= "number" then
        value = tonumber(value)
    end
    as_double[0] = value

    if init and type(init) ~= "number" then
        local given = type(init)
        init = tonumber(init)
        if not init then
            error("bad init arg: number expected, got " .. given, 2)
        end
    end
    if init_ttl ~= nil then
        local given = type(init_ttl)
        init_ttl = tonumber(init_ttl)
        if not init_ttl then
            error("bad init_ttl arg: number expected, got " .. given, 2)
        end
        if init_ttl < 0 then
            error('bad "init_ttl" argument', 2)
        end
        if not init then
            error('must provide "init" when providing "init_ttl"', 2)
        end
    end

    local line = "INCR_NUMBER " .. sent_key .. " " .. number_text(value)
    if not init then
        return dict:send(WRITE, line, nil, replies.number, true)
    end
    line = line .. " init=" .. number_text(init) .. EVICT
    if init_ttl then
        line = line .. " ttl=" .. seconds_text(init_ttl)
    end
    return dict:send(WRITE, line, nil, replies.number_and_forcible, true)
end


local function push(verb, dict, key, value)
    local sent_key, err = arguments.key(dict, key)
    if not sent_key then
        return nil, err
    end
    local kind, data = arguments.typed(value)
    if not kind or kind == "boolean" then
        return nil, "bad value type"
    end
    return dict:send(WRITE, verb .. sent_key .. " " .. format("%d", #data) .. " type=" .. kind .. REFUSE, data,
                     replies.number)
end


function methods.lpush(...)
    arguments.check_list_call(3, ...)
    return push("LPUSH ", ...)
end


function methods.rpush(...)
    arguments.check_list_call(3, ...)
    return push("RPUSH ", ...)
end


local function pop(verb, dict, key)
    local sent_key, err = arguments.key(dict, key)
    if not sent_key then
        return nil, err
    end
    return dict:send(WRITE, verb .. sent_key, nil, replies.element)
end


function methods.lpop(...)
    arguments.check_list_call(2, ...)
    return pop("LPOP ", ...)
end


function methods.rpop(...)
    arguments.check_list_call(2, ...)
    return pop("RPOP ", ...)
end


function methods.llen(...)
    arguments.check_list_call(2, ...)
    local dict, key = ...
    local sent_key, err = arguments.key(dict, key)
    if not sent_key then
        return nil, err
    end
    return dict:send(READ, "STAT " .. sent_key, nil, replies.length)
end


function methods.ttl(dict, key)
    check_zone(dict)
    local sent_key, err = arguments.key(dict, key)
    if not sent_key then
        return nil, err
    end
    return dict:send(READ, "STAT " .. sent_key .. " stale=yes", nil, replies.ttl)
end


function methods.expire(dict, key, exptime)
    check_zone(dict)
    if not exptime then
        error('bad "exptime" argument', 2)
    end
    local sent_key, err = arguments.key(dict, key)
    if not sent_key then
        return nil, err
    end
    exptime = exptime * 1
    -- natively, less than 0 is never, too
    return dict:send(WRITE, "EXPIRE " .. sent_key .. " " .. seconds_text(exptime), nil, replies.done, true)
end


function methods.flush_all(dict)
    check_zone(dict)
    return dict:send(WRITE, "FLUSHALL " .. dict.region, nil, replies.nothing)
end


-- Whole, and not negative: natively, less than 0 is no limit, either.
local function limit_of(max)
    max = floor(tonumber(max))
    return max > 0 and max or 0
end


function methods.flush_expired(...)
    arguments.check_region_call(...)
    local dict, max = ...
    local line = format("FLUSH_EXPIRED %s max=%.0f", dict.region, limit_of(max or 0))
    return dict:send(OTHER, line, nil, replies.number)
end


--- As many round trips as pages, of 65,536 keys or one MiB.
function methods.get_keys(...)
    arguments.check_region_call(...)
    local dict, max = ...
    local limit = limit_of(max or 1024)
    local keys, count = {}, 0
    local prefix, prefix_length = dict.prefix, #dict.prefix
    local after = "0"
    repeat
        local page = limit == 0 and KEYS_MAX or min(limit - count, KEYS_MAX)
        local line, value = dict:send(READ, format("KEYS %s max=%d after=%s", dict.region, page, after), nil,
                                      replies.whole)
        if not line then
            return nil, value
        end
        for key in gmatch(value, "([^\n]+)\n") do
            -- a region may have keys of another form, that other clients wrote; no dict can name those
            if sub(key, 1, prefix_length) == prefix and #key > prefix_length then
                count = count + 1
                keys[count] = unescape(sub(key, prefix_length + 1))
            end
        end
        after = match(line, " next=(%d+)")
    until not after or count == limit and limit > 0
    return keys
end


function methods.capacity(dict)
    check_zone(dict)
    return dict:send(READ, "REGION " .. dict.region, nil, replies.capacity)
end


function methods.free_space(dict)
    check_zone(dict)
    return dict:send(READ, "REGION " .. dict.region, nil, replies.free)
end


-- Beyond ngx.shared.DICT ----------------------------------------------------------------------------------------------

--- The value, its flags (nil for none) and its version, a string.
function methods.gets(dict, key)
    check_zone(dict)
    local sent_key, err = arguments.key(dict, key)
    if not sent_key then
        return nil, err
    end
    return dict:send(READ, "FETCH " .. sent_key, nil, replies.versioned_value)
end


--- Stores a value if the entry still has that version; nil is that of a key that is absent.
function methods.cas(dict, key, value, version, exptime, flags)
    if version ~= nil and not find(version, "^%d+$") then
        error('bad "version" argument', 2)
    end
    return store(dict, version and " if=" .. version or " if=absent", EVICT, key, value, exptime, flags)
end


methods.mget = several.mget
methods.multi = several.multi


--- How many writes wait in the queue of this worker, and how many were dropped since it started.
function methods.queued(dict)
    check_zone(dict)
    if not dict.queue then
        return 0, 0
    end
    return dict.queue.waiting, dict.queue.dropped
end


--- Makes a dict; README.md has the options. It does not connect yet, so it works in init_by_lua. Raises an error if an
-- option is unknown or invalid.
function _M.new(opts)
    local region = type(opts) == "table" and opts.region
    if type(region) ~= "string" or region == "" or find(region, ":", 1, true)
        or #escape(region) > REGION_BYTES_MAX then
        error('bad "region" option: a name without colons expected', 2)
    end
    for option in pairs(opts) do
        if not OPTIONS[option] then
            error("no such option: " .. tostring(option), 2)
        end
    end
    local read = opts.read
    if read ~= nil and read ~= "local" and read ~= "linearizable" then
        error('bad "read" option: "local" or "linearizable" expected', 2)
    end
    local cluster = nodes.new(opts)
    local writes = opts.queue and queue.new(region, opts.queue_size or QUEUE_SIZE, function(line, data)
        return cluster:request(line, data, true)
    end)
    return setmetatable({
        region = escape(region),
        prefix = escape(region) .. "::",
        read_option = read and " read=" .. read or "",
        nodes = cluster,
        queue = writes,
        send = send,
    }, methods)
end


return _M
