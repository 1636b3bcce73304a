for app in @APPS@; do
  release=$(jq -r .release "releases/$app.json")
  # Images hold their environment's configuration: the release that was built, made for this one.
  made=$(mck build "$app" --environment @ENVIRONMENT@ --revision "$REVISION" --json | jq -r .release)
  test "$made" = "$release"
  mck deploy "$app" --environment @ENVIRONMENT@ --release "$release"
done
