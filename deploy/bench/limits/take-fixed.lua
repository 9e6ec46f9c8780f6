-- A fixed window, as it is usually written: KEYS[1], limit, milliseconds. Returns 1 if it admits.
local count = redis.call("INCR", KEYS[1])
if count == 1 then
    redis.call("PEXPIRE", KEYS[1], ARGV[2])
end
return count <= tonumber(ARGV[1]) and 1 or 0
