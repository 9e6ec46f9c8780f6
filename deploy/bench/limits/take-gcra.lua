-- GCRA: the time at which the limit is as good as new. KEYS[1], limit, milliseconds. Returns 1 if it admits.
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]
local period = ARGV[2] * 1000
local tat = math.max(tonumber(redis.call("GET", KEYS[1]) or 0), now) + period / ARGV[1]
if tat - now > period then
    return 0
end
redis.call("SET", KEYS[1], string.format("%.0f", tat), "PX", ARGV[2])
return 1
