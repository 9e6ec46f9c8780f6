std = "ngx_lua"
max_line_length = 120
files["gateways/kong"].read_globals = { "kong" }
