--- The arguments of a dict's methods: checked as the native dict does, in its words, and as they are sent.
--
-- Errors are raised at level 3: they name the place where the method was called.

local ffi = require("ffi")
local wire = require("resty.dshm.wire")

local ceil = math.ceil
local error = error
local escape = wire.escape
local floor = math.floor
local format = string.format
local getmetatable = getmetatable
local number_text = wire.number
local select = select
local tonumber = tonumber
local tostring = tostring
local type = type


local _M = {
    -- The metatable of dicts, and their methods, as it is natively: what somebody adds to it, dicts have.
    methods = {},
}
_M.methods.__index = _M.methods

local KEY_BYTES_MAX = 65535
local FLAGS_RANGE = 2 ^ 32

-- It raises the native dict's error over what cannot be converted.
local as_int = ffi.new("int[1]")


local function is_dict(dict)
    return getmetatable(dict) == _M.methods
end


--- Natively it is the memory zone; here, a dict.
function _M.check_zone(dict)
    if not is_dict(dict) then
        error('bad "zone" argument', 3)
    end
end


--- For the methods of lists, that are C functions natively: they count their arguments, and take no key but strings and
-- numbers.
function _M.check_list_call(count, ...)
    local given = select("#", ...)
    local dict, key = ...
    if given ~= count then
        error("expecting " .. count .. " arguments, but only seen " .. given, 3)
    end
    if not is_dict(dict) then
        error('bad "zone" argument', 3)
    end
    if key ~= nil and type(key) ~= "string" and type(key) ~= "number" then
        error("bad argument #2 to '?' (string expected, got " .. type(key) .. ")", 3)
    end
end


--- For `flush_expired` and `get_keys`, C functions, too.
function _M.check_region_call(...)
    local given = select("#", ...)
    local dict, max = ...
    if given ~= 1 and given ~= 2 then
        error("expecting 1 or 2 argument(s), but saw " .. given, 3)
    end
    if type(dict) ~= "table" then
        error("bad argument #1 to '?' (table expected, got " .. type(dict) .. ")", 3)
    end
    if not is_dict(dict) then
        error("bad user data for the ngx_shm_zone_t pointer", 3)
    end
    if given == 2 and not tonumber(max) then
        error("bad argument #2 to '?' (number expected, got " .. type(max) .. ")", 3)
    end
end


--- The key as it is sent, or nil and why there is none.
function _M.key(dict, key)
    if key == nil then
        return nil, "nil key"
    end
    if type(key) ~= "string" then
        key = tostring(key)
    end
    if key == "" then
        return nil, "empty key"
    end
    if #key > KEY_BYTES_MAX then
        return nil, "key too long"
    end
    return dict.prefix .. escape(key)
end


--- The option of a request, "" for none. Natively flags are an int.
function _M.flags(flags)
    if not flags then
        return ""
    end
    if type(flags) ~= "number" then
        as_int[0] = flags
        flags = as_int[0]
    end
    flags = (flags < 0 and ceil(flags) or floor(flags)) % FLAGS_RANGE
    -- NaN is none of them
    return flags > 0 and format(" flags=%.0f", flags) or ""
end


--- Type and data of a value, or nil for one that cannot be stored.
function _M.typed(value)
    if type(value) == "string" then
        return "string", value
    elseif type(value) == "number" then
        return "number", number_text(value)
    elseif type(value) == "boolean" then
        return "boolean", tostring(value)
    end
    return nil
end


return _M
