mkdir -p releases
for app in @APPS@; do
  mck build "$app" --environment @FIRST@ --revision "$REVISION" --json >"releases/$app.json"
done
