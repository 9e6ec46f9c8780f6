--- What a method of a dict returns, made of the reply to its request.
--
-- Each function takes the first line of a reply and its value, or nil and the error, and returns what the native dict's
-- method of that kind does.

local byte = string.byte
local find = string.find
local match = string.match
local sub = string.sub
local tonumber = tonumber


local _M = {
    -- Stands for the line of the reply to a write that was queued.
    QUEUED = "QUEUED",
}

-- The native dict's words for the server's codes. A value that is larger than the largest fits into no native dict.
local WORDS = {
    not_a_list = "value not a list",
    not_a_number = "not a number",
    not_found = "not found",
    out_of_memory = "no memory",
    too_large = "no memory",
}

local FLAGS_RANGE = 2 ^ 32
local FLAGS_MIDDLE = 2 ^ 31

local AFTER_VALUE = "\r\nDONE\r\n"


-- Whether entries were evicted to make room.
local function is_forcible(line)
    return find(line, " evicted=yes", 1, true) ~= nil
end


function _M.stored(line, err)
    if line then
        return true, nil, is_forcible(line)
    end
    return false, err, false
end


function _M.done(line, err)
    if line then
        return true
    end
    return nil, err
end


function _M.nothing(line, err)
    if not line then
        return nil, err
    end
end


function _M.number(line, value)
    if line == _M.QUEUED then
        return true
    elseif line then
        return tonumber(value)
    end
    return nil, value
end


function _M.number_and_forcible(line, value)
    if line == _M.QUEUED then
        return true, nil, false
    elseif line then
        return tonumber(value), nil, is_forcible(line)
    end
    return nil, value
end


function _M.element(line, value)
    if not line then
        if value == "not found" then
            return nil
        end
        return nil, value
    end
    if match(line, " type=(%a+)") == "number" then
        return tonumber(value)
    end
    return value
end


function _M.length(line, err)
    if not line then
        if err == "not found" then
            return 0
        end
        return nil, err
    end
    if match(line, " type=(%a+)") ~= "list" then
        return nil, "value not a list"
    end
    return tonumber(match(line, " length=(%d+)"))
end


-- The value and its flags, nil if there are none; or nil and the error, which is nil for a miss.
local function value_of(line, value)
    if not line then
        if value == "not found" then
            return nil
        end
        return nil, value
    end
    local kind = match(line, " type=(%a+)")
    if kind == "list" then
        return nil, "value is a list"
    elseif kind == "number" or kind == "limiter" then
        value = tonumber(value)
    elseif kind == "boolean" then
        value = value == "true"
    end
    local flags = tonumber(match(line, " flags=(%d+)"))
    -- natively they are an int
    return value, flags and flags >= FLAGS_MIDDLE and flags - FLAGS_RANGE or flags
end


function _M.value(line, data)
    local value, flags = value_of(line, data)
    if flags then
        return value, flags
    end
    return value
end


function _M.stale_value(line, data)
    local value, flags = value_of(line, data)
    if value == nil then
        return _M.value(line, data)
    end
    local ttl = match(line, " ttl=(-?%d+)")
    return value, flags, ttl ~= nil and tonumber(ttl) <= 0
end


function _M.versioned_value(line, data)
    local value, flags = value_of(line, data)
    if value == nil then
        return _M.value(line, data)
    end
    return value, flags, match(line, " version=(%d+)")
end


function _M.ttl(line, err)
    if not line then
        return nil, err
    end
    local ttl = match(line, " ttl=(-?%d+)")
    if not ttl then
        return 0
    end
    -- an entry that expires this very millisecond is not one that never does
    return (ttl == "0" and -1 or tonumber(ttl)) / 1000
end


function _M.capacity(line, err)
    if not line then
        return nil, err
    end
    return tonumber(match(line, " capacity=(%d+)"))
end


function _M.free(line, err)
    if not line then
        return nil, err
    end
    return tonumber(match(line, " free=(%d+)"))
end


--- The error for a code of the server, or the error itself if it is none.
function _M.in_words(code)
    return WORDS[code] or code
end


--- As it came.
function _M.whole(line, value)
    return line, value
end


--- The first reply in a string of them, that begin at `from`: its line and value, or nil and the error, and then
-- where the next one begins. Nil alone if it is none.
function _M.split(replies, from)
    local line_end = find(replies, "\r\n", from, true)
    if not line_end then
        return nil
    end
    local line, after = sub(replies, from, line_end - 1), line_end + 2
    local code = match(line, "^ERROR (%S+)")
    if code then
        return nil, _M.in_words(code), after
    end
    local length = tonumber(match(line, "^LEN (%d+)"))
    if not length then
        return line, nil, after
    end
    local value_end = after + length
    if byte(replies, value_end + #AFTER_VALUE - 1) == nil then
        return nil
    end
    return line, sub(replies, after, value_end - 1), value_end + #AFTER_VALUE
end


return _M
