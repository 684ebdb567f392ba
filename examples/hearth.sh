# For the deploy scripts beside it. `hearth METHOD PATH [arguments of curl]` asks the server with the administrator's key,
# prints what it answers, and fails when that is an error.
: "${HEARTH_URL:=http://localhost:8080}"
: "${HEARTH_TOKEN:=$(cat ../../data/token)}"

hearth() {
  method=$1
  path=$2
  shift 2
  # The key comes by standard input: what a program's arguments are, everybody on the machine can see.
  answer=$(printf 'header = "authorization: Bearer %s"\n' "$HEARTH_TOKEN" |
    curl -sS --config - --request "$method" --write-out '\n%{http_code}' "$@" "$HEARTH_URL$path")
  status=${answer##*
}
  printf '%s\n' "${answer%
*}"
  [ "$status" -lt 400 ]
}

# An operation of EventBridge: aws_events NAME JSON
aws_events() {
  hearth POST / --header "x-amz-target: AWSEvents.$1" --header 'content-type: application/x-amz-json-1.1' --data "$2"
}

# A folder as a package: archive FOLDER prints the name of a file that is removed when the script ends.
archive() {
  tar -czf "$scratch/package.tar.gz" -C "$1" .
  echo "$scratch/package.tar.gz"
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
