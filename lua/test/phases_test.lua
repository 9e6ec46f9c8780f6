--- Calls where nginx has no sockets: an error, or a queue that a timer sends. See support/phases.lua.

local dict = require("resty.dshm.dict")
local phases = require("support.phases")
local queue = require("resty.dshm.queue")
local tap = require("support.tap")

local case, equal, returns, values = tap.case, tap.equal, tap.returns, tap.values


local function eventually(check)
    local deadline = ngx.now() + 10
    while not check() do
        assert(ngx.now() < deadline, "it did not happen in time")
        ngx.sleep(0.01)
    end
end


local function bounded_queue()
    case("a queue is bounded, counts what it drops, and keeps the order of a key", function()
        local sent = {}
        local writes = queue.new("test", 4, function(line)
            sent[#sent + 1] = line
            return line ~= "fails" or nil, "the error"
        end)
        for i = 1, 3 do
            returns(values(true), writes:add("k", "write " .. i))
        end
        returns(values(true), writes:add("k", "fails"))
        returns(values(nil, "queue full"), writes:add("k", "too many"))
        equal(4, writes.waiting)
        equal(1, writes.dropped)
        eventually(function() return writes.waiting == 0 and writes.dropped == 2 end)
        equal("write 1, write 2, write 3, fails", table.concat(sent, ", "))
        returns(values(true), writes:add("k", "write 4"))
        eventually(function() return #sent == 5 end)
        equal(2, writes.dropped)
    end)

    case("an error that is raised while a queue is sent costs that write only, and its timer goes on", function()
        local sent = {}
        local writes = queue.new("test", 10, function(line)
            sent[#sent + 1] = line
            return line ~= "raises" or error("on purpose")
        end)
        for _, line in ipairs({ "write 1", "raises", "write 2" }) do
            returns(values(true), writes:add("k", line))
        end
        eventually(function() return writes.waiting == 0 and writes.dropped == 1 end)
        equal("write 1, raises, write 2", table.concat(sent, ", "))
        returns(values(true), writes:add("k", "write 3"))
        eventually(function() return #sent == 4 end)
        equal(0, writes.waiting)
        equal(1, writes.dropped)
    end)
end


-- A request of its own, so that its log phase has come when this returns, or comes soon.
local function request(socket_path, path)
    local sock = ngx.socket.tcp()
    assert(sock:connect("unix:" .. socket_path))
    assert(sock:send("GET " .. path .. " HTTP/1.0\r\n\r\n"))
    local reply = assert(sock:receive("*a"))
    sock:close()
    assert(reply:find("^HTTP/1.1 200 "), reply)
end


local function live(socket_path, host, port)
    local d = dict.new({ region = phases.region, host = host, port = port })

    case("init_by_lua has neither sockets nor timers", function()
        local returned = phases.returned.init
        for _, name in ipairs({ "incr", "get", "unqueued_incr" }) do
            equal(nil, returned[name][1])
            equal("string", type(returned[name][2]))
        end
        equal("no timer: no request", returned.incr[2])
        returns(values(false, returned.set[2], false), unpack(returned.set, 1, returned.set.n))
        equal(true, returned.unqueued_incr[2]:find("^no sockets here: ") ~= nil)
    end)

    for _, phase in ipairs({ "init_worker", "set", "header_filter", "body_filter", "log" }) do
        case(phase .. "_by_lua queues what may wait, and refuses the rest", function()
            d:set("deleted " .. phase, 1)
            if phase ~= "init_worker" then
                d:delete("incr " .. phase)
                d:delete("set " .. phase)
                request(socket_path, "/phases?phase=" .. phase)
                eventually(function() return phases.returned[phase] end)
                eventually(function() return d:get("deleted " .. phase) == nil end)
            end
            local returned = phases.returned[phase]
            returns(values(true), unpack(returned.incr, 1, returned.incr.n))
            returns(values(true, nil, false), unpack(returned.incr_init, 1, returned.incr_init.n))
            returns(values(true, nil, false), unpack(returned.set, 1, returned.set.n))
            returns(values(true), unpack(returned.expire, 1, returned.expire.n))
            returns(values(true, nil, false), unpack(returned.delete, 1, returned.delete.n))
            returns(values(true, nil, false), unpack(returned.add, 1, returned.add.n))
            for _, name in ipairs({ "get", "safe_add", "unqueued_set", "unqueued_incr" }) do
                local err = returned[name][2]
                equal(true, err:find("^no sockets here: ") ~= nil)
            end

            eventually(function()
                local left = d:ttl("set " .. phase)
                return left and left <= 50
            end)
            returns(values("v", 7), d:get("set " .. phase))
            eventually(function() return d:get("incr " .. phase) == 1 end)
            -- the second one found it there
            eventually(function() return d:get("add " .. phase) == 1 end)
        end)
    end

    case("the first incr of a key, without init, could not be applied, and was counted as dropped", function()
        eventually(function() return ngx.shared.queued:queued() == 0 end)
        local _, dropped = ngx.shared.queued:queued()
        -- those of init_by_lua were dropped in the master, before there was this worker
        equal(true, dropped >= 5)
        returns(values(0, 0), d:queued())
    end)
end


return function(socket_path, host, port)
    bounded_queue()
    if port then
        live(socket_path, host, port)
    end
end
