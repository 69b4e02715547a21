# What one core can do: multiply-adds on registers, bytes from the nearest shared cache and from memory.
source "$(dirname "$0")/support.sh"
"$bench" --only peak --rows "$ROWS"
"$bench" --only memory --rows "$ROWS" | sed 1d
