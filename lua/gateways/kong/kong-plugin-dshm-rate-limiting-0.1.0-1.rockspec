rockspec_format = "3.0"
package = "kong-plugin-dshm-rate-limiting"
version = "0.1.0-1"
source = {
    -- the archive of this folder that is made for a release
    url = "file://./kong-plugin-dshm-rate-limiting-0.1.0.tar.gz",
}
description = {
    summary = "Kong's rate-limiting with counters in a DSHM cluster",
    license = "Apache-2.0",
}
dependencies = {
    "lua == 5.1",
    "dshm >= 0.1.0",
}
build = {
    type = "builtin",
    modules = {
        ["kong.plugins.dshm-rate-limiting.handler"] = "kong/plugins/dshm-rate-limiting/handler.lua",
        ["kong.plugins.dshm-rate-limiting.schema"] = "kong/plugins/dshm-rate-limiting/schema.lua",
    },
}
