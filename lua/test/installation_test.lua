--- Whether all that is in lib is installed, and nothing else.

local tap = require("support.tap")


local function lines_of(command)
    local pipe = assert(io.popen(command))
    local lines = {}
    for line in pipe:lines() do
        lines[#lines + 1] = line
    end
    pipe:close()
    return lines
end


return function()
    local here = debug.getinfo(1, "S").source:match("^@(.*)/test/[^/]+$")

    tap.case("the rockspec names each file of lib, as the module that it is", function()
        local rockspecs = lines_of("ls " .. here .. "/dshm-*.rockspec")
        tap.equal(1, #rockspecs)
        local rockspec = {}
        setfenv(assert(loadfile(rockspecs[1])), rockspec)()
        tap.equal(here .. "/dshm-" .. rockspec.version .. ".rockspec", rockspecs[1])

        local files = lines_of("cd " .. here .. " && find lib -name '*.lua'")
        for _, file in ipairs(files) do
            local module = file:match("^lib/(.*)%.lua$"):gsub("/", ".")
            tap.equal(file, rockspec.build.modules[module])
            tap.equal("table", type(require(module)))
        end
        local count = 0
        for _ in pairs(rockspec.build.modules) do
            count = count + 1
        end
        tap.equal(#files, count)
        local version = rockspec.version:match("^(.*)%-%d+$")
        tap.equal(version, require("resty.dshm")._VERSION)
        tap.equal(version, require("resty.dshm.dict")._VERSION)
    end)

    tap.case("dist.ini names what is there", function()
        local settings = {}
        for line in io.lines(here .. "/dist.ini") do
            local name, value = line:match("^(%S+) = (.+)$")
            settings[name] = value
        end
        tap.equal("lib", settings.lib_dir)
        tap.equal("function", type(loadfile(here .. "/" .. settings.main_module)))
    end)
end
