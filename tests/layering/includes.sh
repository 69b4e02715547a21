# No file includes from above or sideways; only comm knows <mpi.h>, only storage <hdf5.h>; public headers name neither's types.
source "$SUPPORT/common.sh"
cd "$SOURCE" || exit 1
checked=0
while IFS=: read -r layer allowed; do
  case $layer in '#'* | '') continue ;; esac
  [ -d src/$layer ] || bad "src/$layer does not exist"
  for file in $(find src/$layer include/seqtrain/$layer -type f 2>/dev/null); do
    checked=$((checked + 1))
    for included in $(sed -n 's|^#include <seqtrain/\([a-z_]*\)/.*|\1|p' "$file" | sort -u); do
      case " $allowed $layer " in *" $included "*) ;; *) bad "$file includes from $included" ;; esac
    done
    # Quoted includes stay inside the layer: beside the file, or FOLDER/HEADER.
    for included in $(sed -n 's|^#include "\(.*\)"|\1|p' "$file"); do
      [ -f "$(dirname "$file")/$included" ] || [ -f src/$layer/"$included" ] || bad "$file includes \"$included\", which is not in its layer"
    done
    grep -q '^#include <mpi.h>' "$file" && [ $layer != comm ] && bad "$file includes <mpi.h>"
    grep -q '^#include <hdf5.h>' "$file" && [ $layer != storage ] && bad "$file includes <hdf5.h>"
  done
done <tests/layering/layers.txt
for directory in src/*/; do
  grep -q "^$(basename "$directory"):" tests/layering/layers.txt || bad "$directory is not a layer"
done
grep -REn 'MPI_|hid_t|herr_t|H5[A-Z]' include && bad "a public header names a type of MPI or HDF5"
[ $checked -gt 100 ] || bad "only $checked files were looked at"
for header in $(find include -name '*.h'); do
  guard=$(echo "${header#include/}" | tr 'a-z/.' 'A-Z__')
  grep -q "^#ifndef $guard\$" "$header" || bad "$header: its guard is not $guard"
done
finish
