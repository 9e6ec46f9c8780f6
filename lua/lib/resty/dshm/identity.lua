--- Identities and numbers for writes, so that a write that was sent twice takes effect once.
--
-- The cluster knows the outcomes of an identity's 1,024 latest numbers. So no write may be under way while another one
-- gets a number that much higher: an identity gives out WINDOW numbers from a moment when none of its writes was under
-- way, and then rests until that is so again, while another one takes its place. A worker that waits for less than
-- WINDOW replies at a time needs one or two.
--
-- Workers must not share any: the first one is drawn when the first write asks for it, and not when nginx loads this.

local byte = string.byte
local format = string.format
local open = io.open


local _M = {}

-- 1,024, and some room.
local WINDOW = 1000

local current
-- Identities with nothing under way.
local resting = {}


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


local function next_identity()
    local identity = resting[#resting]
    if identity then
        resting[#resting] = nil
        return identity
    end
    return { id = random_digits(), sequence = 0, from = 0, under_way = 0 }
end


--- An identity, and the number of the next write there. `give_back` the identity when the write's outcome is known, or
-- is given up.
function _M.take()
    if not current then
        current = next_identity()
    end
    if current.under_way == 0 then
        current.from = current.sequence
    elseif current.sequence - current.from >= WINDOW then
        current = next_identity()
        current.from = current.sequence
    end
    current.sequence = current.sequence + 1
    current.under_way = current.under_way + 1
    return current, current.sequence
end


function _M.give_back(identity)
    identity.under_way = identity.under_way - 1
    if identity.under_way == 0 and identity ~= current then
        resting[#resting + 1] = identity
    end
end


return _M
