# on_ranks.sh RANKS PROGRAM ARGUMENT...: a test program that is an MPI job.
source "$SUPPORT/common.sh"
run_mpi "$@" || bad "exit code $?: $*"
finish
