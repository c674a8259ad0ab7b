#!/usr/bin/env bash
# Builds a container image around the machine's own redis-server and the libraries it needs, for
# places where no image can be pulled. Usage: redis-image.sh NAME
set -euo pipefail

name=$1
server=$(readlink -f "$(command -v redis-server)")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

mkdir -p "$root/usr/bin"
cp "$server" "$root/usr/bin/redis-server"
# ldd prints "name => /path (address)", and the loader itself without an arrow.
ldd "$server" | grep -o '/[^ ]*' | while read -r library; do
  cp --parents --dereference "$library" "$root"
done

tar -C "$root" -c . | docker import \
  --change 'ENTRYPOINT ["redis-server"]' \
  --change 'CMD ["--protected-mode", "no"]' \
  --change 'EXPOSE 6379' \
  - "$name"
