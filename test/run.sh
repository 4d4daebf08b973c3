#!/bin/sh
# Runs the tests: `npm test` everything, `sh test/run.sh check` types, lint, format, architecture and docs only,
# `sh test/run.sh scenario advisory` some groups. Root gets missing Debian packages installed; others are told.
# A group without a file, a file without a test, a skipped test and a group over its time all fail the run.
set -u
cd "$(dirname "$0")/.." || exit 1

node=node_modules/.bin/node
[ -x "$node" ] || node=$(command -v node) || { echo "Node is missing: run npm ci first"; exit 1; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
# Once for all: otherwise every process of the tests strips the types of the same files anew.
NODE_COMPILE_CACHE="$work/compile-cache"
export NODE_COMPILE_CACHE

GROUPS_IN_ORDER="check unit property fuzz config-bad contract contract-blackbox dialogue cli scenario api interop directories crash advisory pkits"

missing_packages() {
  grep -Ev '^(#|$)' scripts/debian-packages.txt | while read -r package; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s ' "$package"
  done
}

# Packages must not start their daemons here: Debian asks policy-rc.d first, and 101 means no.
install_packages() {
  policy=/usr/sbin/policy-rc.d
  ours=no
  if [ ! -e "$policy" ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
  fi
  apt-get -o DPkg::Lock::Timeout=300 -q update >"$work/apt.log" 2>&1 &&
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -q -y --no-install-recommends install $1 >>"$work/apt.log" 2>&1
  result=$?
  [ "$ours" = no ] || rm -f "$policy"
  [ "$result" -eq 0 ] || tail -n 20 "$work/apt.log"
  return "$result"
}

need_packages() {
  if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "These tests need Debian and the packages of scripts/debian-packages.txt"
    return 1
  fi
  missing=$(missing_packages)
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    echo "Missing Debian packages: $missing"
    echo "Install them (as root: apt-get install $missing) or run the tests as root."
    return 1
  fi
  echo "Installing Debian packages: $missing"
  install_packages "$missing" && [ -z "$(missing_packages)" ]
}

# The test files of a group, one a line.
files_of() {
  case $1 in
    check) find test -maxdepth 1 -name '*.test.ts' ;;
    unit) find src test/support scripts bench -name '*.test.ts' ;;
    *) [ ! -d "test/$1" ] || find "test/$1" -name '*.test.ts' ;;
  esac | LC_ALL=C sort
}

# A test that takes ten minutes, and a group that takes half an hour, will never end. On two quiet cores the longest test
# takes half a minute and the longest group three; how much slower another machine is must decide nothing.
TEST_LIMIT_MS=600000
GROUP_LIMIT_S=1800

total_passed=0
total_failed=0
summary=

# Adds a line to the summary: group, passed, failed, note.
record() {
  total_passed=$((total_passed + $2))
  total_failed=$((total_failed + $3))
  summary="$summary$(printf '%-18s %5d passed %4d failed  %s' "$1" "$2" "$3" "$4")
"
}

# A check that is one command, counted as one test.
run_tool() {
  label=$1
  shift
  if "$@" >"$work/tool.log" 2>&1; then
    record "$label" 1 0 ""
  else
    echo "== $label"
    cat "$work/tool.log"
    record "$label" 0 1 ""
  fi
}

run_tools() {
  run_tool types node_modules/.bin/tsc -p .
  run_tool lint node_modules/.bin/oxlint --type-aware --deny-warnings src test scripts bench
  run_tool format node_modules/.bin/biome format .
  run_tool groups every_test_has_a_group
  [ ! -f scripts/docs.ts ] || run_tool docs "$node" scripts/docs.ts --check
}

every_test_has_a_group() {
  for group in $GROUPS_IN_ORDER; do files_of "$group"; done | LC_ALL=C sort >"$work/grouped"
  find src test scripts bench -name '*.test.ts' | LC_ALL=C sort >"$work/all"
  ! diff "$work/grouped" "$work/all" | grep '^[<>]'
}

run_group() {
  group=$1
  files_of "$group" >"$work/files"
  if [ ! -s "$work/files" ]; then
    record "$group" 0 1 "no test file"
    return
  fi
  echo "== $group"
  : >"$work/counts"
  # File names of this repository have no blanks.
  SALLYPORT_TEST_COUNTS="$work/counts" timeout -k 10 "$GROUP_LIMIT_S" "$node" --test --test-concurrency=2 --test-timeout="$TEST_LIMIT_MS" \
    --test-reporter=./test/support/report.ts --test-reporter-destination=stdout $(cat "$work/files")
  result=$?
  read -r passed failed <"$work/counts" || { passed=0; failed=1; }
  note=
  [ "$result" -ne 124 ] && [ "$result" -ne 137 ] || note="stopped after $GROUP_LIMIT_S s"
  if [ $((passed + failed)) -eq 0 ]; then
    failed=1
    note="no test ran"
  fi
  [ "$result" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
  record "$group" "$passed" "$failed" "$note"
}

wanted=${*:-$GROUPS_IN_ORDER}
for group in $wanted; do
  case " $GROUPS_IN_ORDER " in
    *" $group "*) ;;
    *) echo "no such group: $group (there are: $GROUPS_IN_ORDER)"; exit 1 ;;
  esac
done
if [ "$wanted" != check ]; then
  need_packages || exit 1
  bin/sallyport fill-compile-cache || exit 1
fi

for group in $wanted; do
  [ "$group" != check ] || run_tools
  run_group "$group"
done

printf '\n%s' "$summary"
echo "$total_passed passed, $total_failed failed"
[ "$total_failed" -eq 0 ]
