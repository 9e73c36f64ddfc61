# Sourced by train.sh and evaluate.sh. `environment WHAT FOLDER HOME REQUIREMENTS`: ends when FOLDER, with the
# labelled posts, is missing; has HOME be a virtual environment with just these requirements.
environment() {
    if [ ! -d "$2" ]; then
        echo "$1: say where the labelled posts lie: make $1 DATA=FOLDER" >&2
        exit 64
    fi
    if ! cmp -s "$4" "$3/requirements.txt"; then
        python3 -m venv "$3"
        "$3/bin/pip" install --quiet -r "$4"
        cp "$4" "$3/requirements.txt"
    fi
}
