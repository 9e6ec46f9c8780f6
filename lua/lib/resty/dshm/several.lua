--- Several entries, or several writes of one, in one request.

local arguments = require("resty.dshm.arguments")
local replies = require("resty.dshm.replies")

local concat = table.concat
local error = error
local floor = math.floor
local format = string.format
local getmetatable = getmetatable
local in_words = replies.in_words
local ipairs = ipairs
local maxn = table.maxn
local next = next
local setmetatable = setmetatable
local tonumber = tonumber
local tostring = tostring
local unpack = unpack


local _M = {}

-- The server's limits.
local REQUESTS_MAX = 1024
local BYTES_MAX = 262144

-- What `multi` can do.
local IN_MULTI = {
    add = true, cas = true, delete = true, expire = true, incr = true, lpop = true, lpush = true, replace = true,
    rpop = true, rpush = true, safe_add = true, safe_set = true, set = true,
}


-- Fetches keys[from] to keys[to] with one request, or with several if that or its reply would be too large.
local function fetch(dict, keys, requests, from, to, values, errors)
    local data = concat(requests, "", from, to)
    local line, value
    if from < to and to - from < REQUESTS_MAX and #data <= BYTES_MAX then
        line, value = dict.nodes:request(format("MULTI %d", #data) .. dict.read_option, data)
        if not line and value ~= "too_large" then
            return nil, in_words(value)
        end
    end
    if line then
        local next_reply = 1
        for i = from, to do
            local reply, content
            reply, content, next_reply = replies.split(value, next_reply)
            if not next_reply then
                return nil, "protocol_error"
            end
            local found, err = replies.value(reply, content)
            values[keys[i]] = found
            errors[keys[i]] = found == nil and err or nil
        end
        return true
    end
    if from == to then
        local found, err = dict:get(keys[from])
        values[keys[from]] = found
        errors[keys[from]] = found == nil and err or nil
        return true
    end
    local middle = floor((from + to) / 2)
    local ok, err = fetch(dict, keys, requests, from, middle, values, errors)
    if not ok then
        return nil, err
    end
    return fetch(dict, keys, requests, middle + 1, to, values, errors)
end


--- The values of several keys, a table by key; and if some could not be read, nil and their errors, by key.
function _M.mget(dict, keys)
    arguments.check_zone(dict)
    local requests, values, errors = {}, {}, {}
    for i = 1, #keys do
        local sent_key, err = arguments.key(dict, keys[i])
        if not sent_key then
            return nil, err
        end
        requests[i] = "FETCH " .. sent_key .. "\r\n"
    end
    if #keys > 0 then
        local ok, err = fetch(dict, keys, requests, 1, #keys, values, errors)
        if not ok then
            return nil, err
        end
    end
    if next(errors) then
        return values, nil, errors
    end
    return values
end


-- The `send` of a dict that only notes the writes of `multi`.
local function note(dict, _, line, data, read)
    local noted = dict.noted
    noted[#noted + 1] = { request = line .. "\r\n" .. (data or ""), read = read }
    return true
end


--- Several writes of one key, at once and all or none: `{ { "incr", 1, 0 }, { "expire", 60 } }`. Returns a table of the
-- first values that they return; or nil, the error, and the number of the write that had it.
function _M.multi(dict, key, writes)
    arguments.check_zone(dict)
    local noted = {}
    local notes = setmetatable({ send = note, prefix = dict.prefix, noted = noted }, getmetatable(dict))
    local requests = {}
    for i, write in ipairs(writes) do
        local method = write[1]
        if not IN_MULTI[method] then
            error("no write of one key: " .. tostring(method), 2)
        end
        local _, err = dict[method](notes, key, unpack(write, 2, maxn(write)))
        if not noted[i] then
            return nil, err, i
        end
        requests[i] = noted[i].request
    end

    local data = concat(requests)
    local line, value, text = dict.nodes:request(format("MULTI %d", #data), data, true)
    if not line then
        return nil, in_words(value), tonumber(text)
    end
    local results, next_reply = {}, 1
    for i = 1, #noted do
        local reply, content
        reply, content, next_reply = replies.split(value, next_reply)
        if not next_reply then
            return nil, "protocol_error"
        end
        results[i] = noted[i].read(reply, content)
    end
    return results
end


return _M
