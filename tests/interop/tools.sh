# What the interop tests need, prepared once: sourced by `run` and by `genai/live`. Tools are kept in OBSERVATORY_TOOLS_DIR
# under the hash of what defines them, so that a changed definition makes new ones.

interop=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$interop/../.." && pwd)
tools=${OBSERVATORY_TOOLS_DIR:-$repo/.tools}
builder=go.opentelemetry.io/collector/cmd/builder@v0.162.0

fail() { echo "interop: $*" >&2; exit 1; }
key() { sha256sum "$1" | cut -c1-16; }

# Sets OBSERVATORY_BIN: the daemon under test.
find_daemon() {
    export OBSERVATORY_BIN=${OBSERVATORY_BIN:-$repo/target/quick/observatory}
    [[ -x $OBSERVATORY_BIN ]] || fail "no daemon at $OBSERVATORY_BIN: build it, or set OBSERVATORY_BIN"
}

# Two runs at once prepare the tools once.
lock_tools() {
    mkdir -p "$tools"
    tools=$(cd "$tools" && pwd)
    exec 9>"$tools/.lock"
    flock 9
}
unlock_tools() { exec 9>&-; }

# Sets `python`, whose packages are those of requirements.txt.
prepare_python() {
    local venv
    venv=$tools/interop-python-$(key "$interop/requirements.txt")
    if [[ ! -e $venv/.complete ]]; then
        command -v python3 >/dev/null || fail "python3 is missing: apt-get install python3 python3-venv"
        python3 -c 'import ensurepip, venv' 2>/dev/null \
            || fail "Python cannot make environments: apt-get install python3-venv"
        echo "interop: making the Python environment" >&2
        python3 -m venv --clear "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$interop/requirements.txt"
        touch "$venv/.complete"
    fi
    python=$venv/bin/python
}

# Sets INTEROP_JAVASCRIPT: the folder of the JavaScript packages.
prepare_javascript() {
    local javascript
    javascript=$tools/interop-javascript-$(key "$interop/javascript/package-lock.json")
    command -v node >/dev/null || fail "Node.js is missing: apt-get install nodejs npm"
    if [[ ! -e $javascript/.complete ]]; then
        command -v npm >/dev/null || fail "npm is missing: apt-get install npm"
        echo "interop: fetching the JavaScript packages" >&2
        rm -rf "$javascript"
        mkdir "$javascript"
        cp "$interop/javascript/"package*.json "$javascript"
        (cd "$javascript" && npm ci --ignore-scripts --no-audit --no-fund --silent)
        touch "$javascript/.complete"
    fi
    export INTEROP_JAVASCRIPT=$javascript
}

# Sets OTELCOL_BIN: the Collector of collector/builder.yaml.
prepare_collector() {
    local manifest collector
    manifest=$interop/collector/builder.yaml
    collector=$tools/interop-collector-$(key "$manifest")
    if [[ ! -x $collector ]]; then
        command -v go >/dev/null || fail "Go is missing: install Go 1.26 or newer (Debian: golang-go, if that is new enough)"
        echo "interop: building the OpenTelemetry Collector (minutes, once)" >&2
        rm -rf "$tools/collector-build"
        (cd "$tools" && CGO_ENABLED=0 go run "$builder" --config "$manifest" >&2)
        mv "$tools/collector-build/otelcol-interop" "$collector"
        rm -rf "$tools/collector-build"
    fi
    export OTELCOL_BIN=$collector
}
