# Which program starts the ranks, and how each kind of it is told what it is to do. Sourced by launch/common.sh and by the tests
# (tests/support/common.sh); nothing else in the tree spells an option or a variable of a launcher.
#   launcher_environment [S]        exports what all kinds need; S: seconds from SIGTERM to SIGKILL (10), where that can be chosen
#   launcher_find [BUILD]           asks $MPIEXEC, else what CMake found for the folder BUILD, else mpirun or mpiexec of PATH, which kind
#                                   it is; sets `launcher` and the facts below
#   launcher_command RANKS [WORD [VALUE]]...
#                                   calls launcher_find where nobody has, and sets the array `launch`, to be put in front of a
#                                   program and its arguments:  launcher_command 4 deal && "${launch[@]}" program
# Words of launcher_command:
#   hosts FILE        lines `NAME slots=N`              on NAME:N[,NAME:N...]    the same as a list
#   deal              ranks to the hosts in turn        direct                   the agent is called for each host from here
#   agent COMMAND     starts a command elsewhere: COMMAND HOST COMMAND...        network CIDR DEVICE      all traffic goes there
#   set NAME=VALUE    a variable for the ranks          pass NAME                the same with its value here, if it has one
#   mark TOKEN        stands in the command line or the environment of all processes of the job (SEQTRAIN_JOB)
#   sockets           messages between hosts by TCP, those of a host by memory
#   unbound           ranks may run on all cores
# `hosts`, `on` and `agent` may write a file into the folder $launcher_scratch.
# Tried: openmpi4 (4.1), openmpi5 (5.0), hydra (MPICH 4.0 and 4.2). By their documentation: srun, intel, pals.

launcher_kind=

launcher_environment() {
  # Open MPI refuses root unless both are set, and more ranks than cores; with more, ranks that wait yield the core.
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
  export OMPI_MCA_rmaps_base_oversubscribe=1 PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
  # Containers forbid the system call behind it (process_vm_readv).
  export OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_smsc=^cma
  # Open MPI 4, told to end, waits so long, sends the ranks SIGTERM, waits again, kills (1 by default); it waits as long before it ends
  # with any exit code but 0, whatever the ranks do. Open MPI 5 waits a quarter of a second, Hydra for ever.
  export OMPI_MCA_odls_base_sigkill_timeout=${1:-10}
}

# launcher_watchful: a daemon that has lost the other end notices within two minutes, not fifteen, and a launcher notices a daemon that
# ends before it has called back.
launcher_watchful() {
  local layer
  for layer in OMPI PRTE; do
    export "${layer}_MCA_oob_tcp_keepalive_time=${OMPI_MCA_oob_tcp_keepalive_time:-30}"
    export "${layer}_MCA_oob_tcp_keepalive_intvl=${OMPI_MCA_oob_tcp_keepalive_intvl:-10}"
  done
  export OMPI_MCA_orte_leave_session_attached=${OMPI_MCA_orte_leave_session_attached:-1}
  export PRTE_MCA_prte_leave_session_attached=$OMPI_MCA_orte_leave_session_attached
}

# Facts of a kind:
#   launcher_rank      the variable that tells a rank its number
#   launcher_grace     seconds that ranks have between SIGTERM to the launcher and their end: `some` (a second by default, and what
#                      launcher_environment says), `none`, `all`
#   launcher_truthful  no: its exit code may be another than that of the ranks; signals of ranks are small numbers in it
#   launcher_lost      the exit code by which the MPI library itself ends a job one of whose connections
#                      between hosts has closed; it may come before that of the rank which was killed.
#                      Empty: the library ends no job for that
# Each hands SIGUSR1 on to the ranks at once and stays; while it starts it loses it.
launcher_find() {
  local says
  launcher=${MPIEXEC:-}
  [ -n "$launcher" ] || launcher=$(sed -n 's/^MPIEXEC_EXECUTABLE:[A-Z]*=//p' "${1:-}/CMakeCache.txt" 2>/dev/null) || true # not there
  [ -n "$launcher" ] || launcher=$(command -v mpirun || command -v mpiexec || command -v prterun || command -v srun) || launcher=mpirun
  says=$("$launcher" --version 2>&1 </dev/null) || true
  case $says in
  *PRRTE* | *'(Open MPI) '[5-9]* | *'(Open MPI) '[1-9][0-9]*) launcher_kind=openmpi5 ;;
  *'(Open MPI)'* | *OpenRTE*) launcher_kind=openmpi4 ;;
  *'Intel(R) MPI'*) launcher_kind=intel ;;
  *HYDRA*) launcher_kind=hydra ;;
  *PALS* | *pals*) launcher_kind=pals ;;
  slurm*) launcher_kind=srun ;;
  *) launcher_kind=other ;; # what the MPI standard says of mpiexec, no more
  esac
  launcher_grace=all launcher_truthful=no launcher_lost=
  case $launcher_kind in
  openmpi4) launcher_rank=OMPI_COMM_WORLD_RANK launcher_grace=some launcher_truthful=yes ;;
  openmpi5) launcher_rank=OMPI_COMM_WORLD_RANK launcher_grace=none launcher_truthful=yes launcher_lost=14 ;; # MPI_ERR_UNKNOWN
  srun) launcher_rank=SLURM_PROCID launcher_truthful=yes ;;
  pals) launcher_rank=PALS_RANKID ;;
  *) launcher_rank=PMI_RANK ;;
  esac
}

launcher_command() {
  local ranks=$1 family deal= mark= agent=
  shift
  [ -n "$launcher_kind" ] || launcher_find
  family=${launcher_kind/intel/hydra}
  launch=("$launcher" -n "$ranks")
  [ "${launcher##*/}" != prterun ] || launch=("$launcher" --personality ompi -n "$ranks")
  case $launcher_kind in
  openmpi4) launch+=(--quiet) ;;
  srun) launch+=(--kill-on-bad-exit=1) ;;
  esac
  while [ $# -gt 0 ]; do
    case $family/$1 in
    openmpi4/hosts) launch+=(--hostfile "$2") ;;
    openmpi5/hosts) launch+=(--hostfile "$2" --map-by slot:nooversubscribe) ;; # else all ranks go to the first host
    hydra/hosts)
      sed 's/[[:space:]]*slots[[:space:]]*=[[:space:]]*/:/' "$2" >"${launcher_scratch:?}/machines"
      launch+=(-f "$launcher_scratch/machines")
      ;;
    pals/hosts) # a rank for each line
      awk -F'[[:space:]]*slots[[:space:]]*=[[:space:]]*' '{for (i = 0; i < ($2 ? $2 : 1); i++) print $1}' "$2" >"${launcher_scratch:?}/machines"
      launch+=(--hostfile "$launcher_scratch/machines" --ppn 1)
      ;;
    openmpi?/on) launch+=(--host "$2") ;;
    hydra/on)
      tr , '\n' <<<"$2" >"${launcher_scratch:?}/machines"
      launch+=(-f "$launcher_scratch/machines")
      ;;
    openmpi4/deal) launch+=(--map-by node) ;;
    openmpi5/deal) launch+=(--map-by node:oversubscribe) ;;
    hydra/deal) deal=yes launch+=(-ppn 1) ;;
    openmpi4/agent) launch+=(--mca plm_rsh_agent "$2") ;;
    openmpi5/agent) launch+=(--prtemca plm_ssh_agent "$2") ;;
    hydra/agent) agent=$2 ;;
    openmpi4/direct) launch+=(--mca plm_rsh_no_tree_spawn 1) ;;
    openmpi5/direct) launch+=(--prtemca plm_ssh_no_tree_spawn 1) ;;
    openmpi4/network) launch+=(--mca btl_tcp_if_include "$2" --mca oob_tcp_if_include "$2") ;;
    openmpi5/network) launch+=(--mca btl_tcp_if_include "$2" --prtemca prte_if_include "$2") ;;
    hydra/network) launch+=(-iface "$3" -genv UCX_NET_DEVICES "$3" -genv FI_TCP_IFACE "$3") ;;
    openmpi4/sockets) launch+=(--mca btl self,vader,tcp --mca pml ob1) ;;
    openmpi5/sockets) launch+=(--mca btl self,sm,tcp --mca pml ob1) ;;
    hydra/sockets) launch+=(-genv UCX_TLS self,tcp) ;; # MPICH has memory of its own for the ranks of a host; UCX's reaches other namespaces
    openmpi?/unbound) launch+=(--bind-to none) ;;
    hydra/unbound) launch+=(-bind-to none) ;;
    srun/unbound) launch+=(--cpu-bind=none) ;;
    openmpi?/set) launch+=(-x "$2") ;;
    hydra/set) launch+=(-genv "${2%%=*}" "${2#*=}") ;;
    pals/set) launch+=(--env "$2") ;;
    srun/set) launch+=("--export=ALL,$2") ;;
    */set) launch=(env "$2" "${launch[@]}") ;;
    openmpi?/pass) [ -z "${!2+set}" ] || launch+=(-x "$2") ;;
    */pass) ;; # all variables go along
    openmpi4/mark) mark=$2 launch+=(--mca seqtrain_job "$2") ;;
    openmpi5/mark) mark=$2 launch+=(--prtemca seqtrain_job "$2") ;;
    */mark) mark=$2 ;;
    */direct | */sockets | */network | */deal | */agent | */unbound) ;; # a matter of the system that it belongs to
    *)
      printf 'launcher_command: %s: not for %s (%s)\n' "$1" "$launcher" "$launcher_kind" >&2
      return 2
      ;;
    esac
    case $1 in
    deal | direct | sockets | unbound) shift ;;
    network) shift 3 ;;
    *) shift 2 ;;
    esac
  done
  [ -z "$deal" ] || [ ! -e "${launcher_scratch:-}/machines" ] || sed -i 's/:[0-9]*$//' "$launcher_scratch/machines"
  [ -z "$agent" ] || launcher_agent "$agent" "$mark"
  [ -z "$mark" ] || launch=(env "SEQTRAIN_JOB=$mark" "${launch[@]}")
}

# Hydra takes the name of a program for its agent, and marks no daemon.
launcher_agent() { # of launcher_command: launcher_agent COMMAND MARK
  local file=${launcher_scratch:?}/hydra-agent
  printf '#!/bin/sh\nhost=$1\nshift\nexec %s "$host" %s "$@"\n' "$1" "${2:+env SEQTRAIN_JOB=$2}" >"$file"
  chmod 755 "$file"
  case $launcher_kind in
  intel) launch+=(-bootstrap rsh -bootstrap-exec "$file") ;;
  *) launch+=(-launcher rsh -launcher-exec "$file") ;;
  esac
}
