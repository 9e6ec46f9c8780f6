--- The same calls on a native dict and on one of DSHM: they must return the same, or raise the same error.

local tap = require("support.tap")

local _M = {}

-- A time to live that has nearly run out in one dict may have changed by this much in the other one, in seconds.
local TTL_TOLERANCE = 5


local function show(value)
    if type(value) == "string" then
        return #value > 60 and string.format("%q... (%d bytes)", value:sub(1, 60), #value) or string.format("%q", value)
    end
    return tostring(value)
end


local function show_all(values)
    local shown = {}
    for i = 1, values.n do
        shown[i] = show(values[i])
    end
    return "(" .. table.concat(shown, ", ") .. ")"
end


-- An error without the place where it was raised; how LuaJIT names the C function is no word of the dict's.
local function message(err)
    return (tostring(err):gsub("^[^:]+:%d+: ", ""):gsub("^bad argument #10 to '[%w_]+' %((.*)%)$", "%1"))
end


local function returned(dict, method, arguments)
    local results = tap.values(pcall(dict[method], dict, unpack(arguments, 1, arguments.n)))
    if not results[1] then
        results[2] = message(results[2])
    end
    return results
end


local function same(a, b)
    if a ~= a then
        return b ~= b
    end
    -- zero has a sign
    return a == b and (a ~= 0 or 1 / a == 1 / b)
end


local comparisons = {
    ttl = function(native, ours)
        if native[1] and type(native[2]) == "number" and type(ours[2]) == "number" then
            local a, b = native[2], ours[2]
            return native.n == ours.n and (a == 0) == (b == 0) and (a < 0) == (b < 0)
                and math.abs(a - b) < TTL_TOLERANCE
        end
    end,
    -- the orders differ: least recently used, and least recently written
    get_keys = function(native, ours)
        if type(native[2]) == "table" and type(ours[2]) == "table" then
            table.sort(native[2])
            table.sort(ours[2])
            return native.n == ours.n and table.concat(native[2], "\n") == table.concat(ours[2], "\n")
        end
    end,
}


local function all_same(method, native, ours)
    local compare = comparisons[method]
    local verdict = compare and compare(native, ours)
    if verdict ~= nil then
        return verdict
    end
    if native.n ~= ours.n then
        return false
    end
    for i = 1, native.n do
        if not same(native[i], ours[i]) then
            return false
        end
    end
    return true
end


--- Returns a function that calls a method of both, checks, and returns what the native one did.
function _M.pair(native, ours)
    return function(method, ...)
        local arguments = tap.values(...)
        local expected = returned(native, method, arguments)
        local actual = returned(ours, method, arguments)
        if not all_same(method, expected, actual) then
            error(method .. show_all(arguments) .. " returned " .. show_all(actual)
                .. ", natively " .. show_all(expected), 2)
        end
        return unpack(expected, 2, expected.n)
    end
end


return _M
