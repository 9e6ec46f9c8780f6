rockspec_format = "3.0"
package = "apisix-plugin-limit-count-dshm"
version = "0.1.0-1"
source = {
    -- the archive of this folder that is made for a release
    url = "file://./apisix-plugin-limit-count-dshm-0.1.0.tar.gz",
}
description = {
    summary = "APISIX's limit-count with counters in a DSHM cluster",
    license = "Apache-2.0",
}
dependencies = {
    "lua == 5.1",
    "dshm >= 0.1.0",
}
build = {
    type = "builtin",
    modules = {
        ["apisix.plugins.limit-count-dshm"] = "apisix/plugins/limit-count-dshm.lua",
        ["apisix.plugins.limit-conn.limit-conn-dshm"] = "apisix/plugins/limit-conn/limit-conn-dshm.lua",
        ["apisix.plugins.limit-count.limit-count-dshm"] = "apisix/plugins/limit-count/limit-count-dshm.lua",
        ["apisix.plugins.limit-req.limit-req-dshm"] = "apisix/plugins/limit-req/limit-req-dshm.lua",
    },
}
