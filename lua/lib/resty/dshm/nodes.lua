--- The nodes of a cluster as one: a request goes to the first node of the list that answers it, on a pooled connection.
--
-- A node that cannot be reached, is about to stop or has no leader is left out for a while; then one request tries it
-- again. What may be sent to another node without harm is: any read, any write that certainly was not applied, and any
-- write that carries an identity, because the cluster applies such a one once, however often it comes.

local dshm = require("resty.dshm")
local identities = require("resty.dshm.identity")

local CANNOT_YIELD = dshm.CANNOT_YIELD
local ceil = math.ceil
local error = error
local find = string.find
local format = string.format
local gmatch = string.gmatch
local ipairs = ipairs
local match = string.match
local new_connection = dshm.new
local now = ngx.now
local pcall = pcall
local setmetatable = setmetatable
local tonumber = tonumber
local type = type


local _M = {}

local mt = { __index = _M }

-- What becomes of a request to one node.
local ANSWERED = 1
local BROKEN = 2 -- it may have been received
local UNREACHABLE = 3
local NOT_ASKED = 4 -- for a reason that is this nginx's
local NO_SOCKETS = 5

-- What the cosocket says when its `backlog` is full.
local NO_ROOM = "too many waiting connect operations"

-- What nginx takes: 32 bits.
local MILLIS_MAX = 2 ^ 31 - 1

-- The connections of a pool that the server may have closed since, and that are tried before a fresh one is.
local POOLED_ATTEMPTS_MAX = 3

-- Errors that a node may give to a copy of a write by itself, without the log, which knows the earlier copies
local OF_THIS_COPY = {
    auth_required = true,
    denied = true,
    disk_full = true,
    malformed_request = true,
    out_of_memory = true,
    too_large = true,
}

-- Errors of the server after which another node is asked.
local ASK_ANOTHER = {
    busy = true,
    no_leader = true,
    shutting_down = true,
    timeout = true,
}

-- Those that say something about the node, and not only about this request.
local LEAVE_OUT = {
    no_leader = true,
    shutting_down = true,
}

-- What is known of a node is known to all in this worker that connect to it in the same way, by their pool: until when
-- it is left out. A wrong secret, or a wrong name in a certificate, is no other user's trouble.
local left_out_until = {}

-- By its address: until when it is taken for a server that does not know `done=` and `retry=` yet.
local old_until = {}

-- Seconds. One write in so long a time is sent twice to an old server.
local OLD_SECONDS = 60


-- "10.0.0.1", "10.0.0.1:4321", "[::1]:4321", "unix:/run/dshm.sock"
local function new_node(address, opts)
    local host, port = address, nil
    if not find(address, "^unix:") then
        host, port = match(address, "^(.-):(%d+)$")
        if not host or find(host, ":", 1, true) and not find(host, "^%[") then
            host, port = address, opts.port or 4321
        end
        port = tonumber(port)
    end
    local name = port and host .. ":" .. port or host
    return {
        name = name,
        host = host,
        port = port,
        -- connections are alike, and may be shared, if they were made alike
        connect_opts = {
            pool = format("dshm %s %s %s %s", name,
                          opts.ssl and (opts.ssl_verify and "ssl verified" or "ssl") or "plain", opts.server_name or "",
                          opts.username and ngx.md5(opts.username .. "\0" .. opts.password) or ""),
            pool_size = opts.pool_size or 100,
            backlog = opts.backlog,
        },
    }
end


-- Milliseconds, whole, as nginx takes them: there, 0 is not at once, but its own default, or never. `least` is what is
-- allowed at least.
local function millis(opts, name, default, least)
    local given = opts[name]
    if given == nil then
        return default
    end
    -- so that NaN is none of them
    if type(given) ~= "number" or not (given >= 0 and given <= MILLIS_MAX) or given == 0 and least > 0 then
        error(format('bad "%s" option: milliseconds expected', name), 4)
    end
    return ceil(given)
end


-- Who connects: both or neither, and text.
local function check_user(opts)
    local user, secret = opts.username, opts.password
    if user == nil and secret == nil then
        return
    end
    if type(user) ~= "string" or user == "" or type(secret) ~= "string" or secret == "" then
        error('bad "username" and "password" options: both, or neither', 4)
    end
end


--- `opts` are those of README.md; raises an error if one is invalid.
function _M.new(opts)
    local addresses = opts.host or "127.0.0.1"
    if type(addresses) == "string" then
        local list = {}
        for address in gmatch(addresses, "[^%s,]+") do
            list[#list + 1] = address
        end
        addresses = list
    end
    if type(addresses) ~= "table" or #addresses == 0 then
        error('bad "host" option: an address, or a list of them, expected', 3)
    end
    check_user(opts)
    local nodes = {}
    for i, address in ipairs(addresses) do
        if type(address) ~= "string" then
            error('bad "host" option: an address, or a list of them, expected', 3)
        end
        nodes[i] = new_node(address, opts)
    end
    return setmetatable({
        nodes = nodes,
        connect_timeout = millis(opts, "connect_timeout", 1000, 1),
        send_timeout = millis(opts, "send_timeout", 1000, 1),
        read_timeout = millis(opts, "read_timeout", 5000, 1),
        keepalive_timeout = millis(opts, "keepalive_timeout", 60000, 0),
        retry_after = opts.retry_after or 5,
        exactly_once = opts.exactly_once ~= false,
        ssl = opts.ssl,
        ssl_verify = opts.ssl_verify,
        server_name = opts.server_name,
        username = opts.username,
        password = opts.password,
    }, mt)
end


-- The nodes in the order in which they are asked: those that are left out come last.
local function in_order(self, at)
    local nodes = self.nodes
    local all_in = true
    for i = 1, #nodes do
        all_in = all_in and at >= (left_out_until[nodes[i].connect_opts.pool] or 0)
    end
    if all_in then
        return nodes
    end
    local ordered, out = {}, {}
    for i = 1, #nodes do
        local node = nodes[i]
        local list = at >= (left_out_until[node.connect_opts.pool] or 0) and ordered or out
        list[#list + 1] = node
    end
    for i = 1, #out do
        ordered[#ordered + 1] = out[i]
    end
    return ordered
end


-- What a connection needs before its first request.
local function greet(self, store)
    if self.ssl then
        local ok, err = store.sock:sslhandshake(false, self.server_name, self.ssl_verify)
        if not ok then
            store:close()
            return nil, "TLS: " .. (err or "no handshake")
        end
    end
    if self.username then
        local ok, err = store:auth(self.username, self.password)
        if not ok then
            store:close()
            return nil, "AUTH was refused: " .. err
        end
    end
    return true
end


-- A connection, and whether it comes from the pool; or nil, the error and what has become of the request.
local function connected(self, node)
    local can, store, err = pcall(new_connection)
    if not can then
        return nil, "no sockets here: " .. store, NO_SOCKETS
    elseif not store then
        return nil, err, NOT_ASKED
    end
    store.sock:settimeouts(self.connect_timeout, self.send_timeout, self.read_timeout)
    local ok
    ok, err = store:connect(node.host, node.port, node.connect_opts)
    if not ok then
        if err == CANNOT_YIELD then
            return nil, err, NO_SOCKETS
        end
        return nil, "no connection: " .. err, err == NO_ROOM and NOT_ASKED or UNREACHABLE
    end
    local is_pooled = store:get_reused_times() > 0
    if not is_pooled and (self.ssl or self.username) then
        ok, err = greet(self, store)
        if not ok then
            return nil, "no connection: " .. err, UNREACHABLE
        end
    end
    return store, is_pooled
end


-- Gives a write its identity, once it is about to be sent: one that waits for a connection holds no number.
local function identify(request, is_old)
    if not request.wants_identity then
        return
    end
    if not request.identity then
        request.identity, request.sequence, request.done = identities.take(request)
    end
    local words = format(" id=%s seq=%d", request.identity.id, request.sequence)
    if not is_old then
        words = words .. format(" done=%d", request.done) .. (request.is_repeat and " retry=yes" or "")
    end
    request.parts[2] = words .. "\r\n"
end


-- Asks one node. Returns what has become of the request, and then the reply, as of `resty.dshm.request`, or nil and the
-- error.
local function ask_in_words(self, node, request, is_old)
    for attempt = 1, POOLED_ATTEMPTS_MAX + 1 do
        local store, is_pooled, outcome = connected(self, node)
        if not store then
            return outcome, nil, is_pooled
        end
        identify(request, is_old)
        local line, value, text = store:request(request.parts)
        if not store.unusable then
            store:set_keepalive(self.keepalive_timeout)
            request.is_repeat = request.is_repeat or value == "timeout" and not line
            return ANSWERED, line, value, text
        end
        request.is_repeat = true
        if not is_pooled or value == "timeout" or attempt > POOLED_ATTEMPTS_MAX or not request.is_repeatable then
            return BROKEN, nil, value
        end
    end
end


-- The same. A server of an earlier release refuses words that it does not know; it was not applied then, and is asked
-- without them.
local function ask(self, node, request)
    local name = node.name
    local is_old = now() < (old_until[name] or 0)
    local outcome, line, value, text = ask_in_words(self, node, request, is_old)
    if value ~= "malformed_request" or line or is_old or not request.identity then
        return outcome, line, value, text
    end
    outcome, line, value, text = ask_in_words(self, node, request, true)
    if outcome == ANSWERED and (line or value ~= "malformed_request") then
        old_until[name] = now() + OLD_SECONDS
    end
    return outcome, line, value, text
end


-- Asks one node after the other. Returns as `ask` does.
local function ask_all(self, request)
    local unclear
    local outcome, line, value, text
    local nodes = in_order(self, now())
    for i = 1, #nodes do
        local pool = nodes[i].connect_opts.pool
        local left_out = left_out_until[pool]
        if left_out then
            -- only this request tries whether the node is back; others go on without it meanwhile
            left_out_until[pool] = now() + self.retry_after
        end
        outcome, line, value, text = ask(self, nodes[i], request)

        if unclear and outcome == ANSWERED and not line and OF_THIS_COPY[value] then
            left_out_until[pool] = nil
            return outcome, nil, unclear, text
        end
        local is_answer = outcome == ANSWERED and (line or not ASK_ANOTHER[value])
        if is_answer or outcome == NO_SOCKETS then
            -- nobody was asked where there are no sockets: that says nothing about the node
            left_out_until[pool] = outcome == NO_SOCKETS and left_out or nil
            return outcome, line, value, text
        end
        if outcome == UNREACHABLE or outcome == BROKEN or LEAVE_OUT[value] then
            left_out_until[pool] = now() + self.retry_after
        end
        if outcome == BROKEN or outcome == ANSWERED and value == "timeout" then
            unclear = unclear or value
            if not request.is_repeatable then
                break
            end
        end
    end
    -- what came first is what is true of a write: a later node's refusal says nothing about an earlier copy
    return outcome, nil, unclear or value, text
end


--- Sends a request and reads its reply. `line` is its line without the end, `data` what follows it or nil. A write gets
-- an identity. Returns the first line of the reply, and the value if one came; or nil, the error, its text if there is
-- one, and true if nothing was sent because there are no sockets in this phase.
function _M.request(self, line, data, is_write)
    local wants_identity = is_write and self.exactly_once
    local request = {
        parts = { line, "\r\n", data },
        wants_identity = wants_identity,
        is_repeatable = wants_identity or not is_write,
    }
    local outcome, reply, value, text = ask_all(self, request)
    if request.identity then
        identities.give_back(request.identity, request.sequence)
    end
    return reply, value, text, outcome == NO_SOCKETS
end


return _M
