# noting.sh FILE COMMAND...: runs a rank and notes its exit code, a line of FILE. For launchers that lose it. Signals that the launcher
# sends to its ranks reach the command, which is in the same process group.
trap : TERM USR1 INT HUP
file=$1
shift
code=0
"$@" || code=$?
echo $code >>"$file"
exit $code
