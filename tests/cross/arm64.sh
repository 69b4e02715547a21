# A run gives the same bytes on x86 and on 64-bit ARM: 50 steps of several models with the programs of this build, and with programs
# for ARM under qemu; whole checkpoint directories are compared. Both use the C library of this release, for its log, pow and exp.
# ARM64_ROOT: an ARM root file system of this release with the libraries. Without, their packages are fetched by apt.
source "$SUPPORT/common.sh"
skip() {
  echo "skipped: $*" >&2
  exit 77
}
[ "$(uname -m)" = x86_64 ] || skip "this is $(uname -m), not x86_64"
[ -z "${SANITIZE:-}" ] || skip "a build with sanitizers"
command -v aarch64-linux-gnu-gcc >/dev/null || skip "no aarch64-linux-gnu-gcc (package gcc-aarch64-linux-gnu)"
emulator=$(command -v qemu-aarch64-static || command -v qemu-aarch64) || skip "no qemu-aarch64 (package qemu-user-static)"
"$SEQTRAIN" --version | grep -Eq 'kernels: (avx|portable)' || skip "this CPU has no fused multiply-add"

# fetch FOLDER: the packages of this system's release for ARM, unpacked.
fetch() {
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || skip "no apt-get to fetch libraries for ARM with, and no ARM64_ROOT"
  mkdir -p apt/state/lists/partial apt/cache/archives/partial "$1"
  local apt=(apt-get -q -y -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Dir::State="$PWD/apt/state" -o Dir::Cache="$PWD/apt/cache"
    -o Dir::State::status=/dev/null -o APT::Sandbox::User=root -o Acquire::Retries=2)
  timeout 300 "${apt[@]}" -o APT::Update::Error-Mode=any update >apt.log 2>&1 &&
    timeout 600 "${apt[@]}" -d --no-install-recommends install libc6-dev libhdf5-dev libzstd-dev zlib1g-dev libxxhash-dev libjansson-dev \
      libutf8proc-dev >>apt.log 2>&1 || skip "apt cannot fetch libraries for ARM: $(tail -n 1 apt.log)"
  local file target
  for file in apt/cache/archives/*.deb; do dpkg-deb -x "$file" "$1"; done
  find "$1" -type l -lname '/*' | while IFS= read -r file; do # the linker would look for these here
    target=$1$(readlink "$file")
    ln -sfr "$target" "$file"
  done
}
root=${ARM64_ROOT:-$work/root}
[ -n "${ARM64_ROOT:-}" ] || fetch "$root"

build=$work/build
expect 0 . cmake -S "$SOURCE" -B "$build" -G "$GENERATOR" -DCMAKE_MAKE_PROGRAM="$NINJA" -DCMAKE_BUILD_TYPE=Release -DSEQ_TESTS=OFF -DSEQ_MPI=OFF \
  -DCMAKE_TOOLCHAIN_FILE="$SOURCE/cmake/aarch64-linux-gnu.cmake" -DCMAKE_SYSROOT="$root"
expect 0 . cmake --build "$build" -j 2 --target seqprep seqtrain
[ $failures -eq 0 ] || finish
for program in seqprep seqtrain; do
  printf '#!/bin/sh\nexec "%s" -L "%s" "%s" "$@"\n' "$emulator" "$root" "$build/$program" >"arm-$program"
  chmod +x "arm-$program"
done
expect 0 'kernels: neon' ./arm-seqtrain --version

expect 0 '' bash "$SOURCE/tests/cross/fifty_steps.sh" "$work/x86"
for kernels in neon unfused; do
  expect 0 '' env SEQPREP="$work/arm-seqprep" SEQTRAIN="$work/arm-seqtrain" bash "$SOURCE/tests/cross/fifty_steps.sh" "$work/arm-$kernels" $kernels
done
expect 0 '' bash "$SOURCE/tests/cross/fifty_steps.sh" "$work/x86-unfused" unfused
checkpoints=0
for name in lstm gru rnn bf16; do
  same_tree x86/$name/checkpoints arm-neon/$name/checkpoints
  same_tree x86-unfused/$name/checkpoints arm-unfused/$name/checkpoints
  diff -rq x86/$name/checkpoints x86-unfused/$name/checkpoints >/dev/null && bad "$name: the order of arithmetic changes nothing"
  checkpoints=$((checkpoints + $(ls -d x86/$name/checkpoints/step-* | wc -l)))
done
[ "$checkpoints" -eq 8 ] || bad "$checkpoints checkpoints, expected 8"
# A run moves: 25 steps here, 25 there.
mkdir moved
cp -r x86/lstm moved/run
rm -r moved/run/checkpoints/step-000000050
expect 0 '' ./arm-seqtrain --run moved/run --data x86/chars --steps 50
! grep -q 'not in bits' .out || bad "a warning: $(grep 'not in bits' .out)"
same_tree x86/lstm/checkpoints moved/run/checkpoints
finish
