# Matrix products of the models' shapes and element-wise functions, by every library and instruction set.
source "$(dirname "$0")/support.sh"
"$bench" --only kernels ${MODEL:+--model "$MODEL"} --rows "$ROWS"
"$bench" --only activations --rows "$ROWS" | sed 1d
