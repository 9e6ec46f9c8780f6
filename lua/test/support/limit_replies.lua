--- What a scripted node answers to requests of limits, and what was sent to it.

local scripted_network = require("support.scripted_network")


local _M = {}


--- The script of a connection on which a node answers DONE with these words.
function _M.says(words)
    return { input = "DONE " .. words .. "\r\n" }
end


--- The same for TAKE_ALL: the words for each of its limits.
function _M.says_all(allowed, ...)
    local lines = "DONE " .. table.concat({ ... }, "\r\nDONE ") .. "\r\n"
    return { input = string.format("LEN %d allowed=%d\r\n%s\r\nDONE\r\n", #lines, allowed, lines) }
end


--- A network, a limiter of `resty.dshm.limit` on its node a:1, and the modules whose names follow.
function _M.scripted(...)
    local network = scripted_network.new()
    local loaded = { network:load("resty.dshm.limit", ...) }
    local limits = loaded[1].new({ region = "r", host = "a:1", exactly_once = false })
    return network, limits, unpack(loaded, 2)
end


--- What was sent since the last time, without the node.
function _M.sent(network)
    return (table.concat(network:sent()):gsub("a:1 ", ""))
end


return _M
