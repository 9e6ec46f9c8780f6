--- Storage of lua-resty-session 2 and 3: sessions in a region of the cluster.
--
-- Which of its two interfaces a session wants is decided by what the library hands to `new`: version 2 lets the storage
-- take cookies apart and make them, and so gives it their delimiter; version 3 does that itself. Sessions are not
-- locked: the last one that saves wins, as with the library's other storages without locks.

local dict = require("resty.dshm.dict")

local concat = table.concat
local now = ngx.now
local setmetatable = setmetatable
local sub = string.sub
local find = string.find
local tonumber = tonumber
local tostring = tostring
local var = ngx.var


-- The dicts of this worker, by their settings: the library makes a storage for each request.
local dicts = {}


local function dict_of(settings)
    local names = { "region", "host", "port", "connect_timeout", "send_timeout", "read_timeout", "keepalive_timeout",
                    "pool_size", "backlog", "read", "username", "password", "ssl", "ssl_verify", "server_name" }
    local parts = {}
    for i, name in ipairs(names) do
        local value = settings[name]
        parts[i] = type(value) == "table" and concat(value, ",") or tostring(value)
    end
    local id = concat(parts, "\0")
    dicts[id] = dicts[id] or dict.new(settings)
    return dicts[id]
end


local function is_on(value)
    return value == true or value == "on" or value == "1" or value == "true"
end


-- The table `session.dshm` that a program gives to the library, or else the variables of nginx.
local function settings_of(config, region)
    local pool = config.pool or {}
    local function setting(name)
        local value = config[name]
        if value == nil then
            value = var["session_dshm_" .. name]
        end
        -- a variable that is set to nothing is not set
        return value ~= "" and value or nil
    end
    return {
        region = setting("region") or region,
        host = setting("host"),
        port = tonumber(setting("port")),
        connect_timeout = tonumber(setting("connect_timeout")),
        send_timeout = tonumber(setting("send_timeout")),
        read_timeout = tonumber(setting("read_timeout")),
        keepalive_timeout = tonumber(pool.timeout or setting("pool_timeout") or setting("pool_idle_timeout")),
        pool_size = tonumber(pool.size or setting("pool_size")),
        backlog = tonumber(pool.backlog or setting("pool_backlog")),
        -- so that a session is seen wherever the next request lands; "local" is faster, and may be a moment behind
        read = setting("read") or "linearizable",
        username = setting("username"),
        password = setting("password"),
        ssl = is_on(setting("ssl")) or nil,
        ssl_verify = is_on(setting("ssl_verify")) or nil,
        server_name = setting("server_name"),
    }
end


-- For a dict, 0 is never: a session that has no time left, such as one with a `discard` of 0, is deleted.
local function shorten(sessions, key, ttl)
    if ttl > 0 then
        return sessions:expire(key, ttl)
    end
    local ok, err = sessions:delete(key)
    if not ok then
        return nil, err
    end
    return true
end


-- Version 3 -----------------------------------------------------------------------------------------------------------

local version_3 = {}

version_3.__index = version_3


--- The data of a session, or nil and why there is none; a miss is no error.
function version_3:open(id)
    local data, err = self.dict:get(id)
    if not data then
        return nil, err
    end
    return self.encoder.decode(data)
end


function version_3.start()
    return true
end


-- Encoded, as the library's own storages have it, so that it goes on with their sessions.
function version_3:save(id, ttl, data)
    if ttl <= 0 then
        return nil, "expired"
    end
    local encoded, err = self.encoder.encode(data)
    if not encoded then
        return nil, err
    end
    local ok
    ok, err = self.dict:set(id, encoded, ttl)
    if not ok then
        return nil, err
    end
    return true
end


function version_3.close()
    return true
end


function version_3:destroy(id)
    local ok, err = self.dict:delete(id)
    if not ok then
        return nil, err
    end
    return true
end


function version_3:ttl(id, ttl)
    return shorten(self.dict, id, ttl)
end


-- Version 2, and the interface of ngx-distributed-shm's storage -------------------------------------------------------

local version_2 = {}

version_2.__index = version_2


-- The three parts of a cookie, or nil.
local function split(cookie, delimiter)
    local first, first_end = find(cookie, delimiter, 1, true)
    if not first then
        return nil
    end
    local second, second_end = find(cookie, delimiter, first_end + 1, true)
    if not second or find(cookie, delimiter, second_end + 1, true) then
        return nil
    end
    return sub(cookie, 1, first - 1), sub(cookie, first_end + 1, second - 1), sub(cookie, second_end + 1)
end


--- Id, expiry, data and hash of the session that a cookie names, which lives `lifetime` seconds from now on. The data
-- is nil if there is none.
function version_2:open(cookie, lifetime)
    local id, expires, hash = split(cookie, self.delimiter)
    id, expires, hash = id and self.encoder.decode(id), tonumber(expires), hash and self.encoder.decode(hash)
    if not (id and expires and hash) then
        return nil, "invalid"
    end
    local key = self.encoder.encode(id)
    local data, err = self.dict:get(key)
    if err then
        return nil, err
    end
    if data then
        shorten(self.dict, key, lifetime)
    end
    return id, expires, data, hash
end


function version_2.start()
    return true
end


--- Returns the cookie.
function version_2:save(id, expires, data, hash)
    local ttl = expires - now()
    if ttl <= 0 then
        return nil, "expired"
    end
    local key = self.encoder.encode(id)
    local ok, err = self.dict:set(key, data, ttl)
    if not ok then
        return nil, err
    end
    return concat({ key, expires, self.encoder.encode(hash) }, self.delimiter)
end


function version_2:destroy(id)
    local ok, err = self.dict:delete(self.encoder.encode(id))
    if not ok then
        return nil, err
    end
    return true
end


function version_2:ttl(id, ttl)
    return shorten(self.dict, self.encoder.encode(id), ttl)
end


local _M = {
    _VERSION = "0.1.0",
}


--- What the library calls, with its session.
function _M.new(session)
    local config = session.dshm or {}
    local delimiter = session.cookie and session.cookie.delimiter
    local region = delimiter and (config.store or var.session_dshm_store) or "sessions"
    return setmetatable({
        dict = dict_of(settings_of(config, region)),
        encoder = session.encoder,
        delimiter = delimiter,
    }, delimiter and version_2 or version_3)
end


return _M
