mkdir -p plan
if ! git show "$BASE:$MCK_FILE" >plan/before.toml 2>plan/error.txt; then
  echo "The branch that this goes to has no $MCK_FILE yet." >plan/plan.txt
else
  : >plan/plan.txt
  for environment in @ENVIRONMENTS@; do
    if ! mck show --file plan/before.toml --environment "$environment" >plan/error.txt 2>&1; then
      echo "The environment $environment is new." >>plan/plan.txt
      continue
    fi
    code=0
    mck plan --from "plan/before.toml:$environment" --environment "$environment" >>plan/plan.txt 2>&1 || code=$?
    # 2 says that something changes, which is no failure.
    if [ "$code" -ne 0 ] && [ "$code" -ne 2 ]; then
      cat plan/plan.txt
      exit "$code"
    fi
  done
fi
cat plan/plan.txt
