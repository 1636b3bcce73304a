for app in @APPS@; do
  mck deploy "$app" --environment @ENVIRONMENT@ --release "$(jq -r .release.id "releases/$app.json")"
done
