# What the built programs need and keep: MPI in seqtrain only, HDF5 where files are written, no library that nobody calls, no
# mutable globals but six, no exit but in a main.
source "$SUPPORT/common.sh"
needs() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }
if [ -z "${SANITIZE:-}" ]; then # their libraries are called by nobody by name
  for program in "$SEQPREP" "$SEQTRAIN" "$SEQSAMPLE" "$SEQPREDICT" "$SEQEVAL" "$SEQINFO"; do
    [ -n "$(needs "$program")" ] || bad "readelf says nothing about $program"
    needs "$program" | grep -Ei 'blas|gfortran|gomp' >libraries && bad "$program needs $(cat libraries): --kernels openblas loads it"
    for library in $(needs "$program"); do # it defines something that the program lacks
      path=$(ldd "$program" | awk -v name="$library" '$1 == name {print $3}')
      [ -e "defined.$library" ] || nm -D --defined-only "$path" | awk '{sub(/@.*/, "", $NF); print $NF}' | sort -u >"defined.$library"
      nm -D --undefined-only "$program" | awk '{sub(/@.*/, "", $NF); print $NF}' | sort -u | comm -12 - "defined.$library" | grep -q . ||
        bad "$program needs $library and calls nothing of it"
    done
  done
  for program in "$SEQSAMPLE" "$SEQPREDICT" "$SEQEVAL"; do # they read without HDF5 (and its curl, ldap, ssl ...)
    needs "$program" | grep -q hdf5 && bad "$program needs HDF5"
  done
  needs "$SEQPREP" | grep -q hdf5 || bad "seqprep does not need HDF5: the test has lost its point"
fi
parallel_hdf5=$(sed -n 's/^SEQ_HDF5_IS_PARALLEL:INTERNAL=//p' "$BUILD/CMakeCache.txt") # it brings MPI with it
for program in "$SEQPREP" "$SEQSAMPLE" "$SEQPREDICT" "$SEQEVAL" "$SEQINFO"; do
  needed=$(readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
  [ -n "$needed" ] || bad "readelf says nothing about $program"
  echo "$needed" | grep -v '^libhdf5' | grep -Ei 'mpi|pmix|orte|open-rte' >libraries && bad "$program needs $(cat libraries)"
  if [ "$parallel_hdf5" != 1 ] && ldd "$program" | grep -Eq 'libmpi|libopen-rte'; then bad "$program loads MPI through another library"; fi
done
if [ -n "$MPIEXEC" ]; then
  readelf -d "$SEQTRAIN" | grep -q 'NEEDED.*libmpi' || bad "seqtrain does not need MPI: the test has lost its point"
fi

# Writable data of the layers: the log's sink, the flag that signal handlers set, the signals ignored at the start, what is told of a death, the lock around HDF5 and the
# functions of OpenBLAS (and, in builds for tests, counters of fault points). Ending the process: for a main only, and for the calls by which a main takes
# all ranks with it and a watchdog, or the end of MPI, leaves a main thread that hangs (both comm's).
libraries=0
for library in "$BUILD"/libseq_*.a; do
  name=$(basename "$library" .a)
  libraries=$((libraries + 1))
  objdump -t "$library" | grep -E ' O (\.t?data|\.t?bss|\*COM\*)' | grep -v '\.data\.rel\.ro' | awk '$NF !~ /^seq_fault_/ {print $NF}' >globals
  if [ -z "${SANITIZE:-}" ]; then # they add data of their own
    grep -Evx '(sink|seq_stop_signal|ignored_at_start|seq_deaths|hdf5_lock|openblas)(\.[0-9]+)?' globals >others && bad "$name has writable globals: $(tr '\n' ' ' <others)"
    case $name in libseq_base) [ "$(wc -l <globals)" -eq 4 ] || bad "$name: the list of globals is out of date: $(tr '\n' ' ' <globals)" ;; esac
  fi
  nm -u "$library" 2>/dev/null | awk '{print $NF}' | grep -Ex 'exit|_exit|abort' >exits && [ $name != libseq_comm ] && bad "$name may end the process: $(cat exits)"
done
[ $libraries -ge 11 ] || bad "only $libraries libraries were looked at"
finish
