rockspec_format = "3.0"
package = "dshm"
version = "0.1.0-1"
source = {
    -- the archive of this folder that is made for a release: dshm-0.1.0/lib, dshm-0.1.0/README.md
    url = "file://./dshm-0.1.0.tar.gz",
}
description = {
    summary = "Distributed shared memory for nginx and OpenResty: ngx.shared.DICT over several servers",
    detailed = "Counters, rate limits and sessions in a strictly consistent cluster: a client of its protocol, a dict with "
        .. "the methods of ngx.shared.DICT, and storages for lua-resty-session.",
    license = "Apache-2.0",
}
dependencies = {
    "lua == 5.1",
}
build = {
    type = "builtin",
    modules = {
        ["resty.dshm"] = "lib/resty/dshm.lua",
        ["resty.dshm.arguments"] = "lib/resty/dshm/arguments.lua",
        ["resty.dshm.clock"] = "lib/resty/dshm/clock.lua",
        ["resty.dshm.dict"] = "lib/resty/dshm/dict.lua",
        ["resty.dshm.identity"] = "lib/resty/dshm/identity.lua",
        ["resty.dshm.limit"] = "lib/resty/dshm/limit.lua",
        ["resty.dshm.limit.access"] = "lib/resty/dshm/limit/access.lua",
        ["resty.dshm.limit.conn"] = "lib/resty/dshm/limit/conn.lua",
        ["resty.dshm.limit.count"] = "lib/resty/dshm/limit/count.lua",
        ["resty.dshm.limit.edge"] = "lib/resty/dshm/limit/edge.lua",
        ["resty.dshm.limit.headers"] = "lib/resty/dshm/limit/headers.lua",
        ["resty.dshm.limit.req"] = "lib/resty/dshm/limit/req.lua",
        ["resty.dshm.limit.traffic"] = "lib/resty/dshm/limit/traffic.lua",
        ["resty.dshm.lock"] = "lib/resty/dshm/lock.lua",
        ["resty.dshm.nodes"] = "lib/resty/dshm/nodes.lua",
        ["resty.dshm.queue"] = "lib/resty/dshm/queue.lua",
        ["resty.dshm.replies"] = "lib/resty/dshm/replies.lua",
        ["resty.dshm.session"] = "lib/resty/dshm/session.lua",
        ["resty.dshm.several"] = "lib/resty/dshm/several.lua",
        ["resty.dshm.wire"] = "lib/resty/dshm/wire.lua",
        ["resty.session.storage.dshm"] = "lib/resty/session/storage/dshm.lua",
    },
}
