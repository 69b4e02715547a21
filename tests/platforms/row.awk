# The log of a row -> its line of the table: name, tests, build, warnings, passed, failed, skipped, seconds, what. With list:
# the tests that failed, and why tests were skipped.
/^== / { building = 0 }
/^== what / { what = substr($0, 9) }
/^== Building/ { building = 1; build = "failed" }
/^== Testing/ { build = "ok" }
building && /warning: / { warnings++ }
/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / {
  sub(/^[^:]*: +/, "")
  if (/\*\*\*Skipped/) skipped++
  else if (/ Passed/) passed++
  else { failed++; failures = failures "\n  " $0 }
}
/^skipped: / && !seen[$0]++ { reasons = reasons "\n  " $0 }
/^== exit / { if (build == "") build = "failed" }
END {
  if (!list) {
    printf "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", name, tests, build, warnings, passed, failed, skipped, seconds, what
  } else if (failures || reasons || build != "ok") {
    printf "\n%s%s%s%s\n", name, build == "ok" ? "" : ": the build failed", failures, reasons
  }
}
