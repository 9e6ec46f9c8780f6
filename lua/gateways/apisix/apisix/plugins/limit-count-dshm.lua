--- APISIX's limit-count with counters in a DSHM cluster: exact on however many gateways. Several rules are charged all
-- or none, in one request.

local core = require("apisix.core")
local headers = require("resty.dshm.limit.headers")
local object = require("apisix.plugins.limit-count.limit-count-dshm")

local ceil = math.ceil
local ipairs = ipairs
local max = math.max
local tostring = tostring


local plugin_name = "limit-count-dshm"

local COUNT = { type = "integer", exclusiveMinimum = 0, maximum = 1e12 }
local WINDOW = { type = "integer", exclusiveMinimum = 0, maximum = 315619200 }
local MILLIS = { type = "integer", minimum = 1 }

local schema = {
    type = "object",
    properties = {
        count = COUNT,
        time_window = WINDOW,
        algorithm = { type = "string", enum = { "fixed", "log", "counter", "gcra" }, default = "fixed" },
        key = { type = "string", default = "remote_addr" },
        key_type = { type = "string", enum = { "var", "var_combination", "constant" }, default = "var" },
        rules = {
            type = "array",
            minItems = 1,
            items = {
                type = "object",
                properties = {
                    count = COUNT, time_window = WINDOW, key = { type = "string" }, header_prefix = { type = "string" },
                },
                required = { "count", "time_window", "key" },
            },
        },
        group = { type = "string", minLength = 1 },
        rejected_code = { type = "integer", minimum = 200, maximum = 599, default = 503 },
        rejected_msg = { type = "string", minLength = 1 },
        allow_degradation = { type = "boolean", default = false },
        show_limit_quota_header = { type = "boolean", default = true },
        dshm = {
            type = "object",
            properties = {
                host = { type = "array", minItems = 1, items = { type = "string", minLength = 1 } },
                port = { type = "integer", minimum = 1, maximum = 65535, default = 4321 },
                region = { type = "string", minLength = 1, default = "apisix" },
                connect_timeout = MILLIS, send_timeout = MILLIS, read_timeout = MILLIS, keepalive_timeout = MILLIS,
                pool_size = { type = "integer", minimum = 1 },
                ssl = { type = "boolean", default = false },
                ssl_verify = { type = "boolean", default = true },
                server_name = { type = "string" },
                username = { type = "string" },
                password = { type = "string" },
            },
            required = { "host" },
        },
    },
    required = { "dshm" },
    oneOf = { { required = { "count", "time_window" } }, { required = { "rules" } } },
    encrypt_fields = { "dshm.password" },
}


local _M = {
    version = 0.1,
    priority = 1003,
    name = plugin_name,
    schema = schema,
}


function _M.check_schema(conf)
    local ok, err = core.schema.check(schema, conf)
    if not ok then
        return false, err
    end
    if conf.rules and conf.group then
        return false, "rules have no group"
    end
    local seen = {}
    for _, rule in ipairs(conf.rules or {}) do
        if seen[rule.key] then
            return false, "two rules have the key " .. rule.key
        end
        seen[rule.key] = true
    end
    return true
end


-- What stands before each key. Not the version of the configuration: what was used counts on when a number changes.
local function owner_of(conf)
    if conf.group then
        return "group:" .. conf.group
    end
    local parent = conf._meta and conf._meta.parent
    return parent and parent.resource_key
end


local function value_of(conf, key, key_type, ctx)
    local value
    if key_type == "constant" then
        return key
    elseif key_type == "var_combination" then
        local resolved, err, count = core.utils.resolve_var(key, ctx.var)
        if err then
            core.log.error("could not resolve ", key, ": ", err)
        end
        value = count ~= 0 and resolved or nil
    else
        value = ctx.var[key]
    end
    -- as in limit-count: who has no such value is limited by the address
    if value == nil and not conf.rules then
        value = ctx.var.remote_addr
    end
    return value
end


-- The rules that count for this request, each as `take_all` takes it, and with what its headers are called.
local function takes_of(conf, ctx, owner)
    local takes = {}
    local rules = conf.rules or { { count = conf.count, time_window = conf.time_window, key = conf.key } }
    for i, rule in ipairs(rules) do
        local value = value_of(conf, rule.key, conf.rules and "var_combination" or conf.key_type, ctx)
        if value ~= nil then
            takes[#takes + 1] = {
                owner .. ":" .. (conf.rules and rule.key .. ":" or "") .. value,
                { algorithm = conf.algorithm or "fixed", limit = rule.count, period = rule.time_window },
                prefix = conf.rules and (rule.header_prefix or tostring(i)) .. "-" or "",
            }
        end
    end
    return takes
end


local function set_headers(takes, decisions)
    for i, take in ipairs(takes) do
        local base, decision = "X-" .. take.prefix .. "RateLimit-", decisions[i]
        core.response.set_header(base .. "Limit", take[2].limit, base .. "Remaining", max(decision.remaining, 0),
                                 base .. "Reset", ceil(decision.reset))
    end
end


function _M.access(conf, ctx)
    local owner = owner_of(conf)
    if not owner then
        core.log.error("limit-count-dshm: the configuration belongs to nothing")
        return 500
    end
    local takes = takes_of(conf, ctx, owner)
    if #takes == 0 then
        return
    end
    local decisions, err = object.limiter_of(conf):take_all(takes)
    if not decisions then
        core.log.error("limit-count-dshm: ", err)
        if conf.allow_degradation then
            return
        end
        return 500, { error_msg = "failed to limit count" }
    end
    if conf.show_limit_quota_header ~= false then
        set_headers(takes, decisions)
    end
    if not decisions.allowed then
        local seconds = headers.retry_after(decisions)
        if seconds then
            core.response.set_header("Retry-After", seconds)
        end
        return conf.rejected_code or 503, conf.rejected_msg and { error_msg = conf.rejected_msg } or nil
    end
end


return _M
