# PyTorch's side, for the parts that compare with it; sourced after support.sh. $PYTHON is its interpreter.
python=${PYTHON:-python3}
has_pytorch() { "$python" -c 'import torch' 2>/dev/null; }

# Threads are set by pytorch.py; its two DDP processes have one each.
start_pytorch() {
  local version
  coproc torch { exec env -u OMP_NUM_THREADS "$python" "$(dirname "$0")/pytorch.py" 2>>"$log"; }
  read -r version <&"${torch[0]}"
  echo "PyTorch $version"
}

ask() { # COMMAND... -> the answer of pytorch.py
  local answer
  echo "$*" >&"${torch[1]}"
  read -r answer <&"${torch[0]}" || { tail -5 "$log" >&2; return 1; }
  echo "$answer"
}

better() { [ "$(calc "($1) > ($2)")" = 1 ]; }

# promising COMMAND...: those worth measuring, by one try of each.
promising() {
  local command best=0 tries=() rate
  for command in "$@"; do
    rate=$(ask "$command")
    tries+=("$rate $command")
    ! better "$rate" "$best" || best=$rate
  done
  for command in "${tries[@]}"; do
    better "$best" "1.34 * ${command%% *}" || echo "${command#* }"
  done
}
