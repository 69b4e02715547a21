#!/bin/bash
# launch/bench.sh [SEQBENCH_OPTION...]: builds a Release tree and measures it: peak of the machine, kernels, training steps. A table
# on standard output; --json FILE also writes the figures. --only PART, --runs N, --help as in build-bench/tests/bench/seqbench.
source "$(dirname "$0")/common.sh"
install_packages "${build_packages[@]}" libcmocka-dev
set_mpi_environment
configure_and_build "$root/build-bench" -DCMAKE_BUILD_TYPE=Release -DSEQ_TESTS=ON
say "Measuring, one thread"
exec "$root/build-bench/tests/bench/seqbench" "$@"
