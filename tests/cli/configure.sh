# What CMake says where seqtrain cannot be built: all that is missing, at once, and other systems in one sentence.
source "$SUPPORT/common.sh"
unset CC CFLAGS CMAKE_C_COMPILER_LAUNCHER SEQ_NEED_PROGRAMS SEQ_WANT_PROGRAMS
generator=$(sed -n 's/^CMAKE_GENERATOR:INTERNAL=//p' "$(dirname "$SEQTRAIN")/CMakeCache.txt") # the default one may not be here
configure() { env "${with[@]}" cmake -S "$SOURCE" -B "$work/tree" -G "$generator" "$@"; }
said() { tr -s ' \n' ' ' <.out; } # CMake wraps lines

with=(PKG_CONFIG_LIBDIR=/nowhere)
expect 1 'needs what is not here' configure -DSEQ_TESTS=ON -DSEQ_MPI=OFF -DCMAKE_DISABLE_FIND_PACKAGE_HDF5=ON
for name in libzstd-dev zlib1g-dev libxxhash-dev libjansson-dev libutf8proc-dev libcmocka-dev libhdf5-dev libzstd-devel libutf8proc PKG_CONFIG_PATH 'module load'; do
  said | grep -q -- "$name" || bad "the message lacks $name"
done
said | grep -q 'gcc libc6-dev' && bad "the message names a compiler, which is there"
grep -qx 'need hdf5' tree/missing.txt && grep -qx 'need zstd' tree/missing.txt || bad "missing.txt: $(cat tree/missing.txt)"
rm -r tree

with=(-u none)
expect 1 "seqtrain runs on" configure -DCMAKE_SYSTEM_NAME=FreeBSD
said | grep -q 'only, and this is FreeBSD.*container.*virtual machine.*WSL 2' || bad "no way out is named"
rm -r tree
expect 1 'seqtrain runs on' configure -DCMAKE_C_FLAGS=-U__linux__ # or 32-bit, or big-endian
said | grep -q 'only, and .* makes programs for something else.*WSL 2' || bad "another target is not refused in one sentence: $(said)"
finish
