# Starts a program for .NET: program.sh PROGRAM HOST VERSION CONFIG NAME=VALUE...
# The settings hold where the function's own environment says nothing else.
program=$1 host=$2 version=$3 config=$4
shift 4
for setting; do
  name=${setting%%=*}
  if eval "[ -z \"\${$name+set}\" ]"; then export "$setting"; fi
done
if [ -f "$program.runtimeconfig.json" ]; then
  set -- --roll-forward Major --runtimeconfig "$program.runtimeconfig.json"
else
  set -- --fx-version "$version" --runtimeconfig "$config"
fi
if [ -f "$program.deps.json" ]; then set -- "$@" --depsfile "$program.deps.json"; fi
if [ -f "$program.dll" ]; then exec "$host" exec "$@" "$program.dll"; fi
if [ -f "$program.exe" ]; then exec "$host" exec "$@" "$program.exe"; fi
# Compiled ahead of time.
exec "$program"
