--- Nodes that do what a test has written down, and a clock that a test moves; `load` gives modules that know no other.

local scripted_socket = require("support.scripted_socket")

local _M = {}

local mt = { __index = _M }

-- Modules of this project, that are loaded anew.
local OURS = { "^resty%.dshm", "^resty%.global_throttle%.store%.dshm", "^apisix%.plugins", "^kong%.plugins" }


function _M.new()
    return setmetatable({ time = 1000, connections = {}, log = {} }, mt)
end


--- What becomes of the next connections to an address: `{ refused = "connection refused" }`, or what a scripted socket
-- takes, `{ input = "DONE\r\n", ending = "closed" }`, with `reused` if it comes from the pool.
function _M.on(self, address, ...)
    local scripts = self.connections[address] or {}
    self.connections[address] = scripts
    for _, script in ipairs({ ... }) do
        scripts[#scripts + 1] = script
    end
end


--- What was sent since the last time, as "address request", one for each connection that was tried.
function _M.sent(self)
    local log = self.log
    self.log = {}
    for i, entry in ipairs(log) do
        log[i] = entry.address .. " " .. table.concat(entry.sock.requests, "|")
    end
    return log
end


local function new_socket(network)
    local sock = scripted_socket.new("")
    function sock.connect(self, host, port, opts)
        local address = host .. ":" .. port
        local script = table.remove(network.connections[address] or {}, 1)
        assert(script, "an unexpected connection to " .. address)
        network.log[#network.log + 1] = { address = address, sock = self }
        self.connect_arguments = { host, port, opts }
        network.last_socket = self
        if script.refused then
            return nil, script.refused
        end
        self.input, self.ending, self.closed = script.input or "", script.ending or "closed", false
        function self.getreusedtimes()
            return script.reused or 0
        end
        function self.sslhandshake(_, ...)
            self.handshake = { ... }
            return script.handshake ~= false, script.handshake == false and "handshake failed" or nil
        end
        return 1
    end
    return sock
end


local function is_ours(name)
    for _, pattern in ipairs(OURS) do
        if name:find(pattern) then
            return true
        end
    end
    return false
end


--- Requires modules anew, on this network and this clock; those of one call know each other.
function _M.load(self, ...)
    local loaded = {}
    for known in pairs(package.loaded) do
        if is_ours(known) then
            loaded[known] = package.loaded[known]
            package.loaded[known] = nil
        end
    end
    local tcp, now = ngx.socket.tcp, ngx.now
    package.loaded["resty.dshm.clock"] = { now = function() return self.time end }
    rawset(ngx.socket, "tcp", function() return new_socket(self) end)
    rawset(ngx, "now", function() return self.time end)
    local modules = {}
    for i, name in ipairs({ ... }) do
        modules[i] = require(name)
    end
    rawset(ngx.socket, "tcp", tcp)
    rawset(ngx, "now", now)
    for known in pairs(package.loaded) do
        if is_ours(known) then
            package.loaded[known] = loaded[known]
        end
    end
    return unpack(modules)
end


return _M
