#!/bin/bash
# row.sh SETTINGS LABELS: in the root file system of a row (rows.txt), as root: builds and tests /seqtrain. `== WORD` lines
# tell row.awk what comes next.
set -u
settings=" $1 " labels=$2
cd /seqtrain || exit 1
cores=$(nproc)
as=()
export CC
CC=$(sed -n 's/.* CC=\([^ ]*\) .*/\1/p' <<<"$settings")
[ -n "$CC" ] || unset CC
is() { [[ $settings == *" $1 "* ]]; }

if is user; then
  useradd -m tester
  chown -R tester /seqtrain
  as=(runuser -u tester -- env HOME=/home/tester)
fi

first() { "$@" 2>/dev/null | head -1; }
describe() { # what the row is about
  local mpi hdf5
  mpi=$(first mpichversion | sed 's/^MPICH Version: */MPICH /') || true
  [ -n "$mpi" ] || mpi=$(first mpirun --version | sed 's/^mpirun (Open MPI)/Open MPI/')
  hdf5=$(for file in hdf5-serial hdf5 hdf5-openmpi hdf5-mpich; do pkg-config --modversion $file 2>/dev/null && break; done)
  echo "== what $(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release), $1 $(first "$1" -dumpfullversion -dumpversion)," \
    "$(first cmake --version | sed 's/ version//'), $mpi, HDF5 $hdf5"
}

# without TEST REASON: it cannot pass here, and counts as skipped.
excluded=()
without() {
  echo "1/1 Test #1: $1 ...***Skipped"
  echo "skipped: $1: $2"
  excluded+=("${1//./\\.}")
}

choose=()
[ "$labels" = default ] || choose=(-L "^($(tr ' ' '|' <<<"${labels%%,*}"))\$")
code=0
if is cross; then # for the other processor; and what tests/cross compares with
  describe aarch64-linux-gnu-gcc
  echo "== Building"
  cmake -S . -B build-arm64 -G Ninja -DCMAKE_TOOLCHAIN_FILE=cmake/aarch64-linux-gnu.cmake -DCMAKE_SYSROOT=/arm64 -DSEQ_TESTS=ON >/dev/null &&
    cmake --build build-arm64 && cmake -S . -B build-test -G Ninja -DSEQ_TESTS=ON >/dev/null && cmake --build build-test --target seqprep seqtrain
  exit
fi
if is emulated; then
  echo "== Testing"
  cd build-arm64 || exit
  without unit.base.test_command "qemu-user does not tell posix_spawn that a program is not there"
  without unit.kernels.test_openblas "qemu-user heeds no limit of address space"
  for name in compilers includes programs; do without "unit.layering.$name" "about the source, not the processor"; done
  ctest --output-on-failure -j "$cores" "${choose[@]}" -E "^($(IFS='|' && echo "${excluded[*]}"))\$"
  exit
fi
if is compare; then
  echo "== Testing"
  cd build-test && ARM64_ROOT=/arm64 ctest --output-on-failure -R '^long\.arm64$'
  exit
fi
describe "${CC:-gcc}"
if is quickstart; then
  echo "== launch/quickstart.sh"
  if "${as[@]}" launch/quickstart.sh; then
    echo "1/1 Test #1: launch/quickstart.sh ... Passed"
  else
    echo "1/1 Test #1: launch/quickstart.sh ...***Failed"
  fi
fi
if is by-hand; then
  echo "== Building in build-test"
  cmake -S . -B build-test -G Ninja -DSEQ_TESTS=ON >/dev/null && cmake --build build-test && echo "== Testing" &&
    (cd build-test && ctest --output-on-failure -j "$cores" -LE 'long|bench|slurm' "${choose[@]}") || code=$?
else
  "${as[@]}" launch/test.sh "${choose[@]}" || code=$?
fi
exit $code
