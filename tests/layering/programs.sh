# What the built programs need and keep: MPI in seqtrain only, no mutable globals but four, no exit but in a main.
source "$SUPPORT/common.sh"
for program in "$SEQPREP" "$SEQSAMPLE" "$SEQEVAL" "$SEQINFO"; do
  needed=$(readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
  [ -n "$needed" ] || bad "readelf says nothing about $program"
  echo "$needed" | grep -Eiq 'mpi|pmix|orte|open-rte' && bad "$program needs $(echo "$needed" | grep -Ei 'mpi|pmix|rte')"
  ldd "$program" | grep -Eq 'libmpi|libopen-rte' && bad "$program loads MPI through another library"
done
if [ -n "$MPIEXEC" ]; then
  readelf -d "$SEQTRAIN" | grep -q 'NEEDED.*libmpi' || bad "seqtrain does not need MPI: the test has lost its point"
fi

# Writable data of the layers: the log's sink, the flag that signal handlers set, what is told of a death and the lock around HDF5 (and, in
# builds for tests, counters of fault points). Ending the process: for a main only, and for the calls by which a main takes
# all ranks with it and a watchdog, or the end of MPI, leaves a main thread that hangs (both comm's).
libraries=0
for library in "$BUILD"/libseq_*.a; do
  name=$(basename "$library" .a)
  libraries=$((libraries + 1))
  objdump -t "$library" | grep -E ' O (\.t?data|\.t?bss|\*COM\*)' | grep -v '\.data\.rel\.ro' | awk '$NF !~ /^seq_fault_/ {print $NF}' >globals
  if [ -z "${SANITIZE:-}" ]; then # they add data of their own
    grep -Evx '(sink|seq_stop_signal|seq_deaths|hdf5_lock)(\.[0-9]+)?' globals >others && bad "$name has writable globals: $(tr '\n' ' ' <others)"
    case $name in libseq_base) [ "$(wc -l <globals)" -eq 3 ] || bad "$name: the list of globals is out of date: $(tr '\n' ' ' <globals)" ;; esac
  fi
  nm -u "$library" 2>/dev/null | awk '{print $NF}' | grep -Ex 'exit|_exit|abort' >exits && [ $name != libseq_comm ] && bad "$name may end the process: $(cat exits)"
done
[ $libraries -ge 11 ] || bad "only $libraries libraries were looked at"
finish
