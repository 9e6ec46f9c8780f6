--- Stands in for APISIX's module of that name: as much as its documentation says of it, and a plugin for limits uses.

local _M = {
    log = {
        error = function(...) ngx.log(ngx.ERR, ...) end,
    },
    response = {},
    schema = {},
    utils = {},
}

local TYPES = {
    array = function(value) return type(value) == "table" end,
    boolean = function(value) return type(value) == "boolean" end,
    integer = function(value) return type(value) == "number" and math.floor(value) == value end,
    object = function(value) return type(value) == "table" end,
    string = function(value) return type(value) == "string" end,
}


local check


local function has_all(value, names)
    for _, name in ipairs(names) do
        if value[name] == nil then
            return false, 'property "' .. name .. '" is required'
        end
    end
    return true
end


local function check_object(schema, value)
    for name, property in pairs(schema.properties or {}) do
        if value[name] == nil then
            value[name] = property.default
        else
            local ok, err = check(property, value[name])
            if not ok then
                return false, 'property "' .. name .. '" validation failed: ' .. err
            end
        end
    end
    local matching = 0
    for _, alternative in ipairs(schema.oneOf or {}) do
        matching = matching + (has_all(value, alternative.required) and 1 or 0)
    end
    if schema.oneOf and matching ~= 1 then
        return false, "value should match only one schema"
    end
    return has_all(value, schema.required or {})
end


function check(schema, value)
    if not TYPES[schema.type](value) then
        return false, "wrong type: expected " .. schema.type
    end
    if schema.enum then
        local is_one = false
        for _, one in ipairs(schema.enum) do
            is_one = is_one or one == value
        end
        if not is_one then
            return false, "matches none of the enum values"
        end
    end
    if schema.exclusiveMinimum and value <= schema.exclusiveMinimum or schema.minimum and value < schema.minimum
        or schema.maximum and value > schema.maximum or schema.minLength and #value < schema.minLength
        or schema.minItems and #value < schema.minItems then
        return false, "outside its range"
    end
    for _, item in ipairs(schema.items and value or {}) do
        local ok, err = check(schema.items, item)
        if not ok then
            return false, err
        end
    end
    if schema.type == "object" then
        return check_object(schema, value)
    end
    return true
end


--- Checks a configuration, and fills in defaults. Returns true, or false and the error.
_M.schema.check = function(schema, value) return check(schema, value) end


--- Names and values in turn.
function _M.response.set_header(...)
    local all = { ... }
    for i = 1, #all, 2 do
        ngx.header[all[i]] = all[i + 1]
    end
end


--- Puts variables into a text: "$remote_addr $http_x". Returns it, an error or nil, and how many were there.
function _M.utils.resolve_var(text, vars)
    local count = 0
    local resolved = text:gsub("%$([%w_]+)", function(name)
        if vars[name] == nil then
            return ""
        end
        count = count + 1
        return tostring(vars[name])
    end)
    return resolved, nil, count
end


return _M
