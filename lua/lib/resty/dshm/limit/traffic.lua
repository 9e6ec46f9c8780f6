--- In place of `resty.limit.traffic` of lua-resty-limit-traffic: several limiters at once, all or none.
--
-- Those of `resty.dshm.limit.req` and `resty.dshm.limit.count` on one dict are one round trip, and one step for the
-- cluster. Others, and those on other dicts, are asked one after the other, and given back if one of them refuses.

local limit = require("resty.dshm.limit")

local max = math.max


local _M = {
    _VERSION = "0.1.0",
}


-- The limiters that can be asked together, by their dicts: for each dict their numbers and requests.
local function group(limiters, keys)
    local groups, by_dict = {}, {}
    for i = 1, #limiters do
        local limiter = limiters[i]
        if limiter.take_line then
            local line, err = limiter:take_line(keys[i], true)
            if not line then
                return nil, err
            end
            local found = by_dict[limiter.dict]
            if not found then
                found = { dict = limiter.dict, lines = {}, numbers = {} }
                by_dict[limiter.dict] = found
                groups[#groups + 1] = found
            end
            found.lines[#found.lines + 1] = line
            found.numbers[#found.numbers + 1] = i
        end
    end
    return groups
end


-- Gives back what the limiters with these numbers have counted.
local function give_back(limiters, keys, numbers)
    for i = #numbers, 1, -1 do
        local number = numbers[i]
        -- what cannot be given back counts for its window, as in the library
        limiters[number]:uncommit(keys[number])
    end
end


-- Asks the limiters of a group. Returns the longest delay, or nil and the error; then nothing is counted.
local function ask(found, limiters, states, committed)
    local decisions, err = limit.decide_all(found.dict, found.lines)
    if not decisions then
        return nil, err
    end
    if not decisions.allowed then
        return nil, "rejected"
    end
    local longest = 0
    for i = 1, #found.numbers do
        local number = found.numbers[i]
        local delay, state = limiters[number]:read(decisions[i], true)
        longest = max(longest, delay)
        committed[#committed + 1] = number
        if states then
            states[number] = state
        end
    end
    return longest
end


--- Counts a request in all limiters, or in none. Returns the longest of their delays, or nil and the error, such as
-- "rejected". `states`, if given, gets what each limiter returns beside its delay.
function _M.combine(limiters, keys, states)
    local groups, err = group(limiters, keys)
    if not groups then
        return nil, err
    end
    local longest, committed = 0, {}
    for i = 1, #limiters do
        if not limiters[i].take_line then
            local delay, state = limiters[i]:incoming(keys[i], true)
            if not delay then
                give_back(limiters, keys, committed)
                return nil, state
            end
            committed[#committed + 1] = i
            longest = max(longest, delay)
            if states then
                states[i] = state
            end
        end
    end
    for i = 1, #groups do
        local delay
        delay, err = ask(groups[i], limiters, states, committed)
        if not delay then
            give_back(limiters, keys, committed)
            return nil, err
        end
        longest = max(longest, delay)
    end
    return longest
end


return _M
