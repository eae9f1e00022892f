# SPDX-License-Identifier: GPL-2.0-or-later
# Counts the results in meson's testlog.json (a test a line): "PASSED FAILED SKIPPED". A test that
# printed TAP counts once for each of its results, any other once.
{
	out = $0
	sub(/^.*"stdout": "/, "", out)
	if (out == $0)
		out = ""
	sub(/", "(stderr|result)": ".*$/, "", out)
	result = $0
	sub(/^.*", "result": "/, "", result)
	sub(/".*$/, "", result)

	p = f = s = 0
	n = split(out, lines, /\\n/)
	for (i = 1; i <= n; i++) {
		if (lines[i] ~ /^not ok /)
			f++
		else if (lines[i] ~ /^ok .*# *[Ss][Kk][Ii][Pp]/)
			s++
		else if (lines[i] ~ /^ok /)
			p++
	}
	if (result == "SKIP" && p + f + s == 0)
		s = 1
	else if (result == "OK" && p + f + s == 0)
		p = 1
	else if (result != "OK" && result != "SKIP" && f == 0)
		f = 1
	passed += p
	failed += f
	skipped += s
	all++
}
END {
	if (failed == 0 && (rc != 0 || all == 0))
		failed = 1
	print passed + 0, failed + 0, skipped + 0
}
