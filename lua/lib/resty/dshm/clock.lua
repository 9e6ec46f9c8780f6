--- Seconds on this machine's clock that nobody sets: it goes on while the machine sleeps, and is the same in all
-- processes. Not the time of day.

local ffi = require("ffi")

local C = ffi.C
local error = error
local new = ffi.new
local tonumber = tonumber


local _M = {}

-- Of Linux. That of others stands still while the machine sleeps.
local CLOCK_BOOTTIME = 7

-- Under a name of its own: another library may have declared the function in another way.
ffi.cdef([[ int dshm_clock_gettime(int clock, long *time) __asm__("clock_gettime"); ]])

-- Seconds and nanoseconds.
local time = new("long[2]")


--- Raises an error where there is no such clock.
function _M.now()
    if C.dshm_clock_gettime(CLOCK_BOOTTIME, time) ~= 0 then
        error("no clock that counts from the machine's start: this needs Linux", 2)
    end
    return tonumber(time[0]) + tonumber(time[1]) / 1e9
end


return _M
