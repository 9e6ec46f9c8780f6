--- The headers by which a server tells its clients about limits.

local ceil = math.ceil
local concat = table.concat
local format = string.format
local max = math.max


local _M = {}


--- `RateLimit-Policy` and `RateLimit`, of the IETF's draft "RateLimit header fields for HTTP" in its form of 2025: the
-- only place that knows it. `limits` is a list: each has `name`, `decision` and, where they are known, `limit` and
-- `period`.
function _M.draft(limits)
    local policies, states = {}, {}
    for i = 1, #limits do
        local limit = limits[i]
        local decision = limit.decision
        policies[i] = format('"%s";q=%.0f', limit.name, limit.limit or decision.limit)
            .. (limit.period and format(";w=%.0f", ceil(limit.period)) or "")
        states[i] = format('"%s";r=%.0f;t=%.0f', limit.name, max(decision.remaining, 0), ceil(decision.reset))
    end
    return concat(policies, ", "), concat(states, ", ")
end


--- Sets them. With `is_old_form` also `X-RateLimit-*`, of the limit that has the least left.
function _M.set(headers, limits, is_old_form)
    local policies, states = _M.draft(limits)
    headers["RateLimit-Policy"] = policies
    headers["RateLimit"] = states
    if not is_old_form then
        return
    end
    local least
    for i = 1, #limits do
        local decision = limits[i].decision
        if not least or decision.remaining < least.remaining then
            least = decision
        end
    end
    headers["X-RateLimit-Limit"] = format("%.0f", least.limit)
    headers["X-RateLimit-Remaining"] = format("%.0f", max(least.remaining, 0))
    headers["X-RateLimit-Reset"] = format("%.0f", ceil(least.reset))
end


--- Whole seconds for `Retry-After`, never 0, after which all of these decisions would admit; nil if waiting does not
-- help.
function _M.retry_after(decisions)
    local longest = 1
    for i = 1, #decisions do
        local decision = decisions[i]
        if not decision.allowed then
            if not decision.retry then
                return nil
            end
            longest = max(longest, ceil(decision.retry))
        end
    end
    return longest
end


return _M
