--- Stands in for lua-resty-session 4, which is in no Debian package: it finds its storage as the library does, and
-- makes the same calls there. The cookie is the name of the session, without any protection.

local _M = {}

local mt = { __index = _M }

local COOKIE = "session"
local TTL = 3600
local STALE_TTL = 10
local AUDIENCE = "default"

local storage


function _M.init(configuration)
    storage = require(configuration.storage).new(configuration[configuration.storage])
end


local function metadata_of(self)
    return self.subject and { audiences = { AUDIENCE }, subjects = { self.subject } }
end


function _M.open()
    local self = setmetatable({ data = {} }, mt)
    local key = ngx.var["cookie_" .. COOKIE]
    if not key then
        return self, "missing session cookie", false
    end
    local text, err = storage:get(COOKIE, key, ngx.time())
    if not text then
        return self, "unable to load session (" .. tostring(err) .. ")", false
    end
    self.key = key
    self.subject, self.data.logins = text:match("^(.*) (%d+)$")
    return self, nil, true
end


_M.start = _M.open


function _M.set_subject(self, subject)
    self.subject = subject
end


function _M.get_subject(self)
    return self.subject
end


function _M.set(self, name, value)
    self.data[name] = value
end


function _M.get(self, name)
    return self.data[name]
end


function _M.save(self)
    local old_key = self.key
    self.key = ngx.md5(ngx.now() .. math.random())
    local ok, err = storage:set(COOKIE, self.key, self.subject .. " " .. self.data.logins, TTL, ngx.time(), old_key,
                                STALE_TTL, metadata_of(self))
    if not ok then
        return nil, "unable to store session data (" .. err .. ")"
    end
    ngx.header["Set-Cookie"] = COOKIE .. "=" .. self.key .. "; Path=/"
    return true
end


function _M.destroy()
    local self, err, exists = _M.open()
    if not exists then
        return nil, err
    end
    local ok
    ok, err = storage:delete(COOKIE, self.key, ngx.time(), metadata_of(self))
    if not ok then
        return nil, "unable to destroy session (" .. err .. ")"
    end
    return true
end


return _M
