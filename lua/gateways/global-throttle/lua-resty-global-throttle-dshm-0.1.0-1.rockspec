rockspec_format = "3.0"
package = "lua-resty-global-throttle-dshm"
version = "0.1.0-1"
source = {
    -- the archive of this folder that is made for a release
    url = "file://./lua-resty-global-throttle-dshm-0.1.0.tar.gz",
}
description = {
    summary = "A store of lua-resty-global-throttle in a DSHM cluster",
    license = "Apache-2.0",
}
dependencies = {
    "lua == 5.1",
    "dshm >= 0.1.0",
}
build = {
    type = "builtin",
    modules = {
        ["resty.global_throttle.store.dshm"] = "resty/global_throttle/store/dshm.lua",
    },
}
