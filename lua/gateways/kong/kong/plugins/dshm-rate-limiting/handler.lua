--- Kong's rate-limiting with counters in a DSHM cluster: exact on however many gateways. All periods are charged, or
-- none, in one request; a refused call takes nothing.

local limit = require("resty.dshm.limit")
local limit_headers = require("resty.dshm.limit.headers")

local ceil = math.ceil
local floor = math.floor
local ipairs = ipairs
local kong = kong
local max = math.max
local null = ngx.null
local pairs = pairs
local setmetatable = setmetatable


-- Seconds, from the shortest on.
local PERIODS = {
    { name = "second", header = "Second", seconds = 1 },
    { name = "minute", header = "Minute", seconds = 60 },
    { name = "hour", header = "Hour", seconds = 3600 },
    { name = "day", header = "Day", seconds = 86400 },
    { name = "month", header = "Month", seconds = 2592000 },
    { name = "year", header = "Year", seconds = 31536000 },
}

local handler = {
    VERSION = "0.1.0",
    PRIORITY = 910,
}

-- Of each configuration that lives: what it is connected with.
local limiters = setmetatable({}, { __mode = "k" })


local function limiter_of(record)
    local limiter = limiters[record]
    if not limiter then
        local options = {}
        for name, value in pairs(record) do
            if name ~= "algorithm" and value ~= null then
                options[name] = value
            end
        end
        limiter = limit.new(options)
        limiters[record] = limiter
    end
    return limiter
end


local function id_of(entity)
    return entity and entity.id
end


-- Whom the limits are for; the address if the request has nothing of the kind.
local function identifier_of(conf)
    local found
    if conf.limit_by == "consumer" then
        found = id_of(kong.client.get_consumer()) or id_of(kong.client.get_credential())
    elseif conf.limit_by == "credential" then
        found = id_of(kong.client.get_credential())
    elseif conf.limit_by == "service" then
        found = id_of(kong.router.get_service())
    elseif conf.limit_by == "header" then
        found = kong.request.get_header(conf.header_name)
    elseif conf.limit_by == "path" and kong.request.get_path() == conf.path then
        found = conf.path
    end
    return found or kong.client.get_forwarded_ip()
end


local function uuid(id)
    return id and id ~= null and id or "-"
end


-- The limits that are configured, each as `take_all` takes it.
local function takes_of(conf)
    local owner = uuid(conf.route_id) .. ":" .. uuid(conf.service_id) .. ":" .. identifier_of(conf) .. ":"
    local takes = {}
    for _, period in ipairs(PERIODS) do
        local count = conf[period.name]
        if count and count ~= null then
            takes[#takes + 1] = {
                owner .. period.name,
                { algorithm = conf.dshm.algorithm, limit = floor(count), period = period.seconds },
                period = period,
            }
        end
    end
    return takes
end


-- The headers of each period, and of the one that has the least left; of two such, of the longer one.
local function set_headers(takes, decisions)
    local headers, least = {}, nil
    for i, take in ipairs(takes) do
        local decision, name = decisions[i], take.period.header
        headers["X-RateLimit-Limit-" .. name] = take[2].limit
        headers["X-RateLimit-Remaining-" .. name] = max(decision.remaining, 0)
        if not least or decision.remaining <= least.remaining then
            least = decision
            headers["RateLimit-Limit"] = take[2].limit
            headers["RateLimit-Remaining"] = max(decision.remaining, 0)
            headers["RateLimit-Reset"] = max(1, ceil(decision.reset))
        end
    end
    for name, value in pairs(headers) do
        kong.response.set_header(name, value)
    end
end


function handler.access(_, conf)
    local takes = takes_of(conf)
    local decisions, err = limiter_of(conf.dshm):take_all(takes)
    if not decisions then
        kong.log.err("DSHM: ", err)
        if conf.fault_tolerant then
            return
        end
        return kong.response.error(500, "An unexpected error occurred")
    end
    if not conf.hide_client_headers then
        set_headers(takes, decisions)
        local seconds = not decisions.allowed and limit_headers.retry_after(decisions)
        if seconds then
            kong.response.set_header("Retry-After", seconds)
        end
    end
    if not decisions.allowed then
        return kong.response.error(conf.error_code, conf.error_message)
    end
end


return handler
