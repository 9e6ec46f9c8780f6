--- The smallest harness that does: cases that print `ok n - name`, and checks that end a case with an error.

local _M = {}

local case_count = 0
local failure_count = 0


local function show(value)
    if type(value) ~= "string" then
        return tostring(value)
    end
    if #value > 200 then
        return string.format("%q... (%d bytes)", value:sub(1, 200), #value)
    end
    return string.format("%q", value)
end


local function show_all(values)
    local shown = {}
    for i = 1, values.n do
        shown[i] = show(values[i])
    end
    return "(" .. table.concat(shown, ", ") .. ")"
end


--- What a call is expected to return, or returned; keeps trailing nils.
function _M.values(...)
    return { n = select("#", ...), ... }
end


--- Checks all that a call returned, their number included: `returns(values(nil, "timeout"), store:get("k"))`.
function _M.returns(expected, ...)
    local actual = _M.values(...)
    local same = actual.n == expected.n
    for i = 1, expected.n do
        same = same and actual[i] == expected[i]
    end
    if not same then
        error("returned " .. show_all(actual) .. ", expected " .. show_all(expected), 2)
    end
end


function _M.equal(expected, actual)
    if expected ~= actual then
        error("got " .. show(actual) .. ", expected " .. show(expected), 2)
    end
end


--- Runs one case. It fails when it raises an error.
function _M.case(name, body)
    case_count = case_count + 1
    -- nginx counts timeouts from the time that it knows, which stood still while the case before did not wait
    ngx.update_time()
    local ok, err = xpcall(body, debug.traceback)
    if ok then
        ngx.say("ok ", case_count, " - ", name)
    else
        failure_count = failure_count + 1
        ngx.say("not ok ", case_count, " - ", name)
        ngx.say((("\n" .. err):gsub("\n", "\n#   "):sub(2)))
    end
end


function _M.comment(text)
    ngx.say("# ", text)
end


--- Prints the plan, last, so that a run that stopped in the middle lacks it.
function _M.finish()
    if failure_count > 0 then
        _M.comment(failure_count .. " of " .. case_count .. " failed")
    end
    ngx.say("1..", case_count)
end


--- Starts the counts again; a worker of nginx keeps modules from one request to the next.
function _M.start()
    case_count = 0
    failure_count = 0
end


return _M
