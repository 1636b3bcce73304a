# Makes the entries of a folder the running user's own. A runtime that seeds a private folder from
# a release keeps the release's owner, who is not the user that Magento writes as. Entries that
# cannot be deleted can be renamed, for the folder itself is the user's.
set -eu
cd "$1"
for entry in *; do
    if [ -e "$entry" ] && [ ! -O "$entry" ]; then
        cp -R "$entry" ".own.$entry"
        mv "$entry" ".release.$entry"
        mv ".own.$entry" "$entry"
    fi
done
