#!/usr/bin/env bash
# demo.sh BUILD_DIR [TEXT]: a cluster of hubd processes counts the words of a text and loses a node; then words stream to
# stateful children while two nodes join and all are restarted one after the other. All counts must equal what
# `sort | uniq -c` says. Exit code 0 only if they do.
# Needs the programs hubd, hubctl and example_wordcount and the plugin libwordcount.so in BUILD_DIR. Nothing it starts
# outlives it.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(cd "${1:?usage: demo.sh BUILD_DIR [TEXT]}" && pwd)
text=${2:-/usr/share/common-licenses/GPL-3}
slices=${PH_DEMO_SLICES:-24}
counters=${PH_DEMO_COUNTERS:-24}
children=0 # started so far
deadline=20 # seconds that any one condition may take

[[ -f $text && -r $text ]] || { echo "demo.sh: cannot read $text" >&2; exit 2; }
text=$(readlink -f "$text")
work=$(mktemp -d "${TMPDIR:-/tmp}/wordcount-demo.XXXXXX")
declare -A pid=() address=()
exec {never}<> <(:) # nothing ever comes out of this pipe

clean_up() {
  local code=$? name
  rm -f "$work/more"
  for name in "${!pid[@]}"; do kill -9 "${pid[$name]}" 2>/dev/null || true; done
  wait 2>/dev/null || true
  if [[ $code != 0 ]]; then
    echo "FAILED (exit code $code); the last lines of each node's log:" >&2
    tail -n 5 "$work"/*.log >&2 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# ------------------------------------------------------------------------------------------------ telling

started=$EPOCHREALTIME
since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f s", b - a }'; }
step() { step_began=$EPOCHREALTIME; printf '\n[%s] %s\n' "$(since "$started")" "$1"; }
done_in() { printf '    %s, in %s\n' "$1" "$(since "$step_began")"; }
die() { printf 'demo.sh: %s\n' "$1" >&2; exit 1; }

# ------------------------------------------------------------------------------------------------ cluster

hubctl() { # over whichever living node answers first
  local all
  all=$(IFS=,; echo "${address[*]}")
  "$build/hubctl" --connect "$all" "$@"
}
hubctl_at() { "$build/hubctl" --connect "${address[$1]}" "${@:2}"; }

# The checked-in file of a node, with a free port for its own, the living nodes as seeds and the plugin's full path: two
# demos at a time do not meet.
config_for() {
  local seed
  sed -e '/^seed /d' -e 's|^listen .*|listen = tcp://127.0.0.1:0|' -e "s|^plugin .*|plugin = $build/libwordcount.so|" \
    -e '/^\[hub\]/,$d' "$here/$1.ini"
  for seed in "${address[@]}"; do echo "seed = $seed"; done
  sed -n '/^\[hub\]/,$p' "$here/$1.ini"
}

start_node() {
  local line
  config_for "$1" >"$work/$1.ini"
  rm -f "$work/$1.out"
  mkfifo "$work/$1.out"
  "$build/hubd" --config "$work/$1.ini" >"$work/$1.out" 2>>"$work/$1.log" &
  pid[$1]=$!
  exec {reader}<"$work/$1.out"
  read -r -t "$deadline" line <&"$reader" || die "$1 did not start"
  address[$1]=$line
  printf '    %s is process %s at %s\n' "$1" "${pid[$1]}" "$line"
}

names() { printf '%s\n' "${!address[@]}" | sort; }

# wait_for WHAT COMMAND...: runs the command until it succeeds.
wait_for() {
  local what=$1 until=$((SECONDS + deadline))
  shift
  until "$@"; do
    ((SECONDS < until)) || die "$what: not within $deadline s"
    read -r -t 0.05 -u "$never" || true # a pause between two looks
  done
}

each_sees_all_nodes() {
  local name
  for name in $(names); do
    [[ $(hubctl_at "$name" nodes | awk 'NR > 1 && $4 == "up" { print $1 }' | sort) == "$(names)" ]] || return 1
  done
}

# Every node lists every child, running exactly once, on a living node.
each_runs_once() {
  local name alive
  alive=$(names | tr '\n' ' ')
  for name in $(names); do
    hubctl_at "$name" list | awk -v want="$children" -v alive=" $alive" '
      NR > 1 { seen[$1]++; if ($6 == "running" && index(alive, " " $4 " ")) running[$1]++ }
      END { for (id in seen) { n++; if (seen[id] != 1 || running[id] != 1) exit 1 }; exit n != want }' || return 1
  done
}

each_node_has_some() { [[ $(hubctl list | awk 'NR > 1 { print $4 }' | sort -u) == "$(names)" ]]; }

settled() { each_sees_all_nodes && each_runs_once; }
digests_agree() {
  local name
  [[ $(for name in $(names); do hubctl_at "$name" digest || echo "no answer from $name"; done | sort -u | wc -l) == 1 ]]
}
balanced() { settled && each_node_has_some && digests_agree; }

show_placement() {
  hubctl list | awk 'NR > 1 { n[$4]++; sub(/^slice-/, "", $1); sub(/^words-/, "w", $1); ids[$4] = ids[$4] " " $1 }
    END { for (node in n) printf "    %-8s %3d  %s\n", node, n[node], ids[node] }' | sort
}
placement() { hubctl list | awk 'NR > 1 { print $1, $4 }' | sort; }
moved_since() { # how many lines of the placement in $1 are not so any more
  comm -23 "$1" <(placement) | wc -l
}

# -------------------------------------------------------------------------------------------------- counts

words_of_text() {
  # shellcheck disable=SC2018,SC2019 # plain ASCII letters are the rule
  tr -cs A-Za-z '\n' <"$text" | tr A-Z a-z | sed '/^$/d'
}
count() { sort | uniq -c | awk '{ print $2, $1 }'; }
merged_counts() {
  hubctl --json call "$1" counts '{}' | { grep -oE '"[a-z]+":[0-9]+' || true; } | tr -d '"' | tr ':' ' ' | sort
}
check_counts() { # of the child $1, against the file $2
  merged_counts "$1" >"$work/merged"
  if cmp -s "$2" "$work/merged"; then
    done_in "$(wc -l <"$work/merged") different words, $(awk '{ n += $2 } END { print n + 0 }' "$work/merged") in all: EQUAL to $3"
  else
    diff "$2" "$work/merged" | head -n 20 >&2 || true
    die "the merged counts differ from $3"
  fi
}
check_slices() { check_counts merge "$work/expected" 'tr | sort | uniq -c'; }

# ------------------------------------------------------------------------------------------------ the stream

start_children() { # start_children COUNT ARGS_OF_HUBCTL...
  hubctl start "${@:2}" | tail -n 1 | sed 's/^/    /'
  ((children += $1))
}

# Words of the text, again and again, until the file `more` is gone; `sent` has each word that was sent.
start_stream() {
  touch "$work/more" "$work/sent"
  while [[ -e $work/more ]]; do words_of_text; done | tee "$work/sent" \
    | "$build/example_wordcount" words "$counters" "${address[@]}" >"$work/stream" 2>"$work/stream.log" &
  pid[stream]=$!
  wait_for "the stream" streamed_more
}
streamed() { wc -l <"$work/sent"; }
streamed_more() { (($(streamed) > ${words_before:-0})); }
still_streaming() { # and words have gone out meanwhile
  wait_for "more words in the stream" streamed_more
  words_before=$(streamed)
  done_in "$1; $words_before words sent so far"
}
end_stream() {
  rm "$work/more"
  wait "${pid[stream]}" || die "words were not taken"
  unset 'pid[stream]'
  sed 's/^/    /' "$work/stream"
}

specs() {
  awk -v file="$text" -v n="$slices" 'BEGIN {
    gsub(/["\\]/, "\\\\&", file)
    for (i = 0; i < n; i++)
      printf "{\"id\":\"slice-%d\",\"type\":\"wordcount_slice\",\"tag\":\"text\",\"args\":{\"file\":\"%s\",\"index\":%d,\"count\":%d}}\n", i, file, i, n
    printf "{\"id\":\"merge\",\"type\":\"wordcount_merge\",\"args\":{\"prefix\":\"slice\",\"count\":%d}}\n", n
  }'
}

# --------------------------------------------------------------------------------------------------- story

words_of_text | count >"$work/expected"

step "Three nodes"
for name in node-1 node-2 node-3; do start_node "$name"; done
wait_for "three nodes that know each other" each_sees_all_nodes
done_in "they form a cluster"
hubctl nodes | sed 's/^/    /'

step "$slices children, each with a slice of $text, and one that merges"
specs >"$work/specs.jsonl"
start_children $((slices + 1)) --file "$work/specs.jsonl"
wait_for "every child running once" each_runs_once
done_in "every node lists every child"
show_placement

step "Counting"
check_slices
hubctl --json call merge top '{"n":5}' | sed 's/^/    top 5: /'

step "kill -9 node-2 (process ${pid[node-2]})"
placement >"$work/before"
{ kill -9 "${pid[node-2]}" && wait "${pid[node-2]}"; } 2>/dev/null || true # without bash's own remark
unset 'pid[node-2]' 'address[node-2]'
wait_for "its children on the other nodes" settled
done_in "$(moved_since "$work/before") children were taken over"
show_placement
check_slices

step "$counters more children, stateful: a program sends each the words that it counts, without a pause"
start_children "$counters" words --count "$counters" --type wordcount_words
start_children 1 merge-words --type wordcount_merge --args "{\"prefix\":\"words\",\"count\":$counters}"
wait_for "every child running once" each_runs_once
start_stream
still_streaming "the stream is on"

step "Two new nodes"
placement >"$work/before"
for name in node-4 node-5; do start_node "$name"; done
wait_for "children on the new nodes" balanced
still_streaming "$(moved_since "$work/before") children moved"
show_placement

for name in $(names); do
  step "$name (process ${pid[$name]}) drains, ends and starts again"
  kill -TERM "${pid[$name]}"
  wait "${pid[$name]}" || die "$name did not end well"
  unset "pid[$name]" "address[$name]"
  start_node "$name"
  wait_for "children on it again" balanced
  still_streaming "it is back"
done

step "The end of the stream"
end_stream
count <"$work/sent" >"$work/streamed"
check_counts merge-words "$work/streamed" 'sort | uniq -c of what was sent'
check_slices

step "Stopping all nodes with SIGTERM"
for name in "${!pid[@]}"; do kill -TERM "${pid[$name]}"; done
for name in "${!pid[@]}"; do wait "${pid[$name]}" || die "$name did not end well"; done
pid=()
done_in "all left the cluster"

printf '\nThe demo took %s. The cluster counted what sort | uniq -c counts, through every change.\n' "$(since "$started")"
