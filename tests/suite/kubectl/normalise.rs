//! What two clusters never share is made equal: names and addresses given out, ages, times, and what nodes are called.

use std::sync::LazyLock;

use regex::Regex;

/// A pattern and what stands for it, applied in this order.
static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "[uid]"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", "[time]"),
        (r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000", "[time]"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? \+0000 UTC", "[time]"),
        // What `kubectl diff` compares, and when it wrote it.
        (r"/tmp/(LIVE|MERGED)-\d+", "[$1]"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \+0000", "[time]"),
        // The program's own log lines; what it tells of its watches depends on when they were cut off.
        (r"(?m)^I\d{4} [^\n]* reflector\.go:[^\n]*\n", ""),
        (r#"(?m)^E\d{4} [^\n]* reflector\.go:[^\n]* err="context deadline exceeded"[^\n]*\n"#, ""),
        (r"(?m)^([EWI])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ ", "$1[log] "),
        (r"https://127\.0\.0\.1:\d+", "[server]"),
        (r"127\.0\.0\.1:\d+", "[server]"),
        (r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "[token]"),
        (r#"((?:resourceVersion|Resource Version)"?: +)"?\d+"?"#, "$1[version]"),
        // The suffixes of generated names and the hashes of templates know no vowels.
        (r"-[bcdfghjklmnpqrstvwxz2456789]{6,10}(-[bcdfghjklmnpqrstvwxz2456789]{5})?\b", "-[hash]"),
        (
            r"((?:pod-template|controller-revision)-hash(?:=|: *|=: *)[\w-]*?)[bcdfghjklmnpqrstvwxz2456789]{6,10}\b",
            "$1[hash]",
        ),
        (r"-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "-[random]"),
        // CronJobs name their Jobs after the minute.
        (r"-\d{8}\b", "-[minute]"),
        (r"\b\d+\.\d+\.\d+\.\d+\b", "[address]"),
        (r"\bkwok-\d+\b", "[node]"),
        (r"\bnode/sandbox\b", "node/[node]"),
        (r"((?:Node|nodeName|Name|name|From|to|node)\b\W{1,6})sandbox\b", "$1[node]"),
        (r"\bsandbox\b", "[node]"),
        (r"\bv1\.35\.4\+sandbox\b", "[node version]"),
        (r"\bkwok-0\.8\.0\b", "[node version]"),
        (r"\b3[0-2]\d{3}\b", "[node port]"),
        (r"<invalid>", "[age]"),
        (r"\b(\d+d)?(\d+h)?(\d+m)?\d+(\.\d+)?(s|ms)\b", "[age]"),
        (r"\b(\d+d)?\d+(d|h|m)\b( ago)?", "[age]$3"),
        // How often an event came again in that time.
        (r"\[age\] \(x\d+ over \[age\]\)", "[age]"),
        // Columns are as wide as their widest cell, which may have been any of the above.
        (r"[ \t]{2,}", "  "),
        (r"(?m)[ \t]+$", ""),
    ]
    .into_iter()
    .map(|(pattern, replacement)| (Regex::new(pattern).expect("a pattern"), replacement))
    .collect()
});

/// Makes a text comparable.
pub fn text(text: &str) -> String {
    RULES
        .iter()
        .fold(text.to_owned(), |text, (pattern, replacement)| pattern.replace_all(&text, *replacement).into_owned())
}
