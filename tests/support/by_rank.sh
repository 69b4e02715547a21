# by_rank.sh COMMAND0... ::: COMMAND1... [::: ...]: rank 0 of a job becomes COMMAND0, rank 1 COMMAND1, and so on. The launchers' own way
# (`mpirun -np 1 A : -np 1 B`) crashes mpirun 5.0.7 of Debian 13.
rank=${OMPI_COMM_WORLD_RANK:-${PMIX_RANK:-${PMI_RANK:-${PALS_RANKID:-${SLURM_PROCID:-}}}}}
[ -n "$rank" ] || { echo "by_rank.sh: the launcher does not tell a rank" >&2; exit 2; }
command=()
for word in "$@" :::; do
  if [ "$word" != ::: ]; then
    command+=("$word")
  elif [ "$rank" -eq 0 ]; then
    exec "${command[@]}"
  else
    rank=$((rank - 1)) command=()
  fi
done
echo "by_rank.sh: fewer commands than ranks" >&2
exit 2
