--- A store for lua-resty-global-throttle: `provider = "dshm"`. Its counters are entries of a DSHM cluster, so that all
-- web servers count together, and go on when a node dies.

local new_dict = require("resty.dshm.dict").new

local pairs = pairs
local pcall = pcall
local setmetatable = setmetatable


local _M = {
    _VERSION = "0.1.0",
}

local mt = { __index = _M }


--- `options` are `provider` and those of a dict; the region is "global-throttle" unless they have another one. Returns
-- the store, or nil and the error.
function _M.new(options)
    local of_dict = {}
    for name, value in pairs(options) do
        if name ~= "provider" then
            of_dict[name] = value
        end
    end
    of_dict.region = of_dict.region or "global-throttle"
    -- a count that another web server has just written must not be missed
    of_dict.read = of_dict.read or "linearizable"
    local can, dict = pcall(new_dict, of_dict)
    if not can then
        return nil, dict
    end
    return setmetatable({ dict = dict }, mt)
end


--- Adds to a counter, that lives `expiry` seconds from its first count. Returns its new value, or nil and the error.
function _M.incr(self, key, delta, expiry)
    local value, err = self.dict:incr(key, delta, 0, expiry)
    return value, err
end


--- The value of a counter; nil if there is none; or nil and the error.
function _M.get(self, key)
    return self.dict:get(key)
end


return _M
