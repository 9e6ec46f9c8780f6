-- A sliding log in a sorted set, as it is usually written: KEYS[1], limit, milliseconds. Returns 1 if it admits.
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]
redis.call("ZREMRANGEBYSCORE", KEYS[1], 0, now - ARGV[2] * 1000)
if redis.call("ZCARD", KEYS[1]) >= tonumber(ARGV[1]) then
    return 0
end
redis.call("ZADD", KEYS[1], now, now .. ":" .. redis.call("INCR", "log-number"))
redis.call("PEXPIRE", KEYS[1], ARGV[2])
return 1
