--- Stands in for the module of that name of lua-resty-limit-traffic, which is in no Debian package: it calls the same
-- methods of the dict, in the same order and with the same arguments.

local _M = {}

local mt = { __index = _M }


function _M.new(dict_name, limit, window)
    return setmetatable({ dict = assert(ngx.shared[dict_name]), limit = limit, window = window }, mt)
end


function _M.incoming(self, key, commit)
    local remaining, err
    if commit then
        remaining, err = self.dict:incr(key, -1, self.limit, self.window)
        if not remaining then
            return nil, err
        end
    else
        remaining = (self.dict:get(key) or self.limit) - 1
    end
    if remaining < 0 then
        return nil, "rejected"
    end
    return 0, remaining
end


return _M
