--- Limits of a location of nginx: `access_by_lua_block { limit:access() }` decides, sets the headers, and refuses.
--
-- README.md has the options. For each limit they say what happens when the cluster cannot answer: all are refused, all
-- are admitted, or this nginx decides by itself and admits a small number.

local headers = require("resty.dshm.limit.headers")
local limit = require("resty.dshm.limit")

local ceil = math.ceil
local error = error
local exit = ngx.exit
local find = string.find
local format = string.format
local log = ngx.log
local max = math.max
local now = ngx.now
local pairs = pairs
local say = ngx.say
local setmetatable = setmetatable
local shared = ngx.shared
local sleep = ngx.sleep
local tostring = tostring
local type = type

local ERR = ngx.ERR
local FORBIDDEN_IN_NAMES = '[^%w%-._]'


local _M = {
    _VERSION = "0.1.0",
}

local mt = { __index = _M }

-- Options of all limits together, of each, and of the dict: those that are neither.
local OF_ALL = { dict = true, limits = true, old_headers = true, problem = true, status = true }
local OF_EACH = {
    algorithm = true, burst = true, cost = true, key = true, limit = true, local_dict = true, local_limit = true,
    local_period = true, name = true, on_failure = true, period = true, policy = true, shadow = true,
}
local FAILURES = { admit = true, refuse = true, ["local"] = true }

local UNAVAILABLE = 503

-- Seconds. While the cluster cannot be reached, one request in so long a time waits for it, and all others do not.
local PAUSE = 1
-- Errors that took a while, and will the next time.
local SLOW = { timeout = true, closed = true, no_leader = true }

-- Seconds between two lines about one limit in the log.
local LOG_PAUSE = 1

local QUOTA_EXCEEDED = '{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded",'
    .. '"title":"Request cannot be satisfied as assigned quota has been exceeded","violated-policies":[%s]}'


local function new_limit(options)
    local name = options.name or "default"
    if type(name) ~= "string" or name == "" or find(name, FORBIDDEN_IN_NAMES) then
        error('bad "name" option: letters, digits and -._ expected', 4)
    end
    local words, err = limit.rule_words(options)
    if not words then
        error(format('limit "%s": %s', name, err), 4)
    end
    local on_failure = options.on_failure
    if not FAILURES[on_failure] then
        error(format('limit "%s": "on_failure" must be "refuse", "admit" or "local"', name), 4)
    end
    local period = options.local_period or options.period
    if on_failure == "local" then
        if not shared[options.local_dict] then
            error(format('limit "%s": "local_dict" must name a lua_shared_dict', name), 4)
        elseif not limit.is_tokens(options.local_limit, 0) then
            error(format('limit "%s": "local_limit" must be a number of tokens', name), 4)
        elseif type(period) ~= "number" or period <= 0 then
            error(format('limit "%s": "local_period" must be seconds', name), 4)
        end
    end
    return {
        name = name, words = words, key = options.key or "remote_addr", cost = options.cost or 1,
        limit = not options.policy and options.limit or nil, period = not options.policy and options.period or nil,
        shadow = options.shadow, on_failure = on_failure, local_dict = options.local_dict,
        local_limit = options.local_limit, local_period = period, log_after = 0,
    }
end


--- Makes the limits of a location. It does not connect yet, so it works in init_by_lua. Raises an error if an option is
-- unknown or invalid.
function _M.new(options)
    local of_dict, of_each = {}, {}
    for name, value in pairs(options) do
        if OF_EACH[name] then
            of_each[name] = value
        elseif not OF_ALL[name] then
            of_dict[name] = value
        end
    end
    local list = options.limits or { of_each }
    local limits = {}
    for i = 1, #list do
        for name in pairs(list[i]) do
            if not OF_EACH[name] then
                error("no such option of a limit: " .. tostring(name), 2)
            end
        end
        limits[i] = new_limit(setmetatable(list[i], { __index = options.limits and of_each }))
        for j = 1, i - 1 do
            if limits[j].name == limits[i].name then
                error(format('two limits are named "%s"', limits[i].name), 2)
            end
        end
    end
    return setmetatable({
        dict = limit.new(options.dict or of_dict).dict,
        limits = limits,
        old_headers = options.old_headers,
        problem = options.problem,
        status = options.status or ngx.HTTP_TOO_MANY_REQUESTS,
        paused_until = 0,
    }, mt)
end


-- What one request asks: of each limit that counts for it, itself, the key and the cost.
local function asked_of(self)
    local asked = {}
    for i = 1, #self.limits do
        local one = self.limits[i]
        local key, cost = one.key, one.cost
        if type(key) == "function" then
            key = key()
        else
            -- all requests for which a variable is not set share one key
            key = ngx.var[key] or ""
        end
        if type(cost) == "function" then
            cost = cost()
        end
        if key ~= nil then
            asked[#asked + 1] = setmetatable({ of = one, key = one.name .. ":" .. key, cost = cost }, { __index = one })
        end
    end
    return asked
end


-- The decisions, in the order of the limits; or nil and the error.
local function decide(self, asked)
    local lines = {}
    for i = 1, #asked do
        local one = asked[i]
        local line, err = limit.take_line(self.dict, one.key, one.words, one.cost, one.shadow)
        if not line then
            return nil, err
        end
        lines[i] = line
    end
    return limit.decide_all(self.dict, lines)
end


-- The same, but while the cluster cannot be reached, it is asked by one request now and then only.
local function decide_or_pause(self, asked)
    local time = now()
    local was_paused = self.paused_until > 0
    if time < self.paused_until then
        return nil, "paused"
    elseif was_paused then
        self.paused_until = time + PAUSE
    end
    local decisions, err = decide(self, asked)
    if decisions or not (SLOW[err] or find(err, "^no connection")) then
        self.paused_until = 0
    else
        self.paused_until = now() + PAUSE
    end
    return decisions, err
end


local function refuse(self, status, asked, retry_after)
    ngx.header["Retry-After"] = retry_after
    if self.problem and status ~= UNAVAILABLE then
        local names = {}
        for i = 1, #asked do
            if asked[i].is_refused then
                names[#names + 1] = '"' .. asked[i].name .. '"'
            end
        end
        ngx.status = status
        ngx.header["Content-Type"] = "application/problem+json"
        say(format(QUOTA_EXCEEDED, table.concat(names, ",")))
        return exit(ngx.HTTP_OK)
    end
    return exit(status)
end


-- What this nginx admits by itself: so much in a period for each key, and no more. Returns the seconds after which to
-- come again if it does not; or nil and the error.
local function refused_locally(one)
    local dict = shared[one.local_dict]
    local used, err = dict:incr(one.key, max(one.cost, 0), 0, one.local_period)
    if not used then
        return nil, err
    elseif used <= one.local_limit then
        return false
    end
    return dict:ttl(one.key) or one.local_period
end


-- The cluster did not answer: what happens is what the strictest limit says.
local function fail(self, asked, err)
    local retry_after
    for i = 1, #asked do
        local one = asked[i]
        if err ~= "paused" and now() >= one.of.log_after then
            one.of.log_after = now() + LOG_PAUSE
            log(ERR, 'DSHM: limit "', one.name, '" (on_failure = "', one.on_failure, '"): ', err)
        end
        if one.on_failure == "refuse" then
            return refuse(self, UNAVAILABLE, asked, PAUSE)
        elseif one.on_failure == "local" and not one.shadow then
            local retry, local_err = refused_locally(one)
            if retry == nil then
                log(ERR, 'DSHM: limit "', one.name, '": ', one.local_dict, ": ", local_err)
                return refuse(self, UNAVAILABLE, asked, PAUSE)
            elseif retry then
                one.is_refused = true
                retry_after = max(retry_after or 1, ceil(retry))
            end
        end
    end
    if retry_after then
        return refuse(self, self.status, asked, retry_after)
    end
end


--- Decides about the request that runs. Returns if it goes on, after the delay of a leaky bucket; otherwise ends it.
-- `ngx.ctx.dshm_limits` has the decisions afterwards, by the names of the limits; it is nil if there was no answer.
function _M.access(self)
    local asked = asked_of(self)
    if #asked == 0 then
        return
    end
    local decisions, err = decide_or_pause(self, asked)
    if not decisions then
        return fail(self, asked, err)
    end
    local by_name, delay = {}, 0
    for i = 1, #asked do
        local one, decision = asked[i], decisions[i]
        by_name[one.name] = decision
        one.decision = decision
        one.is_refused = not decision.allowed
        delay = max(delay, decision.delay or 0)
    end
    ngx.ctx.dshm_limits = by_name
    headers.set(ngx.header, asked, self.old_headers)
    if not decisions.allowed then
        return refuse(self, self.status, asked, headers.retry_after(decisions))
    end
    if delay > 0 then
        sleep(delay)
    end
end


return _M
