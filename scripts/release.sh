#!/usr/bin/env bash
# Makes a release from a tag: package, source, bill of materials, provenance, checksums, signature.
#
#   scripts/release.sh [--dry-run] [--image NAME] [--output DIRECTORY]
#
# It builds what is committed and nothing else. It refuses a tree with changes, a commit without the tag of its version,
# a known weakness in a production package, and to end unsigned; a dry run says so and goes on. It publishes nothing.
# All that lies in the directory is signed, so it begins empty: a named one that is not is refused, and release/VERSION,
# which is ours, is emptied first.
# Who signs: COSIGN_KEY with cosign, MINISIGN_KEY with minisign, or SSH_KEY with ssh-keygen; each names a file.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

dry=false
image=
output=
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry=true ;;
    --image) image=$2 && shift ;;
    --output) output=$2 && shift ;;
    *) echo "release: unknown option $1" >&2 && exit 2 ;;
  esac
  shift
done

done_list=()
missing=()
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

did() { done_list+=("$1"); }
# What a release cannot be without; a dry run goes on.
lack() {
  missing+=("$1")
  if ! $dry; then
    echo "release: $1" >&2
    exit 1
  fi
}

version=$(node -p 'require("./package.json").version')
commit=$(git rev-parse HEAD)
name=didit-oidc-$version

[ -z "$(git status --porcelain)" ] || lack 'the tree has changes that are not committed: they are left out'
[ "$(git tag --points-at HEAD | grep -Fx "v$version" || true)" ] || lack "the commit has no tag v$version"
grep -q "^## \[\?$version\b" CHANGELOG.md || lack "CHANGELOG.md has no heading for $version"

if [ -z "$output" ]; then
  output=release/$version
  rm -rf "$output"
elif [ -d "$output" ] && [ -n "$(ls -A "$output")" ]; then
  echo "release: $output is not empty: name another directory, or take out what lies there" >&2
  exit 1
fi

# The folder's name is that of the component in the bill of materials.
tree=$work/didit-oidc
mkdir -p "$tree" "$output"
output=$(cd "$output" && pwd)
git archive HEAD | tar -x -C "$tree"
cd "$tree"

npm ci --ignore-scripts --prefer-offline >&2
audit=$(npm audit --omit=dev --json 2>/dev/null) && audited=true || audited=false
if $audited; then
  did 'no weakness of a production package is known to the registry'
elif [ "$(node -e 'try { console.log(JSON.parse(process.argv[1]).metadata ? 1 : 0) } catch { console.log(0) }' "$audit")" = 1 ]; then
  lack 'npm audit knows of a weakness in a production package'
else
  lack 'npm audit could not be asked'
fi

npm run --silent build >&2
npm pack --silent --pack-destination "$output" >/dev/null
did "$name.tgz: the program, compiled"
git -C "$root" archive --prefix "$name/" HEAD | gzip -n >"$output/$name-source.tar.gz"
did "$name-source.tar.gz: the source, with its lock file"
# `npm sbom --omit dev` leaves out production packages that a development one wants, too; so the others go first.
npm prune --omit=dev --ignore-scripts >&2
npm pkg delete devDependencies
npm sbom --sbom-format cyclonedx --sbom-type application >"$output/$name.cdx.json"
git -C "$root" show HEAD:package.json >package.json
did "$name.cdx.json: what it is made of (CycloneDX)"

if [ -z "$image" ]; then
  missing+=('no image was built: --image NAME')
elif docker build --quiet ${NODE_IMAGE:+--build-arg "NODE_IMAGE=$NODE_IMAGE"} --label "org.opencontainers.image.version=$version" \
  --label "org.opencontainers.image.revision=$commit" --tag "$image:$version" . >"$output/image-id.txt"; then
  did "$image:$version: the image, on this machine; push it, and sign its digest"
else
  rm -f "$output/image-id.txt"
  lack 'the image could not be built'
fi

# Says which bytes came from which commit; believed only as far as the signature over it.
node - "$output" "$version" "$commit" <<'NODE'
const { createHash } = require('node:crypto');
const { readFileSync, readdirSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const [output, version, commit] = process.argv.slice(2);
const sha256 = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');
const subject = readdirSync(output)
  .filter((name) => name.startsWith('didit-oidc-') && !name.endsWith('.provenance.json'))
  .sort()
  .map((name) => ({ name, digest: { sha256: sha256(join(output, name)) } }));
const statement = {
  _type: 'https://in-toto.io/Statement/v1',
  subject,
  predicateType: 'https://slsa.dev/provenance/v1',
  predicate: {
    buildDefinition: {
      buildType: 'scripts/release.sh',
      externalParameters: { tag: `v${version}` },
      resolvedDependencies: [
        { name: 'source', digest: { gitCommit: commit } },
        { name: 'package-lock.json', digest: { sha256: sha256('package-lock.json') } },
      ],
    },
    runDetails: { builder: { id: 'scripts/release.sh', version: { node: process.versions.node } } },
  },
};
writeFileSync(join(output, `didit-oidc-${version}.provenance.json`), `${JSON.stringify(statement, null, 2)}\n`);
NODE
did "$name.provenance.json: from which commit (in-toto, SLSA v1)"

cd "$output"
sha256sum didit-oidc-* >SHA256SUMS
did 'SHA256SUMS: over all of it'

if [ -n "${COSIGN_KEY:-}" ] && command -v cosign >/dev/null; then
  cosign sign-blob --yes --key "$COSIGN_KEY" --bundle SHA256SUMS.cosign.bundle SHA256SUMS >&2
  did 'SHA256SUMS.cosign.bundle: signed'
elif [ -n "${MINISIGN_KEY:-}" ] && command -v minisign >/dev/null; then
  minisign -S -s "$MINISIGN_KEY" -m SHA256SUMS >&2
  did 'SHA256SUMS.minisig: signed'
elif [ -n "${SSH_KEY:-}" ] && command -v ssh-keygen >/dev/null; then
  ssh-keygen -q -Y sign -n didit-oidc-release -f "$SSH_KEY" SHA256SUMS >&2
  did 'SHA256SUMS.sig: signed'
else
  lack 'it is not signed: COSIGN_KEY, MINISIGN_KEY or SSH_KEY, and the program for it'
fi

echo "$name in $output"
printf 'done: %s\n' "${done_list[@]}"
[ ${#missing[@]} -eq 0 ] || printf 'not done: %s\n' "${missing[@]}"
$dry && echo 'a dry run: no release'
exit 0
