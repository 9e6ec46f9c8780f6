--- Which node a dict's request goes to, when it is sent again, and what carries an identity: on a scripted network.

local scripted_network = require("support.scripted_network")
local tap = require("support.tap")

local case, equal, returns, values = tap.case, tap.equal, tap.returns, tap.values

local REFUSED = { refused = "connection refused" }
local FOUND = { input = "LEN 1 type=string version=1\r\nv\r\nDONE\r\n" }
local ONE = { input = "LEN 1\r\n1\r\nDONE\r\n" }


local function server_says(code)
    return { input = "ERROR " .. code .. "\r\n" }
end


-- A network of nodes a, b and c, and a dict on it.
local function cluster(opts)
    local network = scripted_network.new()
    local dict = network:load("resty.dshm.dict")
    local options = { region = "r", host = { "a:1", "b:1", "c:1" } }
    for name, value in pairs(opts or {}) do
        options[name] = value
    end
    return network, dict.new(options)
end


-- Checks the addresses that were connected to, and returns what was sent to them.
local function expect_sent(network, addresses)
    local sent = network:sent()
    local shown = {}
    for i, entry in ipairs(sent) do
        shown[i] = entry:sub(1, 1)
    end
    equal(addresses, table.concat(shown))
    return sent
end


local function identity_of(request)
    local id, seq, done = request:match(" id=(%d+) seq=(%d+) done=(%d+)\r\n")
    return assert(id, "no identity: " .. request), tonumber(seq), tonumber(done)
end


-- Checks that the second request is the first one again, marked so.
local function expect_repeat(first, second)
    identity_of(first)
    equal(first:gsub("^%a:1 ", ""):gsub("( done=%d+)", "%1 retry=yes"), (second:gsub("^%a:1 ", "")))
end


local function order_of_nodes()
    case("the first node answers: one connection, one request, back to the pool", function()
        local network, dict = cluster()
        network:on("a:1", FOUND)
        returns(values("v"), dict:get("k"))
        equal("a:1 FETCH r::k\r\n", table.concat(expect_sent(network, "a")))
        equal(1, network.last_socket.keepalive_count)
    end)

    case("each call is one request", function()
        local network, dict = cluster()
        local calls = {
            { "get", "k" }, { "get_stale", "k" }, { "set", "k", 1 }, { "safe_set", "k", "v", 5, 7 }, { "add", "k", 1 },
            { "safe_add", "k", 1 }, { "replace", "k", 1 }, { "delete", "k" }, { "incr", "k", 1 },
            { "incr", "k", 1, 0, 5 }, { "lpush", "k", 1 }, { "rpush", "k", "v" }, { "lpop", "k" }, { "rpop", "k" },
            { "llen", "k" }, { "ttl", "k" }, { "expire", "k", 5 }, { "flush_all" }, { "flush_expired" }, { "get_keys" },
            { "capacity" }, { "free_space" }, { "gets", "k" }, { "cas", "k", 1, "5" }, { "mget", { "k", "l" } },
            { "multi", "k", { { "incr", 1 } } },
        }
        for _, call in ipairs(calls) do
            network:on("a:1", server_says("overflow"))
            dict[call[1]](dict, unpack(call, 2))
            expect_sent(network, "a")
            equal(1, network.last_socket.keepalive_count)
        end
    end)

    case("a node that cannot be reached is left out for a while, then tried again by one request", function()
        local network, dict = cluster({ retry_after = 5 })
        network:on("a:1", REFUSED)
        network:on("b:1", FOUND, FOUND, FOUND, FOUND)
        returns(values("v"), dict:get("k"))
        expect_sent(network, "ab")
        network.time = network.time + 4.9
        returns(values("v"), dict:get("k"))
        expect_sent(network, "b")

        network.time = network.time + 0.2
        network:on("a:1", REFUSED)
        returns(values("v"), dict:get("k"))
        expect_sent(network, "ab")
        returns(values("v"), dict:get("k"))
        expect_sent(network, "b")

        network.time = network.time + 5.1
        network:on("a:1", FOUND, FOUND)
        returns(values("v"), dict:get("k"))
        returns(values("v"), dict:get("k"))
        expect_sent(network, "aa")
    end)

    case("what one dict has learned of a node is known to all", function()
        local network = scripted_network.new()
        local dict = network:load("resty.dshm.dict")
        local one = dict.new({ region = "r", host = "a:1 b:1" })
        local other = dict.new({ region = "s", host = { "a", "b" }, port = 1 })
        network:on("a:1", REFUSED)
        network:on("b:1", FOUND, FOUND)
        returns(values("v"), one:get("k"))
        returns(values("v"), other:get("k"))
        expect_sent(network, "abb")
    end)

    case("a node that refuses one user is left out for that one only", function()
        local network = scripted_network.new()
        local dict = network:load("resty.dshm.dict")
        local wrong = dict.new({ region = "r", host = "a:1 b:1", username = "u", password = "wrong" })
        local right = dict.new({ region = "r", host = "a:1 b:1", username = "u", password = "right" })
        network:on("a:1", server_says("denied"), { input = "DONE\r\n" .. FOUND.input })
        network:on("b:1", { input = "DONE\r\n" .. FOUND.input }, { input = "DONE\r\n" .. FOUND.input })
        returns(values("v"), wrong:get("k"))
        returns(values("v"), right:get("k"))
        expect_sent(network, "aba")
        returns(values("v"), wrong:get("k"))
        expect_sent(network, "b")
    end)

    case("with all of them left out, all are tried, in their order", function()
        local network, dict = cluster()
        for _ = 1, 2 do
            for _, address in ipairs({ "a:1", "b:1", "c:1" }) do
                network:on(address, REFUSED)
            end
            returns(values(nil, "no connection: connection refused"), dict:get("k"))
            expect_sent(network, "abc")
        end
        network:on("a:1", REFUSED)
        network:on("b:1", FOUND)
        returns(values("v"), dict:get("k"))
        expect_sent(network, "ab")
    end)

    for _, code in ipairs({ "busy", "no_leader", "shutting_down" }) do
        case("after " .. code .. " the next node is asked, for a write without an identity, too", function()
            for _, exactly_once in ipairs({ true, false }) do
                local network, dict = cluster({ exactly_once = exactly_once })
                network:on("a:1", server_says(code))
                network:on("b:1", ONE, ONE)
                returns(values(1), dict:incr("k", 1))
                expect_sent(network, "ab")
                network:on("a:1", ONE)
                returns(values(1), dict:incr("k", 1))
                expect_sent(network, code == "busy" and "a" or "b")
            end
        end)
    end

    case("other errors are answers", function()
        for _, c in ipairs({ { "not_found", "not found" }, { "not_a_number", "not a number" },
                             { "overflow", "overflow" }, { "out_of_memory", "no memory" },
                             { "unknown_outcome", "unknown_outcome" } }) do
            local network, dict = cluster()
            network:on("a:1", server_says(c[1]))
            returns(values(nil, c[2]), dict:incr("k", 1))
            expect_sent(network, "a")
        end
    end)

    case("some writes make room, and say so; others refuse", function()
        local EVICTED = { input = "DONE version=7 evicted=yes\r\n" }
        local NUMBER = { input = "LEN 1 evicted=yes\r\n1\r\nDONE\r\n" }
        for _, c in ipairs({ { "set", " full=evict ", EVICTED, values(true, nil, true) },
                             { "add", " if=absent full=evict ", EVICTED, values(true, nil, true) },
                             { "replace", " if=present full=evict ", EVICTED, values(true, nil, true) },
                             { "safe_set", " full=refuse ", server_says("out_of_memory"),
                               values(false, "no memory", false) },
                             { "safe_add", " if=absent full=refuse ", server_says("out_of_memory"),
                               values(false, "no memory", false) },
                             { "lpush", " full=refuse ", server_says("out_of_memory"), values(nil, "no memory") },
                             { "rpush", " full=refuse ", server_says("out_of_memory"), values(nil, "no memory") } }) do
            local network, dict = cluster()
            network:on("a:1", c[3])
            returns(c[4], dict[c[1]](dict, "k", 1))
            local sent = expect_sent(network, "a")[1]
            equal(true, sent:find(c[2], 1, true) ~= nil)
        end
        local network, dict = cluster()
        network:on("a:1", NUMBER)
        returns(values(1, nil, true), dict:incr("k", 1, 0))
        equal(true, expect_sent(network, "a")[1]:find(" init=0 full=evict ", 1, true) ~= nil)
    end)

    case("when no node has room for it, the error says so", function()
        local network, dict = cluster()
        for _, address in ipairs({ "a:1", "b:1", "c:1" }) do
            network:on(address, server_says("busy"))
        end
        returns(values(false, "busy", false), dict:set("k", 1))
        expect_sent(network, "abc")
    end)
end


local function writes_that_are_sent_again()
    for _, broken in ipairs({ { input = "", ending = "timeout" }, { input = "LEN 1\r\n1", ending = "closed" },
                              { input = "HTTP/1.1 400\r\n" }, { input = "ERROR timeout\r\n" } }) do
        case("a write without a clear outcome goes to the next node, with the same identity: "
                .. broken.input:gsub("%c", "."), function()
            local network, dict = cluster()
            network:on("a:1", broken)
            network:on("b:1", ONE)
            returns(values(1, nil, false), dict:incr("k", 1, 0))
            local sent = expect_sent(network, "ab")
            expect_repeat(sent[1], sent[2])
        end)

        case("without an identity it is not sent again: " .. broken.input:gsub("%c", "."), function()
            local network, dict = cluster({ exactly_once = false })
            network:on("a:1", broken)
            equal(nil, (dict:incr("k", 1)))
            local sent = expect_sent(network, "a")
            equal("a:1 INCR_NUMBER r::k 1\r\n", sent[1])
        end)
    end

    case("what was unclear stays unclear when the next nodes certainly did nothing", function()
        local network, dict = cluster()
        network:on("a:1", { input = "", ending = "timeout" })
        network:on("b:1", server_says("busy"))
        network:on("c:1", REFUSED)
        returns(values(nil, "timeout"), dict:incr("k", 1))
        expect_sent(network, "abc")
    end)

    for _, refusal in ipairs({ "disk_full", "denied", "out_of_memory", "too_large" }) do
        case("what was unclear stays unclear when a node refuses a later copy by itself: " .. refusal, function()
            local network, dict = cluster()
            network:on("a:1", { input = "", ending = "timeout" })
            network:on("b:1", server_says(refusal))
            returns(values(nil, "timeout"), dict:incr("k", 1))
            expect_sent(network, "ab")
        end)
    end

    case("a connection of the pool that was closed meanwhile is no failure of the node", function()
        local network, dict = cluster()
        local stale = { input = "", ending = "closed", reused = 3 }
        network:on("a:1", stale, stale, ONE, ONE)
        returns(values(1), dict:incr("k", 1))
        local sent = expect_sent(network, "aaa")
        expect_repeat(sent[1], sent[2])
        equal(sent[2], sent[3])
        returns(values(1), dict:incr("k", 1))
        identity_of(expect_sent(network, "a")[1])
    end)

    for _, code in ipairs({ "busy", "no_leader", "shutting_down" }) do
        case("after " .. code .. " it is no repeat: nobody has it", function()
            local network, dict = cluster()
            network:on("a:1", server_says(code))
            network:on("b:1", ONE)
            returns(values(1), dict:incr("k", 1))
            local sent = expect_sent(network, "ab")
            equal(sent[1]:sub(2), sent[2]:sub(2))
        end)
    end

    case("once it may be somewhere, it is a repeat everywhere", function()
        local network, dict = cluster()
        network:on("a:1", { input = "", ending = "timeout" })
        network:on("b:1", server_says("busy"))
        network:on("c:1", ONE)
        returns(values(1), dict:incr("k", 1))
        local sent = expect_sent(network, "abc")
        expect_repeat(sent[1], sent[2])
        expect_repeat(sent[1], sent[3])
    end)

    case("an old server refuses the words: it is asked without them, and for a minute only so", function()
        local network, dict = cluster({ host = "a:1" })
        network:on("a:1", server_says("malformed_request"), ONE, ONE, ONE)
        returns(values(1), dict:incr("k", 1))
        local sent = expect_sent(network, "aa")
        local id = identity_of(sent[1])
        equal("a:1 INCR_NUMBER r::k 1 id=" .. id .. " seq=1\r\n", sent[2])
        returns(values(1), dict:incr("k", 1))
        equal("a:1 INCR_NUMBER r::k 1 id=" .. id .. " seq=2\r\n", expect_sent(network, "a")[1])
        network.time = network.time + 61
        returns(values(1), dict:incr("k", 1))
        identity_of(expect_sent(network, "a")[1])
    end)

    case("what every server takes for malformed is an error, and says nothing about the server", function()
        local network, dict = cluster({ host = "a:1" })
        local malformed = server_says("malformed_request")
        network:on("a:1", malformed, malformed, ONE)
        returns(values(nil, "malformed_request"), dict:incr("k", 1))
        expect_sent(network, "aa")
        returns(values(1), dict:incr("k", 1))
        identity_of(expect_sent(network, "a")[1])
    end)

    case("one of the pool that does not answer in time is", function()
        local network, dict = cluster()
        network:on("a:1", { input = "", ending = "timeout", reused = 3 })
        network:on("b:1", ONE)
        returns(values(1), dict:incr("k", 1))
        expect_sent(network, "ab")
    end)

    case("all writes have an identity and a number of their own, reads have none", function()
        local network, dict = cluster()
        local writes = {
            { "set", "k", 1 }, { "add", "k", true }, { "replace", "k", 1 }, { "delete", "k" }, { "incr", "k", 1 },
            { "lpush", "k", 1 }, { "rpush", "k", "v" }, { "lpop", "k" }, { "rpop", "k" }, { "expire", "k", 5 },
            { "flush_all" }, { "cas", "k", 1, "5" }, { "multi", "k", { { "incr", 1 } } },
        }
        local first_id
        for i, call in ipairs(writes) do
            network:on("a:1", server_says("exists"))
            dict[call[1]](dict, unpack(call, 2))
            local id, seq, done = identity_of(expect_sent(network, "a")[1])
            first_id = first_id or id
            equal(first_id, id)
            equal(i, seq)
            equal(i, done)
        end
        for _, call in ipairs({ { "get", "k" }, { "ttl", "k" }, { "llen", "k" }, { "get_keys" }, { "flush_expired" },
                                { "mget", { "k", "l" } } }) do
            network:on("a:1", server_says("not_found"))
            dict[call[1]](dict, unpack(call, 2))
            equal(nil, expect_sent(network, "a")[1]:find("id=", 1, true))
        end
    end)

    case("reads are sent again whatever happened", function()
        local network, dict = cluster({ exactly_once = false })
        network:on("a:1", { input = "", ending = "timeout" })
        network:on("b:1", server_says("no_leader"))
        network:on("c:1", FOUND)
        returns(values("v"), dict:get("k"))
        expect_sent(network, "abc")
    end)
end


local function identities_and_numbers()
    case("no number is given out while one that is 1,000 lower is outstanding", function()
        local identities = scripted_network.new():load("resty.dshm.identity")
        local slow_write = {}
        local slow, slow_sequence = identities.take(slow_write)
        local highest = { [slow] = slow_sequence }
        for _ = 1, 5000 do
            local write = {}
            local identity, sequence, done = identities.take(write)
            equal((highest[identity] or 0) + 1, sequence)
            highest[identity] = sequence
            equal(identity == slow and slow_sequence or sequence, done)
            equal(true, sequence - done < 1000)
            identities.give_back(identity, sequence)
        end
        equal(1000, highest[slow])
        identities.give_back(slow, slow_sequence)

        -- the first one goes on where it was when the other one has no room
        local held = {}
        local other = identities.take(held)
        equal(false, other == slow)
        local identity, sequence, done
        repeat
            identity, sequence, done = identities.take(slow_write)
            identities.give_back(identity, sequence)
        until identity == slow
        equal(1001, sequence)
        equal(1001, done)
    end)

    case("one write at a time needs one identity only", function()
        local identities = scripted_network.new():load("resty.dshm.identity")
        local write = {}
        local first = identities.take(write)
        identities.give_back(first, 1)
        for i = 2, 3000 do
            local identity, sequence, done = identities.take(write)
            equal(first, identity)
            equal(i, sequence)
            equal(i, done)
            identities.give_back(identity, sequence)
        end
        equal(true, first.id:find("^%d+$") ~= nil and #first.id <= 18)
        local other = scripted_network.new():load("resty.dshm.identity").take(write)
        equal(false, other.id == first.id)
    end)

    case("light threads that are killed in a write hold up nothing, and need no other identity", function()
        local network, dict = cluster({ host = "a:1" })
        local first_id
        for i = 1, 1500 do
            network:on("a:1", { input = "", ending = "never" })
            ngx.thread.kill(ngx.thread.spawn(function() dict:incr("k", 1) end))
            first_id = first_id or identity_of(expect_sent(network, "a")[1])
            network:sent()
            if i % 500 == 0 then
                collectgarbage()
            end
        end
        collectgarbage()
        network:on("a:1", ONE)
        dict:incr("k", 1)
        local id, seq, done = identity_of(expect_sent(network, "a")[1])
        equal(first_id, id)
        equal(1501, seq)
        equal(1501, done)
    end)
end


local function options()
    case("reads have the mode that was asked for, writes none", function()
        local network, dict = cluster({ read = "linearizable" })
        for _, c in ipairs({ { "get", "FETCH r::k read=linearizable\r\n" },
                             { "ttl", "STAT r::k stale=yes read=linearizable\r\n" },
                             { "get_stale", "FETCH r::k stale=yes read=linearizable\r\n" } }) do
            network:on("a:1", server_says("not_found"))
            dict[c[1]](dict, "k")
            equal("a:1 " .. c[2], expect_sent(network, "a")[1])
        end
        network:on("a:1", server_says("not_found"))
        dict:mget({ "k", "l" })
        equal("a:1 MULTI 24 read=linearizable\r\nFETCH r::k\r\nFETCH r::l\r\n", expect_sent(network, "a")[1])
        network:on("a:1", ONE)
        dict:incr("k", 1)
        equal(nil, expect_sent(network, "a")[1]:find("read=", 1, true))
    end)

    case("timeouts and the pool", function()
        local network, dict = cluster({
            connect_timeout = 1, send_timeout = 2, read_timeout = 3, pool_size = 4, backlog = 5,
        })
        network:on("a:1", FOUND)
        dict:get("k")
        equal("1 2 3", table.concat(network.last_socket.timeouts_millis, " "))
        local opts = network.last_socket.connect_arguments[3]
        equal(4, opts.pool_size)
        equal(5, opts.backlog)
    end)

    case("a timeout below a millisecond is one: nginx takes 0 for its own default, or for never", function()
        local network, dict = cluster({
            connect_timeout = 0.1, send_timeout = 0.5, read_timeout = 2.5, keepalive_timeout = 0.2,
        })
        network:on("a:1", FOUND)
        dict:get("k")
        equal("1 1 3", table.concat(network.last_socket.timeouts_millis, " "))
        equal(1, network.last_socket.keepalive_millis)
    end)

    case("ssl and password: once for a connection, and not shared with those that have another", function()
        local tls = { ssl = true, ssl_verify = true, server_name = "dshm.example" }
        tls.username, tls.password = "u", "a b"
        local network, dict = cluster(tls)
        network:on("a:1", { input = "DONE\r\n" .. FOUND.input }, { input = FOUND.input, reused = 1 })
        returns(values("v"), dict:get("k"))
        equal("a:1 AUTH u a%20b\r\n|FETCH r::k\r\n", expect_sent(network, "a")[1])
        equal("dshm.example", network.last_socket.handshake[2])
        equal(true, network.last_socket.handshake[3])
        local pool = network.last_socket.connect_arguments[3].pool
        returns(values("v"), dict:get("k"))
        equal("a:1 FETCH r::k\r\n", expect_sent(network, "a")[1])
        equal(nil, network.last_socket.handshake)

        for _, others in ipairs({ { ssl = true }, { username = "u", password = "x" }, {},
                                  { ssl = true, server_name = "dshm.example", username = "u", password = "a b" },
                                  { ssl = true, ssl_verify = true, server_name = "dshm.example", username = "v",
                                    password = "a b" },
                                  { ssl = true, ssl_verify = true, server_name = "other", username = "u",
                                    password = "a b" } }) do
            local other_network, other = cluster(others)
            other_network:on("a:1", { input = "DONE\r\n" .. FOUND.input })
            other:get("k")
            equal(false, pool == other_network.last_socket.connect_arguments[3].pool)
        end
    end)

    case("a server that refuses them is a clear error", function()
        local network, dict = cluster({ host = "a:1", username = "u", password = "x" })
        network:on("a:1", server_says("denied"))
        returns(values(nil, "no connection: AUTH was refused: denied"), dict:get("k"))
        network, dict = cluster({ host = "a:1", ssl = true })
        network:on("a:1", { handshake = false })
        returns(values(nil, "no connection: TLS: handshake failed"), dict:get("k"))
    end)

    case("a user and its secret: any bytes, both or neither", function()
        local all = {}
        for byte = 0, 255 do
            all[#all + 1] = string.char(byte)
        end
        local network, dict = cluster({ host = "a:1", username = "u", password = table.concat(all) })
        network:on("a:1", { input = "DONE\r\n" .. FOUND.input })
        returns(values("v"), dict:get("k"))
        local word = string.match(expect_sent(network, "a")[1], "AUTH u (%S+)\r\n")
        equal(table.concat(all), (string.gsub(word, "%%(%x%x)", function(hex)
            return string.char(tonumber(hex, 16))
        end)))
        for _, half in ipairs({ { username = "u" }, { password = "x" }, { username = "", password = "x" } }) do
            local can, err = pcall(cluster, half)
            equal(false, can)
            equal(true, string.find(err, 'bad "username" and "password" options', 1, true) ~= nil)
        end
    end)

    case("addresses", function()
        local nodes = require("resty.dshm.nodes")
        for _, c in ipairs({ { "h", "h", 4321 }, { "h:5", "h", 5 }, { "10.0.0.1", "10.0.0.1", 4321 },
                             { "[::1]", "[::1]", 4321 }, { "[::1]:5", "[::1]", 5 },
                             { "unix:/s.sock", "unix:/s.sock", nil } }) do
            local node = nodes.new({ host = c[1] }).nodes[1]
            equal(c[2], node.host)
            equal(c[3], node.port)
        end
        equal(3, #nodes.new({ host = "a, b:2  c" }).nodes)
    end)

    case("options that cannot be meant raise an error", function()
        local dict = require("resty.dshm.dict")
        for _, c in ipairs({
            { nil, 'bad "region" option: a name without colons expected' },
            { {}, 'bad "region" option: a name without colons expected' },
            { { region = "" }, 'bad "region" option: a name without colons expected' },
            { { region = "a:b" }, 'bad "region" option: a name without colons expected' },
            { { region = string.rep(" ", 400) }, 'bad "region" option: a name without colons expected' },
            { { region = "r", read = "quorum" }, 'bad "read" option: "local" or "linearizable" expected' },
            { { region = "r", host = {} }, 'bad "host" option: an address, or a list of them, expected' },
            { { region = "r", host = 5 }, 'bad "host" option: an address, or a list of them, expected' },
            { { region = "r", hosts = "a" }, "no such option: hosts" },
            { { region = "r", read_timeout = 0 }, 'bad "read_timeout" option: milliseconds expected' },
            { { region = "r", send_timeout = -1 }, 'bad "send_timeout" option: milliseconds expected' },
            { { region = "r", connect_timeout = "1000" }, 'bad "connect_timeout" option: milliseconds expected' },
        }) do
            local ok, err = pcall(dict.new, c[1])
            equal(false, ok)
            equal(c[2], err)
        end
    end)
end


return function()
    order_of_nodes()
    writes_that_are_sent_again()
    identities_and_numbers()
    options()
end
