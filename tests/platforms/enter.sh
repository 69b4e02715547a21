#!/bin/bash
# Of run.sh: the first process in namespaces of its own (mount, process, IPC). What it mounts goes with the last process.
#   enter.sh probe CACHE                                        whether an overlay can be mounted in CACHE
#   enter.sh make ROOT TREE SUITE ARCHITECTURE MIRROR           a new root file system with our packages
#   enter.sh update ROOT TREE SUITE                             adds what TREE's list of packages has got since ROOT was made
#   enter.sh layer CACHE SYSTEM NAME PACKAGES                   CACHE/layers/NAME: those packages over CACHE/SYSTEM
#   enter.sh row CACHE SYSTEM NAME SETTINGS LABELS TREE.tar     builds and tests the tree; prints what row.awk reads
set -eu
here=$(dirname "$0")
shm=50%

# furnish ROOT: what a program expects of a running system, and the network of this one.
furnish() {
  local folder
  for folder in sys dev dev/pts; do mount --bind "/$folder" "$1/$folder"; done
  mount -t proc proc "$1/proc"
  mount -t tmpfs -o "size=$shm,mode=1777" tmpfs "$1/dev/shm"
  cp -L /etc/resolv.conf "$1/etc/resolv.conf"
  if command -v apt-config >/dev/null && [ -d "$1/etc/apt/apt.conf.d" ]; then
    apt-config dump | grep -i '^Acquire::https\?::.*Proxy' >"$1/etc/apt/apt.conf.d/90of-the-host" || true
  fi
}

inside() { # inside ROOT COMMAND...
  local root=$1
  shift
  chroot "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
    ${no_proxy:+no_proxy="$no_proxy"} "$@"
}

# over PLACE LOWER UPPER: mounts at PLACE the layers LOWER (top:...:bottom) with what is written going to UPPER.
over() {
  mkdir -p "$1" "$3" "$3.work"
  mount -t overlay overlay -o "lowerdir=$2,upperdir=$3,workdir=$3.work" "$1"
}

probe() {
  mkdir -p "$1/row/lower"
  over "$1/row/probe" "$1/row/lower" "$1/row/upper"
  touch "$1/row/probe/file"
}

install_el() { # install_el ROOT TREE SUITE: some packages come from EPEL and CRB
  dnf -y --installroot="$1" --releasever="${3#el}" install bash coreutils procps-ng \
    $(awk -F ' *[|] *' '!/^#/ && $4 != "-" && !/^(slurmctld|munged|h5py)/ {print $4}' "$2/cmake/packages.txt")
}

# our_packages ROOT TREE: installs what launch/test.sh installs.
our_packages() {
  local code=0
  furnish "$1"
  mkdir -p "$1/tree"
  mount --bind "$2" "$1/tree"
  inside "$1" bash -c 'source /tree/launch/common.sh && wanted_programs+=(ip readelf h5dump) && configure /tmp/build -DSEQ_TESTS=ON' || code=$?
  rm -rf "$1/tmp/build"
  umount "$1/tree"
  rmdir "$1/tree"
  return $code
}

update() {
  local root=$1 tree=$2 suite=$3
  if [[ $suite == el* ]]; then
    install_el "$root" "$tree" "$suite"
    return
  fi
  our_packages "$root" "$tree" >"$root/tmp/said" 2>&1 || true # whether it can be built, the row will tell
  cat "$root/tmp/said"
  ! grep -q '^== Not installed\|apt-get could not install' "$root/tmp/said"
}

make() {
  local root=$1 tree=$2 suite=$3 architecture=$4 mirror=$5
  if [[ $suite == el* ]]; then
    install_el "$root" "$tree" "$suite"
    return
  fi
  if [ "$architecture" = "$(dpkg --print-architecture)" ]; then
    debootstrap --force-check-gpg --variant=minbase "$suite" "$root" "$mirror"
  else
    debootstrap --force-check-gpg --variant=minbase --arch="$architecture" --foreign "$suite" "$root" "$mirror"
    inside "$root" /debootstrap/debootstrap --second-stage
  fi
  echo "deb $mirror $suite main$([[ $mirror != *ubuntu* ]] || echo ' universe')" >"$root/etc/apt/sources.list"
  echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
  our_packages "$root" "$tree" || inside "$root" sh -c 'command -v cmake' # they are there; what else it is, the row will tell
}

layer() {
  local cache=$1 system=$2 name=$3 packages
  read -ra packages <<<"$4"
  over "$cache/layers/$name.root" "$cache/$system" "$cache/layers/$name"
  furnish "$cache/layers/$name.root"
  inside "$cache/layers/$name.root" apt-get update -qq
  inside "$cache/layers/$name.root" apt-get install -y -qq --no-install-recommends "${packages[@]}"
}

row() {
  local cache=$1 system=$2 name=$3 settings=" $4 " labels=$5 tree=$6 lower=$1/$2 place=$1/row/root size
  size=$(sed -n 's/.* shm=\([^ ]*\) .*/\1/p' <<<"$settings")
  shm=${size:-$shm}
  [ ! -d "$cache/layers/$name" ] || lower=$cache/layers/$name:$lower
  over "$place" "$lower" "$cache/row/upper"
  furnish "$place"
  mkdir "$place/seqtrain"
  tar -C "$place/seqtrain" --no-same-owner -xf "$tree"
  if [[ $settings != *" arm64 "* ]]; then
    inside "$place" bash /seqtrain/tests/platforms/row.sh "$settings" "$labels"
    return
  fi
  local other=$cache/row/arm64 code=0
  over "$other" "$cache/arm64" "$cache/row/arm64.upper"
  furnish "$other"
  mkdir "$other/seqtrain" "$place/arm64"
  mount --bind "$place/seqtrain" "$other/seqtrain"
  mount --bind "$other" "$place/arm64"
  inside "$place" bash /seqtrain/tests/platforms/row.sh "$settings cross" "$labels"
  inside "$place" bash /seqtrain/tests/platforms/row.sh "$settings compare" "$labels" || code=$?
  inside "$other" bash /seqtrain/tests/platforms/row.sh "$settings emulated" "$labels" || code=$?
  return $code
}

"$@"
