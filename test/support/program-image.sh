#!/usr/bin/env bash
# Builds a container image around programs of this machine and the libraries they need, for places
# where no image can be pulled; with a shell and a user for them. Usage: program-image.sh NAME USER PROGRAM...
set -euo pipefail

name=$1
user=$2
shift 2
root=$(mktemp -d)
archive=$(mktemp)
trap 'rm -rf "$root" "$archive"' EXIT

mkdir -p "$root"/{bin,data,dev,etc,proc,sys,tmp,usr/bin}
chmod 1777 "$root/tmp"
for program; do
  file=$(readlink -f "$(command -v "$program")")
  cp "$file" "$root/usr/bin/$program"
  # ldd prints "name => /path (address)", and the loader itself without an arrow.
  ldd "$file" | grep -o '/[^ ]*' | while read -r library; do
    cp --parents --dereference "$library" "$root"
  done
done
cp "$(command -v busybox)" "$root/bin/busybox"
for program in sh id sleep wget; do ln -s busybox "$root/bin/$program"; done
printf 'root:x:0:0::/:/bin/sh\n%s:x:999:999::/data:/bin/sh\n' "$user" >"$root/etc/passwd"
printf 'root:x:0:\n%s:x:999:\n' "$user" >"$root/etc/group"
chown 999:999 "$root/data"

# The same content is the same image, so that what was built on it need not be built again.
tar -C "$root" --sort=name --mtime=@0 -cf "$archive" .
content=$(sha256sum "$archive" | cut -d ' ' -f 1)
known=$(docker image inspect --format '{{index .Config.Labels "content"}}' "$name" 2>/dev/null || true)
[ "$known" = "$content" ] && exit
docker import --change 'ENV PATH=/usr/bin:/bin' \
  --change "LABEL content=$content" "$archive" "$name"
