--- The storages of lua-resty-session, against a live server.
--
-- The library is in no Debian package. So these drivers call what it calls, in that order and with those arguments: for
-- version 4 also what its own storage `resty.session.dshm` calls of `resty.dshm`.

local dshm = require("resty.dshm")
local own_storage = require("resty.dshm.session")
local storage = require("resty.session.storage.dshm")
local tap = require("support.tap")

local case, equal, returns, values = tap.case, tap.equal, tap.returns, tap.values

-- As the library's own encoders, and not that of nginx's keys.
local ENCODER = { encode = ngx.encode_base64, decode = ngx.decode_base64 }


local function sorted_keys(sessions)
    local keys = {}
    for key in pairs(sessions) do
        keys[#keys + 1] = key
    end
    table.sort(keys)
    return table.concat(keys, " ")
end


return function(host, port)
    local region = "lua-session-test-" .. ngx.worker.pid() .. "-" .. math.floor(ngx.now() * 1000)

    -- What version 4's own storage does around each of its calls; `ok` nil and `err` nil are a miss there.
    local function version_4(options, call, ...)
        local store = dshm:new()
        store.sock:settimeouts(1000, 1000, 5000)
        local ok, err = store:connect(host, port, options)
        if not ok then
            return nil, err
        end
        if store:get_reused_times() == 0 then
            equal("function", type(store.sock.sslhandshake))
        end
        ok, err = store[call](store, ...)
        if err then
            store:close()
            return nil, err
        end
        if not store:set_keepalive(nil) then
            store:close()
        end
        return ok, err
    end

    case("version 4, its own storage: a session is saved, found, replaced, touched and deleted", function()
        local key, old_key = region .. ":session:new", region .. ":session:old"
        for _, options in ipairs({ false, { pool = region, pool_size = 5 } }) do
            options = options or nil
            returns(values("data", nil), version_4(options, "set", old_key, "data", 60))
            returns(values("data", nil), version_4(options, "get", old_key))
            returns(values("more data", nil), version_4(options, "set", key, "more data", 60))
            returns(values(1, nil), version_4(options, "touch", old_key, 10))
            returns(values(1, nil), version_4(options, "touch", region .. ":session:absent", 10))
            returns(values("more data", nil), version_4(options, "get", key))
            returns(values(1, nil), version_4(options, "delete", key))
            returns(values(1, nil), version_4(options, "delete", key))
        end
    end)

    -- It takes "not found" for a failure: it closes the connection, and says that there is no such session, and why.
    case("version 4, its own storage: a session that is not there", function()
        returns(values(nil, "not found"), version_4(nil, "get", region .. ":session:absent"))
        returns(values("v", nil), version_4(nil, "set", region .. ":session:k", "v", 60))
        returns(values("v", nil), version_4(nil, "get", region .. ":session:k"))
    end)

    local function version_3(config)
        return storage.new({ encoder = ENCODER, dshm = config, cookie = { storage = "dshm", encoder = ENCODER } })
    end

    case("version 3: save, open, ttl and destroy", function()
        local sessions = version_3({ region = region, host = host, port = port, pool = { size = 10, timeout = 1000 } })
        local id = ngx.encode_base64("\0\1an id")
        returns(values(nil, nil), sessions:open(id))
        returns(values(true), sessions:start(id))
        returns(values(true), sessions:save(id, 60, "\0data\r\n", true))
        returns(values("\0data\r\n"), sessions:open(id, true))
        returns(values(true), sessions:close(id))
        returns(values(true), sessions:ttl(id, 1000, true))

        -- what the library's own storage for DSHM wrote, and reads
        local store = assert(dshm:new())
        assert(store:connect(host, port))
        returns(values(ngx.encode_base64("\0data\r\n")), store:get(region .. "::" .. id))
        store:set(region .. "::theirs", ngx.encode_base64("their data"), 60)
        store:set_keepalive()
        returns(values("their data"), sessions:open("theirs"))

        returns(values(true), sessions:destroy(id))
        returns(values(true), sessions:destroy(id))
        returns(values(nil, nil), sessions:open(id))
        returns(values(nil, "not found"), sessions:ttl(id, 10))
    end)

    case("version 3: settings by variables of nginx", function()
        ngx.var.session_dshm_region = region
        ngx.var.session_dshm_host = host
        ngx.var.session_dshm_port = port
        local by_variables = version_3(nil)
        returns(values(true), by_variables:save("by variables", 60, "data"))
        returns(values("data"), version_3({ region = region, host = host, port = port }):open("by variables"))
    end)

    case("version 3: what cannot be reached is an error", function()
        local sessions = version_3({ region = region, host = "127.0.0.1", port = 1 })
        local ok, err = sessions:open("id")
        equal(nil, ok)
        equal("no connection: connection refused", err)
        equal(nil, (sessions:save("id", 60, "data")))
        equal(nil, (sessions:destroy("id")))
    end)

    case("the interface of version 2: save makes the cookie that open takes", function()
        local sessions = storage.new({
            encoder = ENCODER,
            cookie = { delimiter = "|", lifetime = 3600 },
            dshm = { store = region, host = host, port = port },
        })
        local id, hash = "\0an id|", "\xFFa hash|"
        local expires = math.floor(ngx.now()) + 60
        returns(values(true), sessions:start(id))
        local cookie = assert(sessions:save(id, expires, "data", hash, true))
        equal(ngx.encode_base64(id) .. "|" .. expires .. "|" .. ngx.encode_base64(hash), cookie)
        returns(values(id, expires, "data", hash), sessions:open(cookie, 3600))
        local d = require("resty.dshm.dict").new({ region = region, host = host, port = port })
        equal(true, d:ttl(ngx.encode_base64(id)) > 1000)
        returns(values(true), sessions:ttl(id, 100))
        equal(true, d:ttl(ngx.encode_base64(id)) <= 100)
        returns(values(true), sessions:destroy(id))
        returns(values(id, expires, nil, hash), sessions:open(cookie, 3600))
        returns(values(nil, "expired"), sessions:save(id, ngx.now() - 1, "data", hash))
        for _, nonsense in ipairs({ "", "a", "a|b", "a|b|c|d", "||", "YQ==|no time|YQ==" }) do
            returns(values(nil, "invalid"), sessions:open(nonsense, 3600))
        end
    end)

    local metadata = { audiences = { "audience" }, subjects = { "subject" } }
    local function own()
        return own_storage.new({ region = region, host = host, port = port, read_timeout = 30000 })
    end

    case("a storage of our own for version 4: set, get, delete, and the sessions of a subject", function()
        local sessions = own()
        local time = ngx.time()
        returns(values(nil), sessions:get("cookie", "first", time))
        returns(values(nil, "not found"), sessions:read_metadata("cookie", "audience", "subject", time))
        returns(values(true), sessions:set("cookie", "first", "data", 60, time))
        returns(values("data"), sessions:get("cookie", "first", time))
        returns(values(nil, "not found"), sessions:read_metadata("cookie", "audience", "subject", time))

        returns(values(true), sessions:set("cookie", "second", "more", 60, time, "first", 10, metadata))
        returns(values("data"), sessions:get("cookie", "first", time))
        local found = assert(sessions:read_metadata("cookie", "audience", "subject", time))
        equal("second", sorted_keys(found))
        equal(time + 60, found.second)
        returns(values(true), sessions:set("cookie", "third", "x", 90, time, "absent", 10, metadata))
        equal("second third", sorted_keys(sessions:read_metadata("cookie", "audience", "subject", time)))
        equal("third", sorted_keys(sessions:read_metadata("cookie", "audience", "subject", time + 60)))

        returns(values(true), sessions:delete("cookie", "second", time, metadata))
        returns(values(nil), sessions:get("cookie", "second", time))
        equal("third", sorted_keys(sessions:read_metadata("cookie", "audience", "subject", time)))
        returns(values(true), sessions:delete("cookie", "third", time, metadata))
        returns(values(nil, "not found"), sessions:read_metadata("cookie", "audience", "subject", time))
        returns(values(true), sessions:delete("cookie", "third", time))
        equal(false, (pcall(function() sessions.changed = true end)))
    end)

    case("a session that is replaced is never made to live longer", function()
        local sessions = own()
        local d = require("resty.dshm.dict").new({ region = region, host = host, port = port })
        local time = ngx.time()
        assert(sessions:set("cookie", "short", "data", 20, time))
        assert(sessions:set("cookie", "next", "data", 60, time, "short", 30))
        equal(true, d:ttl("cookie:short") <= 20)
        assert(sessions:set("cookie", "last", "data", 60, time, "next", 30))
        local left = d:ttl("cookie:next")
        equal(true, left > 0 and left <= 30)
    end)

    case("a session that is replaced is deleted where the old one has no time left", function()
        local sessions = own()
        local time = ngx.time()
        for i, stale_ttl in ipairs({ 0, -1 }) do
            assert(sessions:set("cookie", "replaced" .. i, "data", 60, time))
            assert(sessions:set("cookie", "replacing" .. i, "data", 60, time, "replaced" .. i, stale_ttl))
            returns(values(nil), sessions:get("cookie", "replaced" .. i, time))
            returns(values("data"), sessions:get("cookie", "replacing" .. i, time))
        end

        local of_version_3 = version_3({ region = region, host = host, port = port })
        returns(values(true), of_version_3:save("discarded", 60, "data"))
        returns(values(true), of_version_3:ttl("discarded", 0))
        returns(values(nil, nil), of_version_3:open("discarded"))
        returns(values(nil, "expired"), of_version_3:save("never there", 0, "data"))
        returns(values(nil, nil), of_version_3:open("never there"))

        local of_version_2 = storage.new({
            encoder = ENCODER, cookie = { delimiter = "|" }, dshm = { store = region, host = host, port = port },
        })
        assert(of_version_2:save("discarded", ngx.now() + 60, "data", "hash"))
        returns(values(true), of_version_2:ttl("discarded", 0))
        local d = require("resty.dshm.dict").new({ region = region, host = host, port = port })
        returns(values(nil), d:get(ngx.encode_base64("discarded")))
    end)

    case("logins and logouts of one subject at the same time: none is lost", function()
        local sessions = own()
        local time = ngx.time()
        local name, busy = "races", { audiences = { "a", "b" }, subjects = { "s", "s" } }
        for i = 1, 10 do
            assert(sessions:set(name, "leaves" .. i, "data", 60, time, nil, nil, busy))
        end
        local threads = {}
        for i = 1, 10 do
            threads[#threads + 1] = ngx.thread.spawn(function()
                return assert(sessions:set(name, "comes" .. i, "data", 60, time, nil, nil, busy))
            end)
            threads[#threads + 1] = ngx.thread.spawn(function()
                return assert(sessions:delete(name, "leaves" .. i, time, busy))
            end)
        end
        for _, thread in ipairs(threads) do
            assert(ngx.thread.wait(thread))
        end
        for _, audience in ipairs({ "a", "b" }) do
            equal("comes1 comes10 comes2 comes3 comes4 comes5 comes6 comes7 comes8 comes9",
                  sorted_keys(sessions:read_metadata(name, audience, "s", time)))
        end
    end)
end
