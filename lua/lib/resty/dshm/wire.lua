--- Keys, times and numbers, as they are sent.

local char = string.char
local escape_uri = ngx.escape_uri
local find = string.find
local floor = math.floor
local format = string.format
local gsub = string.gsub
local tonumber = tonumber


local _M = {}

-- Beyond these a native dict keeps an entry for ever, and so does this.
local MILLIS_MAX = 2 ^ 53


--- Each piece between colons percent-encoded, as all clients do it.
function _M.escape(key)
    if not find(key, "[^%w%-._~:]") then
        return key
    end
    return (gsub(key, "[^:]+", escape_uri))
end


local function unescape_byte(digits)
    return char(tonumber(digits, 16))
end


--- The inverse of `escape`. Unlike ngx.unescape_uri, it leaves a plus sign alone.
function _M.unescape(key)
    return (gsub(key, "%%(%x%x)", unescape_byte))
end


--- Seconds. As natively, what is less than a millisecond is cut off, and 0 or less is never; more than 0 stays that.
function _M.seconds(seconds)
    local millis = floor(seconds * 1000)
    if millis < 1 then
        return seconds > 0 and "0.001" or "0"
    end
    -- so that NaN is none of them
    if millis < MILLIS_MAX then
        return floor(seconds) == seconds and format("%d", seconds) or format("%.3f", millis / 1000)
    end
    return "0"
end


--- A double, so that it reads as the same one.
function _M.number(number)
    return format("%.17g", number)
end


return _M
