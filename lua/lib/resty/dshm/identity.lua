--- Identities and numbers for writes, so that a write that was sent twice takes effect once.
--
-- Each write also says below which number this worker needs no outcome any more: the lowest number that is still
-- outstanding. So the cluster keeps few outcomes. Servers before this was added keep those of an identity's 1,024
-- latest numbers. So no write gets a number that is WINDOW higher than one that is outstanding: another identity takes
-- its place until that one is done.
--
-- A light thread can be killed in the middle of a write, and then never gives its number back. But nobody will ask for
-- its outcome either. So the writes that are outstanding are held weakly: when the thread has been collected, its
-- number counts as done.
--
-- Workers must not share any: the first one is drawn when the first write asks for it, and not when nginx loads this.

local byte = string.byte
local format = string.format
local ipairs = ipairs
local open = io.open
local setmetatable = setmetatable


local _M = {}

-- 1,024, and some room.
local WINDOW = 1000

local WEAK = { __mode = "v" }

local current
-- Identities in whose place another one was taken.
local others = {}


-- 15 digits: exact in a double.
local function random_digits()
    local file = assert(open("/dev/urandom", "rb"))
    local bytes = file:read(6)
    file:close()
    local number = 0
    for i = 1, 6 do
        number = number * 256 + byte(bytes, i)
    end
    return format("%.0f", number)
end


-- The lowest number that is outstanding or was not given out yet.
local function lowest(identity)
    local outstanding, sequence, done = identity.outstanding, identity.sequence, identity.done
    while done <= sequence and not outstanding[done] do
        done = done + 1
    end
    identity.done = done
    return done
end


local function has_room(identity)
    return identity.sequence + 1 - lowest(identity) < WINDOW
end


-- One of the others, if all its writes are done, or a new one.
local function next_identity()
    for i, identity in ipairs(others) do
        if lowest(identity) > identity.sequence then
            others[i] = current
            return identity
        end
    end
    others[#others + 1] = current
    return { id = random_digits(), sequence = 0, done = 1, outstanding = setmetatable({}, WEAK) }
end


--- An identity, the number of the next write there, and the number below which all are done. `write` is a table that
-- lives as long as somebody waits for the outcome. `give_back` the number when that is known, or nobody waits.
function _M.take(write)
    if not current or not has_room(current) then
        current = next_identity()
    end
    local sequence = current.sequence + 1
    local done = lowest(current)
    current.sequence = sequence
    current.outstanding[sequence] = write
    return current, sequence, done
end


function _M.give_back(identity, sequence)
    identity.outstanding[sequence] = nil
end


return _M
