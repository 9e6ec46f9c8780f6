--- Kong's rate-limiting, with the same fields; `dshm` says where the cluster is.

local typedefs = require("kong.db.schema.typedefs")

local format = string.format
local ipairs = ipairs
local type = type


local PERIODS = { "second", "minute", "hour", "day", "month", "year" }


-- A longer period that admits less than a shorter one is a mistake.
local function check_order(config)
    for i, shorter in ipairs(PERIODS) do
        for j = i + 1, #PERIODS do
            local longer = PERIODS[j]
            local few, many = config[shorter], config[longer]
            if type(few) == "number" and type(many) == "number" and many < few then
                return nil, format("the limit of a %s, %g, is lower than that of a %s, %g", longer, many, shorter, few)
            end
        end
    end
    return true
end


local function millis(default)
    return { type = "integer", default = default, between = { 1, 2 ^ 31 - 2 } }
end


local fields = {
    { limit_by = {
        type = "string", default = "consumer",
        one_of = { "consumer", "credential", "ip", "service", "header", "path" },
    } },
    { header_name = typedefs.header_name },
    { path = typedefs.path },
    { fault_tolerant = { type = "boolean", required = true, default = true } },
    { hide_client_headers = { type = "boolean", required = true, default = false } },
    { error_code = { type = "number", default = 429, gt = 0 } },
    { error_message = { type = "string", default = "API rate limit exceeded" } },
    { dshm = {
        type = "record",
        required = true,
        fields = {
            { host = { type = "array", required = true, len_min = 1, elements = { type = "string" },
                       default = { "127.0.0.1" } } },
            { port = typedefs.port({ default = 4321 }) },
            { region = { type = "string", required = true, default = "kong", match = "^[^:]+$" } },
            { algorithm = { type = "string", required = true, default = "fixed",
                            one_of = { "fixed", "log", "counter", "gcra" } } },
            { connect_timeout = millis(1000) },
            { send_timeout = millis(1000) },
            { read_timeout = millis(5000) },
            { keepalive_timeout = millis(60000) },
            { pool_size = { type = "integer", default = 100, gt = 0 } },
            { ssl = { type = "boolean", required = true, default = false } },
            { ssl_verify = { type = "boolean", required = true, default = true } },
            { server_name = typedefs.sni },
            { username = { type = "string", referenceable = true } },
            { password = { type = "string", referenceable = true, encrypted = true } },
        },
    } },
}
for i, period in ipairs(PERIODS) do
    table.insert(fields, i, { [period] = { type = "number", gt = 0 } })
end


return {
    name = "dshm-rate-limiting",
    fields = {
        { protocols = typedefs.protocols_http },
        { config = { type = "record", fields = fields, custom_validator = check_order } },
    },
    entity_checks = {
        { at_least_one_of = {
            "config.second", "config.minute", "config.hour", "config.day", "config.month", "config.year",
        } },
        { conditional = {
            if_field = "config.limit_by", if_match = { eq = "header" },
            then_field = "config.header_name", then_match = { required = true },
        } },
        { conditional = {
            if_field = "config.limit_by", if_match = { eq = "path" },
            then_field = "config.path", then_match = { required = true },
        } },
    },
}
