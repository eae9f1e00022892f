# SPDX-License-Identifier: GPL-2.0-or-later
# Counts the results in one TAP output: "PASSED FAILED SKIPPED". rc is the test's exit status; a
# test that failed without saying where, said nothing, or broke off before its plan is a failure.
/^1\.\.[0-9]+/ { plan = substr($1, 4) + 0; planned = 1 }
/^not ok / { failed++ }
/^ok .*# *[Ss][Kk][Ii][Pp]/ { skipped++; next }
/^ok / { passed++ }
END {
	n = passed + failed + skipped
	if (n == 0 && planned && plan == 0 && rc == 0)
		skipped = 1	# "1..0 # SKIP why": the whole file
	else if (failed == 0 && (rc != 0 || n == 0 || planned && plan != n))
		failed = 1
	print passed + 0, failed + 0, skipped + 0
}
