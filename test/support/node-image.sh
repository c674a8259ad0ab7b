#!/usr/bin/env bash
# Builds a container image around a Node and the machine's own npm, to build the Dockerfile on where
# no image can be pulled. Usage: node-image.sh NAME NODE
set -euo pipefail

name=$1
node=$(readlink -f "$2")
npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
root=$(mktemp -d)
archive=$(mktemp)
trap 'rm -rf "$root" "$archive"' EXIT

mkdir -p "$root"/{bin,dev,etc,home/node,opt,proc,sys,tmp,usr/bin,usr/lib/node_modules}
chmod 1777 "$root/tmp"
cp "$node" "$root/usr/bin/node"
# ldd prints "name => /path (address)", and the loader itself without an arrow.
ldd "$node" | grep -o '/[^ ]*' | while read -r library; do
  cp --parents --dereference "$library" "$root"
done
cp -r "$npm" "$root/usr/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/bin/npm"
# A shell and the few programs that npm and a health check call.
cp "$(command -v busybox)" "$root/bin/busybox"
for program in sh id ls sleep wget; do ln -s busybox "$root/bin/$program"; done
ln -s ../../bin/busybox "$root/usr/bin/env"
# The authorities that this machine believes: between it and the registry there may be a proxy.
mkdir -p "$root/etc/ssl/certs"
cp --dereference /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
printf 'root:x:0:0::/:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\nnode:x:1000:\n' >"$root/etc/group"
chown 1000:1000 "$root/home/node"

# The same content is the same image, so that what was built on it need not be built again.
tar -C "$root" --sort=name --mtime=@0 -cf "$archive" .
content=$(sha256sum "$archive" | cut -d ' ' -f 1)
known=$(docker image inspect --format '{{index .Config.Labels "content"}}' "$name" 2>/dev/null || true)
[ "$known" = "$content" ] && exit
docker import --change 'ENV PATH=/usr/bin:/bin NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt' \
  --change "LABEL content=$content" "$archive" "$name"
