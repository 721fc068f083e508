# What both demos copy: a few hundred real files of mixed sizes.
# shellcheck shell=bash

# fill_source DIRECTORY: makes the files of the source bucket.
fill_source() {
  local source=$1 number=0 list file name
  mkdir -p "$source/documents" "$source/raw"
  list=$(find /usr/include /usr/share/doc /usr/share/common-licenses -type f -size -2M 2>/dev/null | sort | head -n 360) || true
  [ "$(wc -l <<<"$list")" -ge 200 ] || fail "this machine has too few files to copy"
  while read -r file; do
    number=$((number + 1))
    cp "$file" "$source/documents/$(printf '%03d' "$number") $(basename "$file")"
  done <<<"$list"
  for name in 'Ægir & Søn – été.raw' '日本語の写真.raw' 'with  two spaces.raw' 'emoji 🏔.raw'; do
    head -c 8388608 /dev/urandom >"$source/raw/$name"
  done
  : >"$source/documents/an empty file"
  echo "$(find "$source" -type f | wc -l) files, $(du -sh "$source" | cut -f1), names with spaces and unicode among them"
}
