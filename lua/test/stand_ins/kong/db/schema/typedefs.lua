--- Stands in for Kong's module of that name: the types that a plugin for limits names.

return {
    header_name = { type = "string" },
    path = { type = "string" },
    protocols_http = { type = "set", required = true, default = { "grpc", "grpcs", "http", "https" } },
    sni = { type = "string" },
    port = function(options)
        return { type = "integer", between = { 0, 65535 }, default = options and options.default }
    end,
}
