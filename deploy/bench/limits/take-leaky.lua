-- A leaky bucket with delay: KEYS[1], limit, milliseconds. Returns 1 if it admits.
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]
local period = ARGV[2] * 1000
local next = math.max(tonumber(redis.call("GET", KEYS[1]) or 0), now)
if next - now > period then
    return 0
end
redis.call("SET", KEYS[1], string.format("%.0f", next + period / ARGV[1]), "PX", ARGV[2])
return 1
