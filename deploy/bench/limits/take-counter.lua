-- Two windows, the one before weighed by what is left of it: KEYS[1], limit, milliseconds. Returns 1 if it admits.
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window = math.floor(now / ARGV[2])
local before = tonumber(redis.call("HGET", KEYS[1], window - 1) or 0)
local count = tonumber(redis.call("HGET", KEYS[1], window) or 0)
local left = 1 - now % ARGV[2] / ARGV[2]
if before * left + count >= tonumber(ARGV[1]) then
    return 0
end
redis.call("HINCRBY", KEYS[1], window, 1)
redis.call("HDEL", KEYS[1], window - 2)
redis.call("PEXPIRE", KEYS[1], 2 * ARGV[2])
return 1
