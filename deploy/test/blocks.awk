# Takes the blocks out of a page, for deploy/test/pages, which says what the marks mean. Writes each step into a folder of
# its own under OUT, 001, 002, ...: the files "line", "kind", "block" (steps of one block have the same), and those that the
# step needs.
#
#   awk -v OUT=FOLDER -f blocks.awk PAGE

function put(name, text) {
    printf "%s", text >(folder "/" name)
    close(folder "/" name)
}
function begin(kind, line) {
    folder = sprintf("%s/%03d", OUT, ++steps)
    system("mkdir -p '" folder "'")
    put("line", line)
    put("kind", kind)
    put("block", kind == "setup" || kind == "cluster" ? line : block_line)
    for (mark in marks) put(mark, marks[mark])
}
function command(line) {
    begin("console", line)
    text = expected = ""
    commanding = 1
}
function end_command() {
    if (text == "") return
    put("command", text)
    put("expected", expected)
    text = ""
}
# A line of a block of commands with what they print: "$ " begins a command, "> " goes on with it.
function console(s, line) {
    if (substr(s, 1, 2) == "$ ") {
        end_command()
        command(line)
        text = substr(s, 3) "\n"
    } else if (text != "" && commanding && substr(s, 1, 2) == "> ") {
        text = text substr(s, 3) "\n"
    } else if (text == "") {
        begin("unknown", line)
    } else {
        commanding = 0
        expected = expected s "\n"
    }
}
function end_block() {
    if (language == "console" && !("not-run" in marks)) {
        end_command()
    } else if ("not-run" in marks) {
        begin("not-run", block_line)
    } else if ("file" in marks) {
        begin("file", block_line)
        put("content", content)
    } else if (language == "dshm") {
        begin("dshm", block_line)
        put("command", typed)
        put("expected", expected)
    } else if (language == "sh") {
        begin("sh", block_line)
        put("command", content)
    } else if (language != "text") {
        begin("unknown", block_line)
    }
    delete marks
}

# What begins an nginx configuration is its page: indented lines in the comment are commands.
FILENAME ~ /\.conf$/ {
    if (/^#     /) {
        if (!inside) { inside = 1; language = "console"; block_line = FNR } else if (before == "#") console("", FNR)
        console(substr($0, 7), FNR)
    } else if (inside && $0 != "#") {
        inside = 0
        end_block()
    }
    before = $0
    if (!/^#/) exit
    next
}

inside && /^ *```$/ { inside = 0; end_block(); next }
inside {
    line = substr($0, 1 + indent)
    if (language == "console" && !("not-run" in marks)) console(line, FNR)
    else if (language != "dshm") content = content line "\n"
    else if (substr(line, 1, 2) == "> ") typed = typed substr(line, 3) "\n"
    else expected = expected line "\n"
    next
}
/^ *```/ {
    inside = 1
    indent = match($0, /`/) - 1
    language = substr($0, indent + 4)
    block_line = FNR
    content = text = typed = expected = ""
    next
}
$0 == "<!-- cluster -->" { begin("cluster", FNR); next }
match($0, /^ *<!-- (not run|file|varies|stays until|on|setup): .* -->$/) {
    name = $0
    sub(/^ *<!-- /, "", name)
    value = substr(name, index(name, ": ") + 2)
    sub(/ -->$/, "", value)
    sub(/: .*/, "", name)
    gsub(/ /, "-", name)
    if (name == "setup") {
        begin("setup", FNR)
        put("command", value "\n")
        delete marks
    } else {
        marks[name] = value
    }
    next
}
# Four spaces make a block, too, in which nothing could say what it is.
/^    [^ ]/ && before == "" && !in_list { begin("unknown", FNR) }
/^([-*]|[0-9]+\.) / { in_list = 1 }
/^[^ ]/ && !/^([-*]|[0-9]+\.) / { in_list = 0 }
{ before = $0 }
END {
    if (inside) end_block()
    for (mark in marks) { begin("unknown", FNR); break }
}
