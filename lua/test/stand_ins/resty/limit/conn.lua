--- Stands in for the module of that name of lua-resty-limit-traffic, which is in no Debian package: it calls the same
-- methods of the dict, in the same order and with the same arguments.

local _M = {}

local mt = { __index = _M }


function _M.new(dict_name, max, burst)
    return setmetatable({ dict = assert(ngx.shared[dict_name]), most = max + burst, committed = false }, mt)
end


function _M.incoming(self, key)
    local count, err = self.dict:incr(key, 1, 0)
    if not count then
        return nil, err
    end
    if count > self.most then
        count, err = self.dict:incr(key, -1)
        return nil, count and "rejected" or err
    end
    self.committed = true
    return 0, count
end


function _M.is_committed(self)
    return self.committed
end


function _M.leaving(self, key)
    return self.dict:incr(key, -1)
end


return _M
