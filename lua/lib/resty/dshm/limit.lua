--- Limits that the cluster decides: each call is one round trip, and its answer is exact on however many web servers.
--
-- README.md has the methods, LIMITS.md says which algorithm is for what. The modules below `resty.dshm.limit` that have
-- the methods of other libraries are made of this one.

local arguments = require("resty.dshm.arguments")
local new_dict = require("resty.dshm.dict").new
local queue = require("resty.dshm.queue")
local replies = require("resty.dshm.replies")
local wire = require("resty.dshm.wire")

local assert = assert
local byte = string.byte
local concat = table.concat
local error = error
local find = string.find
local floor = math.floor
local format = string.format
local getmetatable = getmetatable
local gmatch = string.gmatch
local gsub = string.gsub
local in_words = replies.in_words
local key_of = arguments.key
local match = string.match
local open = io.open
local seconds_text = wire.seconds
local setmetatable = setmetatable
local shared = ngx.shared
local tonumber = tonumber
local type = type


local _M = {
    _VERSION = "0.1.0",
}

local mt = { __index = _M }

local ALGORITHMS = { counter = true, fixed = true, gcra = true, leaky = true, log = true }

-- The server's limits.
local TOKENS_MAX = 1e12
local SECONDS_MAX = 315619200

local HOLDER_BYTES_MAX = 128

-- Errors after which a request may have been applied.
local UNCLEAR = { closed = true, protocol_error = true, timeout = true, unknown_outcome = true }

-- What the names of this worker's holders begin with, and how many it has given out.
local holder_prefix
local holder_count = 0

-- Of writes whose reply nobody needs, for dicts without a queue of their own.
local QUEUE_SIZE = 4096
local queues = setmetatable({}, { __mode = "k" })


--- The dict itself, or the one of that name in `ngx.shared`; or nil and the error. For the modules of this library.
function _M.dict_of(dict)
    if type(dict) == "string" then
        dict = shared[dict]
    end
    if not dict then
        return nil, "shared dict not found"
    end
    if getmetatable(dict) ~= arguments.methods then
        return nil, "not a dict of resty.dshm"
    end
    return dict
end


--- `dict` is a dict of `resty.dshm.dict`, the name of one in `ngx.shared`, or the options of a new one, whose region is
-- `limits` unless they have another one. Raises an error if it is none of these.
function _M.new(dict)
    local found, err = _M.dict_of(dict)
    if not found and type(dict) == "table" then
        dict.region = dict.region or "limits"
        found = new_dict(dict)
    elseif not found then
        error(err, 2)
    end
    return setmetatable({ dict = found }, mt)
end


--- Whether it is a whole number of the server's range.
function _M.is_tokens(value, least)
    return type(value) == "number" and value >= least and value <= TOKENS_MAX and floor(value) == value
end

local is_tokens = _M.is_tokens


local function is_seconds(value)
    return type(value) == "number" and value >= 0.001 and value <= SECONDS_MAX
end


local function is_holder(holder)
    return type(holder) == "string" and #holder <= HOLDER_BYTES_MAX and find(holder, "^[%w%-._~%%]+$") ~= nil
end


--- The words of a rule: those after a key and before the cost; or nil and the error.
function _M.rule_words(rule)
    if rule.policy ~= nil then
        if type(rule.policy) ~= "string" or rule.policy == "" then
            return nil, "bad policy"
        end
        return " policy=" .. wire.escape(rule.policy)
    end
    local algorithm, period = rule.algorithm or "gcra", rule.period
    if not ALGORITHMS[algorithm] then
        return nil, "bad algorithm"
    elseif not is_tokens(rule.limit, 0) then
        return nil, "bad limit"
    elseif not is_seconds(period) then
        return nil, "bad period"
    end
    local words = format(" %s %.0f %s", algorithm, rule.limit, seconds_text(period))
    if rule.burst == nil then
        return words
    elseif not is_tokens(rule.burst, 0) or algorithm ~= "gcra" and algorithm ~= "leaky" then
        return nil, "bad burst"
    end
    return words .. format(" burst=%.0f", rule.burst)
end


--- The request of a decision, without the end of its line; or nil and the error. The modules that know their words give
-- them, others a rule.
function _M.take_line(dict, key, words, cost, shadow, share)
    local sent_key, err = key_of(dict, key)
    if not sent_key then
        return nil, err
    end
    if not is_tokens(cost, -TOKENS_MAX) then
        return nil, "bad cost"
    end
    return "TAKE " .. sent_key .. words .. (cost == 1 and "" or format(" cost=%.0f", cost))
        .. (shadow and " shadow=yes" or "") .. (share and " share=yes" or "")
end


--- What a reply's line says, as a table: README.md has its fields. Nil if it is no decision.
function _M.decision(line)
    local words = {}
    for word, value in gmatch(line, " (%a+)=(-?%d+)") do
        words[word] = tonumber(value)
    end
    if not words.allowed then
        return nil
    end
    local retry = words.retry
    return {
        allowed = words.allowed == 1,
        limit = words.limit,
        remaining = words.remaining,
        reset = words.reset and words.reset / 1000,
        retry = retry and retry >= 0 and retry / 1000 or nil,
        delay = words.delay and words.delay / 1000,
        would = words.would and words.would == 1,
        fence = match(line, " fence=(%d+)"),
    }
end


local function queue_of(dict)
    local found = dict.queue or queues[dict]
    if not found then
        local nodes = dict.nodes
        found = queue.new(dict.region, QUEUE_SIZE, function(line, data)
            return nodes:request(line, data, true)
        end)
        queues[dict] = found
    end
    return found
end


--- Sends a write. Returns the reply's line and value, or nil and the error. Where nginx has no sockets, one whose reply
-- nobody needs is queued, and the line is "QUEUED".
function _M.send(dict, line, data, needs_no_reply)
    local reply, value, _, no_sockets = dict.nodes:request(line, data, true)
    if reply then
        return reply, value
    elseif no_sockets and needs_no_reply then
        local ok, err = queue_of(dict):add(match(line, "^%S+ (%S+)"), line, data)
        return ok and replies.QUEUED or nil, err
    end
    return nil, in_words(value)
end


--- Sends a write a moment later, by a timer. Returns true, or nil and the error.
function _M.send_later(dict, line)
    return queue_of(dict):add(match(line, "^%S+ (%S+)"), line)
end


--- A name that no other holder has, in no worker.
function _M.new_holder()
    if not holder_prefix then
        -- not when nginx loads this: workers must not share it
        local file = assert(open("/dev/urandom", "rb"))
        holder_prefix = gsub(file:read(9), ".", function(char) return format("%02x", byte(char)) end) .. "-"
        file:close()
    end
    holder_count = holder_count + 1
    return holder_prefix .. format("%d", holder_count)
end


--- Sends a request for one decision, and returns it; or nil and the error, or true if it was queued.
function _M.decide(dict, line, needs_no_reply)
    local reply, err = _M.send(dict, line, nil, needs_no_reply)
    if not reply then
        return nil, err
    elseif reply == replies.QUEUED then
        return true
    end
    local decision = _M.decision(reply)
    if not decision then
        return nil, "protocol_error"
    end
    return decision
end


--- Sends requests for decisions of one dict, as one. Returns as `take_all` does.
function _M.decide_all(dict, lines)
    if #lines == 1 then
        local decision, err = _M.decide(dict, lines[1])
        if not decision then
            return nil, err
        end
        return { decision, allowed = decision.allowed }
    end
    local data = concat(lines, "\r\n") .. "\r\n"
    local reply, value = _M.send(dict, format("TAKE_ALL %d", #data), data)
    if not reply then
        return nil, value
    end
    local decisions, from = { allowed = find(reply, " allowed=1", 1, true) ~= nil }, 1
    for i = 1, #lines do
        local line, err
        line, err, from = replies.split(value, from)
        if from and not line then
            return nil, err
        end
        decisions[i] = from and _M.decision(line)
        if not decisions[i] then
            return nil, "protocol_error"
        end
    end
    return decisions
end


--- Takes tokens, or none where there are too few. `rule` has `algorithm`, `limit`, `period` and perhaps `burst`, or
-- `policy`; and perhaps `cost`, `shadow` and `share`. Returns the decision, or nil and the error.
function _M.take(self, key, rule)
    local words, err = _M.rule_words(rule)
    if not words then
        return nil, err
    end
    local cost = rule.cost or 1
    local line
    line, err = _M.take_line(self.dict, key, words, cost, rule.shadow, rule.share)
    if not line then
        return nil, err
    end
    return _M.decide(self.dict, line, cost < 0)
end


--- Takes from several limits, all or none: `{ { key, rule }, ... }`. Returns the decisions in that order, as each would
-- be by itself, with `allowed` beside them: whether all were; or nil and the error. None is charged if one refuses.
function _M.take_all(self, takes)
    local dict, lines = self.dict, {}
    for i = 1, #takes do
        local key, rule = takes[i][1], takes[i][2]
        local words, err = _M.rule_words(rule)
        local line
        if words then
            line, err = _M.take_line(dict, key, words, rule.cost or 1, rule.shadow)
        end
        if not line then
            return nil, err
        end
        lines[i] = line
    end
    return _M.decide_all(dict, lines)
end


--- A permit, of which there are `count` at a time, for `seconds`; or renews that of the holder. Returns the decision,
-- whose `fence` is a string of digits, or nil and the error.
function _M.acquire(self, key, count, holder, seconds)
    local sent_key, err = key_of(self.dict, key)
    if not sent_key then
        return nil, err
    elseif not is_tokens(count, 0) then
        return nil, "bad limit"
    elseif not is_holder(holder) then
        return nil, "bad holder"
    elseif not is_seconds(seconds) then
        return nil, "bad ttl"
    end
    local line = format("ACQUIRE %s %.0f holder=%s ttl=%s", sent_key, count, holder, seconds_text(seconds))
    local decision
    decision, err = _M.decide(self.dict, line)
    if not decision and UNCLEAR[err] then
        -- the holder may have a permit now that nobody knows of
        _M.send_later(self.dict, "RELEASE " .. sent_key .. " holder=" .. holder)
    end
    return decision, err
end


--- Takes tokens for work whose cost is known later, and remembers them under `hold`, a name. What is not settled within
-- `seconds` stays taken. Returns the decision, or nil and the error.
function _M.reserve(self, key, rule, hold, seconds)
    local words, err = _M.rule_words(rule)
    if not words then
        return nil, err
    end
    local sent_key
    sent_key, err = key_of(self.dict, key)
    local cost = rule.cost or 1
    if not sent_key then
        return nil, err
    elseif not is_tokens(cost, 0) then
        return nil, "bad cost"
    elseif not is_holder(hold) then
        return nil, "bad hold"
    elseif not is_seconds(seconds) then
        return nil, "bad ttl"
    end
    return _M.decide(self.dict, format("RESERVE %s%s hold=%s ttl=%s cost=%.0f", sent_key, words, hold,
                                       seconds_text(seconds), cost))
end


--- Says what the work of a reservation did cost: the difference is given back, or charged even beyond the limit.
-- Returns the decision; or nil and the error, "not found" if there is no such reservation. Where nginx has no sockets
-- it is queued, and the result is true.
function _M.settle(self, key, hold, cost)
    local sent_key, err = key_of(self.dict, key)
    if not sent_key then
        return nil, err
    elseif not is_holder(hold) then
        return nil, "bad hold"
    elseif not is_tokens(cost, 0) then
        return nil, "bad cost"
    end
    return _M.decide(self.dict, format("SETTLE %s %s cost=%.0f", sent_key, hold, cost), true)
end


--- Gives a permit back. Returns true, also when the holder had none; or nil and the error. Where nginx has no sockets
-- it is queued.
function _M.release(self, key, holder)
    local sent_key, err = key_of(self.dict, key)
    if not sent_key then
        return nil, err
    elseif not is_holder(holder) then
        return nil, "bad holder"
    end
    local line
    line, err = _M.send(self.dict, "RELEASE " .. sent_key .. " holder=" .. holder, nil, true)
    if not line then
        return nil, err
    end
    return true
end


--- What is left, without taking any.
function _M.peek(self, key, rule)
    return self:take(key, setmetatable({ cost = 0 }, { __index = rule }))
end


--- `incoming` of the modules that decide by one TAKE: sends their `take_line`, and returns what their `read` makes of
-- the decision. For the modules of this library.
function _M.incoming(self, key, commit)
    local line, err = self:take_line(key, commit)
    if not line then
        return nil, err
    end
    local decision
    decision, err = _M.decide(self.dict, line)
    if not decision then
        return nil, err
    end
    return self:read(decision, commit)
end


return _M
