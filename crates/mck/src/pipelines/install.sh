if ! command -v mck >/dev/null; then
  cargo install --locked --git "$MCK_REPOSITORY" --rev "$MCK_REVISION" mck
fi
