--- Calls on dicts where nginx has no sockets. What they return is kept for phases_test.lua.

local dict = require("resty.dshm.dict")
local tap = require("support.tap")

local _M = {
    -- By phase and call: what it returned.
    returned = {},
    -- Of this nginx alone.
    region = "lua-phases-test-" .. math.floor(ngx.now() * 1000),
}

local host, port = os.getenv("DSHM_HOST") or "127.0.0.1", tonumber(os.getenv("DSHM_PORT"))


--- Called by init_by_lua, as a user would.
function _M.init()
    if not port then
        return
    end
    ngx.shared.queued = dict.new({ region = _M.region, host = host, port = port, queue = true })
    ngx.shared.unqueued = dict.new({ region = _M.region, host = host, port = port })
    _M.visit("init")
end


function _M.visit(phase)
    if not port then
        return
    end
    local queued, unqueued = ngx.shared.queued, ngx.shared.unqueued
    _M.returned[phase] = {
        incr = tap.values(queued:incr("incr " .. phase, 1)),
        incr_init = tap.values(queued:incr("incr " .. phase, 1, 0)),
        set = tap.values(queued:set("set " .. phase, "v", 100, 7)),
        expire = tap.values(queued:expire("set " .. phase, 50)),
        delete = tap.values(queued:delete("deleted " .. phase)),
        get = tap.values(queued:get("k")),
        add = tap.values(queued:add("add " .. phase, 1, 100)),
        add_again = tap.values(queued:add("add " .. phase, 2, 100)),
        safe_add = tap.values(queued:safe_add("k", 1)),
        unqueued_set = tap.values(unqueued:set("k", 1)),
        unqueued_incr = tap.values(unqueued:incr("k", 1)),
    }
end


--- In a phase of a request: if it is the one that the request names.
function _M.visit_if_named(phase)
    if ngx.var.arg_phase == phase then
        _M.visit(phase)
    end
end


return _M
