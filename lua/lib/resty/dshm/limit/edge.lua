--- A limit that this nginx decides by itself, from a share of it that the cluster gave: in any phase, without a socket.
--
-- A share is a number of tokens that may be spent for a short time. It is in a `lua_shared_dict`, for all workers:
-- under "t" and its name the tokens that are left, under "s" and the key which share is the newest. Timers fetch
-- shares, and give back what is not needed. LIMITS.md says what this promises.
--
-- What keeps it exact: each share has a name that no other has, so what is given back late is never taken from another
-- share. Tokens leave a share by one step of the dict, whether they are spent or given back. A share's time is counted
-- from before it was asked for, and looked at after tokens have left it.

local clock = require("resty.dshm.clock")
local key_of = require("resty.dshm.arguments").key
local limit = require("resty.dshm.limit")
local replies = require("resty.dshm.replies")

local ceil = math.ceil
local error = error
local floor = math.floor
local format = string.format
local log = ngx.log
local match = string.match
local max = math.max
local min = math.min
local now = clock.now
local pairs = pairs
local pcall = pcall
local setmetatable = setmetatable
local shared = ngx.shared
local timer_at = ngx.timer.at
local tonumber = tonumber

local ERR = ngx.ERR


local _M = {
    _VERSION = "0.1.0",
}

local mt = { __index = _M }

local OF_RULE = { algorithm = true, burst = true, limit = true, period = true, policy = true }

-- What this clock and the cluster's may differ by, and the seconds in which they are read. On the safe side: a share is
-- used for less than its life.
local DRIFT = 0.01
local MARGIN = 0.005

-- Tokens asked for without a share, in the seconds since the first of them, from which on a key is worth a share.
local HOT = 10
local HOT_SECONDS = 1

-- What is asked for: what was needed lately and some more, but no more than so many times that, and not more than this
-- part of the limit, so that others get a share too.
local RESERVE = 1.25
local GROWTH_MAX = 4
local PART_MAX = 0.25

-- When the next share is fetched: when less than this part of the tokens is left, or of the life.
local LOW = 0.25
-- When it is looked whether too many are left, and when all that are left are given back: parts of the life.
local LOOK_AT = 0.5
local END_AT = 0.85

-- Seconds. A worker that fetches and dies keeps others from it for no longer.
local LOCK_SECONDS = 10
-- Between two attempts, when there was an error or too little is left of the limit.
local PAUSE = 1
-- Between two lines in the log.
local LOG_PAUSE = 1

-- A share that nobody cleared away goes away after that time.
local TIDY_SECONDS = 60

-- Shares that a worker knows without looking.
local KNOWN_MAX = 1000


--- `options` are those of README.md. It does not connect yet, so it works in init_by_lua. Raises an error if one is
-- unknown or invalid.
function _M.new(options)
    local rule, of_dict = {}, {}
    for name, value in pairs(options) do
        if OF_RULE[name] then
            rule[name] = value
        elseif name ~= "dict" and name ~= "share_dict" then
            of_dict[name] = value
        end
    end
    local words, err = limit.rule_words(rule)
    if not words then
        error(err, 2)
    elseif rule.algorithm == "leaky" then
        error("bad algorithm: a share cannot tell each request how long to wait", 2)
    elseif not shared[options.share_dict] then
        error('"share_dict" must name a lua_shared_dict', 2)
    end
    now()
    return setmetatable({
        dict = limit.new(options.dict or of_dict).dict,
        shared = shared[options.share_dict],
        words = words,
        -- of a policy it is known with the first reply
        has_policy = rule.policy ~= nil, limit = not rule.policy and rule.limit or nil,
        pause = rule.period and not rule.policy and min(rule.period / 10, PAUSE) or PAUSE,
        known = {}, known_count = 0,
        log_after = 0,
    }, mt)
end


-- What the dict says about a share.
local function share_of(text)
    local name, began, ends, granted = match(text, "^(%S+) (%S+) (%S+) (%S+)$")
    began, ends, granted = tonumber(began), tonumber(ends), tonumber(granted)
    return {
        text = text, name = name, tokens = "t " .. name, began = began, ends = ends, granted = granted,
        low = floor(granted * LOW), renew_at = ends - (ends - began) * LOW,
    }
end


local function text_of(share)
    return format("%s %.6f %.6f %.0f", share.name, share.began, share.ends, share.granted)
end


-- Takes tokens out of a share. Returns how many are left, or nil if there are too few.
local function take_out(self, share, count)
    local left = self.shared:incr(share.tokens, -count)
    if left and left < 0 then
        self.shared:incr(share.tokens, count)
        return nil
    end
    return left
end


-- Gives tokens back that have been taken out. Once: a second time would give back what others have. What gets lost, or
-- comes too late, is counted as spent.
local function give_back(self, sent_key, share, count)
    limit.send(self.dict, format("RETURN %s holder=%s unused=%.0f", sent_key, share.name, count))
end


-- Takes out all that is left. Returns how many.
local function empty(self, share)
    for _ = 1, 10 do
        local left = self.shared:get(share.tokens)
        if not left or left <= 0 then
            return 0
        elseif take_out(self, share, left) then
            return left
        end
    end
    return 0
end


local function at_end(_, self, sent_key, share)
    local left = empty(self, share)
    self.shared:delete(share.tokens)
    if left > 0 then
        give_back(self, sent_key, share, left)
    end
end


-- In the middle of its life: gives back what will not be needed. When nginx stops or is loaded anew: all.
local function at_half(premature, self, sent_key, share)
    if premature then
        return at_end(premature, self, sent_key, share)
    end
    local left = self.shared:get(share.tokens) or 0
    local excess = left - ceil((share.granted - left) * RESERVE)
    if excess * 4 >= share.granted and take_out(self, share, excess) then
        share.granted = share.granted - excess
        if self.shared:get("s " .. sent_key) == share.text then
            share.text = text_of(share)
            self.shared:set("s " .. sent_key, share.text, max(share.ends - now(), 0.001))
        end
        give_back(self, sent_key, share, excess)
        left = left - excess
    end
    if left <= 0 then
        self.shared:delete(share.tokens)
        return
    end
    timer_at(max(share.began + (share.ends - share.began) * END_AT - now(), 0), at_end, self, sent_key, share)
end


-- How many tokens to ask for.
local function wanted(self, share, missed)
    local want = missed * GROWTH_MAX
    if share then
        local used = share.granted - (self.shared:get(share.tokens) or 0) + missed
        local rate = used / max(now() - share.began, 0.001)
        want = min(rate * (share.ends - share.began) * RESERVE, used * GROWTH_MAX)
    end
    want = max(ceil(want), HOT)
    return self.limit and min(want, max(floor(self.limit * PART_MAX), 1)) or want
end


local function say(self, sent_key, err)
    if now() >= self.log_after then
        self.log_after = now() + LOG_PAUSE
        log(ERR, "DSHM: no share of ", sent_key, ": ", err)
    end
end


-- Asks for a share. Returns it, or nil.
local function ask(self, sent_key, want, least)
    local name = limit.new_holder()
    local began = now()
    local reply, err = limit.send(self.dict, format("GRANT %s%s holder=%s want=%.0f min=%.0f", sent_key, self.words,
                                                    name, want, least))
    if not reply then
        say(self, sent_key, err)
        return nil
    end
    local granted, life = match(reply, " granted=(%d+) .*life=(%d+)")
    if not granted then
        say(self, sent_key, "protocol_error")
        return nil
    end
    if self.has_policy then
        self.limit = tonumber(match(reply, " limit=(%d+)"))
    end
    local ends = began + tonumber(life) / 1000 * (1 - DRIFT) - MARGIN
    if granted == "0" or now() >= ends then
        return nil
    end
    return { name = name, began = began, ends = ends, granted = tonumber(granted), tokens = "t " .. name }
end


-- Fetches a share, if no other worker has just done so.
local function fetch(premature, self, sent_key, missed, has_no_sockets)
    local dict, lock = self.shared, "l " .. sent_key
    local text = dict:get("s " .. sent_key)
    local before = text and share_of(text)
    local is_good = before and now() < before.renew_at and (dict:get(before.tokens) or 0) > max(before.low, 0)
    if premature or is_good then
        dict:delete(lock)
        return
    end
    local want = wanted(self, before, missed)
    -- where the cluster can be asked about each request, a few tokens are better left there for all
    local share = ask(self, sent_key, want, has_no_sockets and 1 or ceil(want / 2))
    if not share then
        dict:set(lock, true, self.pause)
        return
    end
    share.text = text_of(share)
    local length = share.ends - share.began
    -- these times, of the clock that people set, are for tidiness alone: it is `ends` that counts
    local ok, err = dict:set(share.tokens, share.granted, TIDY_SECONDS)
    if ok then
        ok, err = dict:set("s " .. sent_key, share.text, length)
    end
    if not ok then
        say(self, sent_key, err)
    end
    -- without a timer what is not needed is lost at its end
    timer_at(max(share.began + length * LOOK_AT - now(), 0), at_half, self, sent_key, share)
    if share.granted < want then
        dict:set(lock, true, self.pause)
    else
        dict:delete(lock)
    end
end


local function fetch_soon(self, sent_key, missed, has_no_sockets)
    local lock = "l " .. sent_key
    if not self.shared:add(lock, true, LOCK_SECONDS) then
        return
    end
    local can, ok, err = pcall(timer_at, 0, fetch, self, sent_key, missed, has_no_sockets)
    if not can or not ok then
        self.shared:delete(lock)
        say(self, sent_key, can and err or ok)
    end
end


local function spend(self, key, share, cost)
    local left = take_out(self, share, cost)
    -- the time is looked at afterwards: this process may have stood still
    if not left or now() >= share.ends then
        return false
    end
    if (left <= share.low or now() >= share.renew_at) and not share.is_renewed then
        share.is_renewed = true
        fetch_soon(self, key_of(self.dict, key), 0)
    end
    return true
end


-- The newest share, if it is another one than that. Returns it, and whether there is any.
local function newest(self, key, sent_key, than)
    local text = self.shared:get("s " .. sent_key)
    if not text or than and than.text == text then
        return nil, text ~= nil
    end
    local share = share_of(text)
    if not self.known[key] then
        if self.known_count >= KNOWN_MAX then
            self.known, self.known_count = {}, 0
        end
        self.known_count = self.known_count + 1
    end
    self.known[key] = share
    return share, true
end


--- Takes `cost` tokens (1 unless given) from this nginx's share; where there are too few, from the cluster in one round
-- trip. Returns true or false, and then the decision if the cluster made it; or nil and the error, "no share" where
-- there are neither tokens nor sockets.
function _M.take(self, key, cost)
    cost = cost or 1
    local known = self.known[key]
    if not limit.is_tokens(cost, 1) then
        return nil, "bad cost"
    elseif known and spend(self, key, known, cost) then
        return true
    end

    local sent_key, err = key_of(self.dict, key)
    if not sent_key then
        return nil, err
    end
    local share, is_shared = newest(self, key, sent_key, known)
    if share and spend(self, key, share, cost) then
        return true
    end

    local missed = self.shared:incr("m " .. sent_key, cost, 0, HOT_SECONDS) or cost
    if is_shared or missed >= HOT then
        fetch_soon(self, sent_key, missed)
    end
    local line = "TAKE " .. sent_key .. self.words .. (cost == 1 and "" or format(" cost=%.0f", cost))
    local reply, value, _, has_no_sockets = self.dict.nodes:request(line, nil, true)
    if reply then
        local decision = limit.decision(reply)
        if not decision then
            return nil, "protocol_error"
        end
        return decision.allowed, decision
    elseif has_no_sockets then
        fetch_soon(self, sent_key, missed, true)
        return nil, "no share"
    end
    return nil, replies.in_words(value)
end


return _M
