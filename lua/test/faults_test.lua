--- What becomes of a real cosocket when a request ends half way.
--
-- The server is this very nginx: `GET /path` without a version is an HTTP/0.9 request, which is answered with the bare
-- body. So the locations under /fault/ (see nginx.conf.template) can say whatever a broken DSHM server might.

local dshm = require("resty.dshm")
local tap = require("support.tap")

local case, equal, returns, values = tap.case, tap.equal, tap.returns, tap.values

local AS_IT_IS = { key_transform = { function(key) return key end, function(key) return key end } }


return function(socket_path)
    local function connected()
        local store = assert(dshm:new(AS_IT_IS))
        store:set_timeout(300)
        assert(store:connect("unix:" .. socket_path))
        return store
    end

    local function expect_broken(store)
        returns(values(nil, "closed"), store:get("/fault/none"))
        returns(values(nil, "closed"), store:set_keepalive(1000, 10))
        returns(values(1), store:connect("unix:" .. socket_path))
        returns(values(0), store:get_reused_times())
        returns(values("value"), store:get("/fault/none"))
    end

    case("a well-behaved reply, to know that this works", function()
        returns(values("value"), connected():get("/fault/none"))
    end)

    for _, fault in ipairs({ "slow-line", "slow-value", "slow-end" }) do
        case(fault .. ": a timeout keeps the connection out of the pool", function()
            local store = connected()
            returns(values(nil, "timeout"), store:get("/fault/" .. fault))
            expect_broken(store)
        end)
    end

    for _, fault in ipairs({ "cut-line", "cut-value", "cut-end", "silent" }) do
        case(fault .. ": a reply that stops short is 'closed'", function()
            local store = connected()
            returns(values(nil, "closed"), store:get("/fault/" .. fault))
            expect_broken(store)
        end)
    end

    case("garbage keeps the connection out of the pool", function()
        local store = connected()
        returns(values(nil, "protocol_error"), store:get("/fault/garbage"))
        expect_broken(store)
    end)

    case("more than a reply keeps the connection out of the pool", function()
        local store = connected()
        returns(values("value"), store:get("/fault/two-replies"))
        local ok = store:set_keepalive(1000, 10)
        equal(nil, ok)
        expect_broken(store)
    end)

    case("a second light thread cannot take the reply of the first", function()
        local store = connected()
        local thread = ngx.thread.spawn(function() return store:get("/fault/late") end)
        returns(values(nil, "connection busy"), store:get("/fault/none"))
        returns(values(nil, "connection busy"), store:set_keepalive(1000, 10))
        returns(values(true, "value"), ngx.thread.wait(thread))
    end)

    case("a light thread that is killed while it waits leaves nothing to the pool", function()
        local store = connected()
        local thread = ngx.thread.spawn(function() return store:get("/fault/late") end)
        assert(ngx.thread.kill(thread))
        returns(values(nil, "connection busy"), store:get("/fault/none"))
        returns(values(nil, "connection busy"), store:set_keepalive(1000, 10))
        store:close()
        returns(values(nil, "closed"), store:get("/fault/none"))
        -- ngx_lua gives such a socket back only with the end of the request
        local next_store = connected()
        returns(values(0), next_store:get_reused_times())
        returns(values("value"), next_store:get("/fault/none"))
    end)

    case("nobody listens", function()
        local store = assert(dshm:new())
        local ok, err = store:connect("unix:" .. socket_path .. ".absent")
        equal(nil, ok)
        equal("string", type(err))
        returns(values(nil, "closed"), store:get("k"))
    end)
end
