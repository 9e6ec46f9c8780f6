--- Storage of lua-resty-session 4: `storage = "resty.dshm.session"`, or the table that `new` returns.
--
-- Beside the sessions it keeps, for each audience and subject, which sessions there are, and until when. Such an entry
-- is written only if nobody else has written it since it was read, and otherwise read and made again: no login and no
-- logout is lost when several happen at the same time, on whatever servers.

local dict = require("resty.dshm.dict")

local concat = table.concat
local error = error
local format = string.format
local gmatch = string.gmatch
local log = ngx.log
local max = math.max
local pairs = pairs
local setmetatable = setmetatable
local sleep = ngx.sleep
local sort = table.sort
local random = math.random
local tonumber = tonumber

local WARN = ngx.WARN


local _M = {
    _VERSION = "0.1.0",
}

local storage = {}

local mt = {
    __index = storage,
    __newindex = function()
        error("attempt to update a read-only table", 2)
    end,
}

-- As many logins of one subject at the same moment come through, and more with some luck.
local ATTEMPTS_MAX = 50


local function key_of(name, key)
    return name .. ":" .. key
end


-- With more colons than any session has: their keys are in base64url.
local function subject_key(name, audience, subject)
    return concat({ "of", name, audience, subject }, ":")
end


-- "key expiry\n" for each session.
local function decode(text, current_time)
    local sessions = {}
    for key, expiry in gmatch(text, "(%S+) (%d+)\n") do
        expiry = tonumber(expiry)
        if expiry > current_time then
            sessions[key] = expiry
        end
    end
    return sessions
end


-- The text, and when the last session in it ends.
local function encode(sessions)
    local lines, last = {}, 0
    for key, expiry in pairs(sessions) do
        lines[#lines + 1] = format("%s %.0f\n", key, expiry)
        last = max(last, expiry)
    end
    sort(lines)
    return concat(lines), last
end


-- Puts a session into what a subject has, if it has an expiry, and takes another one out.
local function update(subjects, key, current_time, added, expiry, removed)
    for _ = 1, ATTEMPTS_MAX do
        local text, err, version = subjects:gets(key)
        if text == nil and err then
            return nil, err
        end
        local list = decode(text or "", current_time)
        if removed then
            list[removed] = nil
        end
        if added and expiry > current_time then
            list[added] = expiry
        end
        local new_text, last = encode(list)
        local ok
        if new_text ~= "" then
            ok, err = subjects:cas(key, new_text, version, last - current_time)
        elseif text then
            ok, err = subjects:cas(key, nil, version)
        else
            return true
        end
        if ok then
            return true
        end
        if err ~= "exists" and err ~= "not found" then
            return nil, err
        end
        sleep(0.001 + random() * 0.01)
    end
    return nil, "too many sessions of one subject begin at the same time"
end


-- The session itself is stored or gone already: what cannot be written here is no reason to fail.
local function update_all(self, name, metadata, current_time, added, expiry, removed)
    local audiences, subjects = metadata.audiences, metadata.subjects
    for i = 1, #audiences do
        local key = subject_key(name, audiences[i], subjects[i])
        local ok, err = update(self.subjects, key, current_time, added, expiry, removed)
        if not ok then
            log(WARN, "[session] DSHM: the sessions of a subject could not be updated: ", err)
        end
    end
end


--- Stores a session; the one that it takes the place of lives `stale_ttl` seconds longer at most.
function storage:set(name, key, value, ttl, current_time, old_key, stale_ttl, metadata)
    local sessions = self.dict
    local ok, err = sessions:set(key_of(name, key), value, ttl)
    if not ok then
        return nil, err
    end
    if old_key then
        local old_name = key_of(name, old_key)
        local left, _
        left, err = sessions:ttl(old_name)
        if left and stale_ttl <= 0 then
            -- for `expire`, 0 is never
            _, err = sessions:delete(old_name)
        elseif left and (left == 0 or left > stale_ttl) then
            _, err = sessions:expire(old_name, stale_ttl)
        end
        if err and err ~= "not found" then
            log(WARN, "[session] DSHM: an old session could not be shortened: ", err)
        end
    end
    if metadata then
        update_all(self, name, metadata, current_time, key, current_time + ttl, old_key)
    end
    return true
end


--- The data of a session; nil alone if there is none.
function storage:get(name, key)
    return self.dict:get(key_of(name, key))
end


function storage:delete(name, key, current_time, metadata)
    local ok, err = self.dict:delete(key_of(name, key))
    if not ok then
        return nil, err
    end
    if metadata then
        update_all(self, name, metadata, current_time, nil, nil, key)
    end
    return true
end


--- The sessions of a subject, a table from key to expiry.
function storage:read_metadata(name, audience, subject, current_time)
    local text, err = self.subjects:get(subject_key(name, audience, subject))
    if not text then
        return nil, err or "not found"
    end
    return decode(text, current_time)
end


--- `configuration` are the options of a dict; the region is `sessions` if it has none. Reads are linearizable, so that
-- a session is seen wherever the next request lands; with `read = "local"`, sessions are read from one node, faster,
-- and what another node stored a moment ago may be missing.
function _M.new(configuration)
    local options = {}
    for name, value in pairs(configuration or {}) do
        options[name] = value
    end
    options.region = options.region or "sessions"
    options.read = options.read or "linearizable"
    local sessions = dict.new(options)
    -- whatever is chosen for sessions, what another node wrote last must not be missed here: it would only be found out
    -- in writing
    options.read = "linearizable"
    return setmetatable({ dict = sessions, subjects = dict.new(options) }, mt)
end


return _M
