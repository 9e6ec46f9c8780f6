--- Requests to the location /limited/ of the tests' own nginx, and what runs there in which phase: a test sets it.

local _M = {
    handlers = {},
}


--- Called by the location.
function _M.run(phase)
    local handler = _M.handlers[phase]
    if handler then
        handler()
    end
end


--- GETs a path with headers, if any, in a request of its own. Returns the status, the headers by their names in small
-- letters, and the body.
function _M.get(socket, path, headers)
    local sock = ngx.socket.tcp()
    sock:settimeout(10000)
    assert(sock:connect("unix:" .. socket))
    local request = { "GET ", path, " HTTP/1.0\r\nHost: localhost\r\n" }
    for name, value in pairs(headers or {}) do
        request[#request + 1] = name .. ": " .. value .. "\r\n"
    end
    request[#request + 1] = "\r\n"
    assert(sock:send(request))
    local reply = assert(sock:receive("*a"))
    sock:close()
    local head, body = reply:match("^(.-)\r\n\r\n(.*)$")
    local found = {}
    for name, value in head:gmatch("\r\n([^:]+): ([^\r]*)") do
        found[name:lower()] = value
    end
    return tonumber(head:match("^HTTP/%S+ (%d+)")), found, body
end


return _M
