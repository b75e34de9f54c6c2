//! Commands that run in a pod of a workload.
//!
//! A password never stands in an argument list, where every process on the node can read it: the command reads it from
//! its standard input into the variable that its client takes it from.

use crate::resource::ObjectRef;

/// A key of a Secret, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretKey {
    /// The Secret.
    pub secret: ObjectRef,
    /// The key.
    pub key: String,
}

/// A command for the first ready pod of a workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The workload.
    pub workload: ObjectRef,
    /// The container, where the pod has several.
    pub container: Option<String>,
    /// The words of the command; no shell reads them again.
    pub words: Vec<String>,
    /// The value that goes to standard input as one line. Standard input is closed after it, or at once without.
    pub stdin: Option<SecretKey>,
}

/// Reads one line into PGPASSWORD and connects to the pod's own address: for 127.0.0.1 the usual images trust everybody,
/// so that any password would seem right. A client of version 16 or later refuses a server that asks for none.
const PSQL_WITH_PASSWORD: &str = "IFS= read -r PGPASSWORD; export PGPASSWORD PGREQUIREAUTH='!none' PGCONNECT_TIMEOUT=10; \
address=$(hostname -i) || exit 127; exec psql -h \"${address%% *}\" \"$@\"";

/// The same with a password that nobody has.
const PSQL_WITH_WRONG_PASSWORD: &str = "export PGPASSWORD='not the password' PGCONNECT_TIMEOUT=10; \
address=$(hostname -i) || exit 127; exec psql -h \"${address%% *}\" \"$@\"";

/// Prints the limits of the control group that the shell runs in, of either version: `memory BYTES` (`max`, or a number
/// beyond all memory, where there is none) and `cpu QUOTA PERIOD` in microseconds (`max` or -1 where there is none). Prints
/// nothing where the container does not see it.
const LIMITS: &str = "cd /sys/fs/cgroup 2> /dev/null || exit 0
if [ -r memory.max ]; then echo \"memory $(cat memory.max)\"; echo \"cpu $(cat cpu.max)\"
elif [ -r memory/memory.limit_in_bytes ]; then echo \"memory $(cat memory/memory.limit_in_bytes)\"
echo \"cpu $(cat cpu/cpu.cfs_quota_us) $(cat cpu/cpu.cfs_period_us)\"
fi";

/// Reads one line into REDISCLI_AUTH.
const REDIS_WITH_PASSWORD: &str =
    "IFS= read -r REDISCLI_AUTH; export REDISCLI_AUTH; exec redis-cli --no-auth-warning \"$@\"";

/// Returns the words that run a query; it prints rows only, and ends with an error at the first one.
pub(super) fn psql(user: &str, database: &str, query: &str, with_password: bool) -> Vec<String> {
    // No start-up file, no prompt for a password: an answer or an error, never a hang.
    let arguments = ["-XAtqw", "-v", "ON_ERROR_STOP=1", "-U", user, "-d", database, "-c", query];
    if with_password { words(["sh", "-c", PSQL_WITH_PASSWORD, "psql"], arguments) } else { words(["psql"], arguments) }
}

/// Returns the words that try a wrong password over TCP.
pub(super) fn psql_with_wrong_password(user: &str, database: &str) -> Vec<String> {
    words(["sh", "-c", PSQL_WITH_WRONG_PASSWORD, "psql"], ["-XAtqw", "-U", user, "-d", database, "-c", "SELECT 1"])
}

/// Returns the words that print the limits of a container's control group.
pub(super) fn limits() -> Vec<String> {
    words(["sh", "-c", LIMITS], [])
}

/// Returns the words that send a command to Redis.
pub(super) fn redis(command: &[String], with_password: bool) -> Vec<String> {
    let command = command.iter().map(String::as_str);
    if with_password {
        words(["sh", "-c", REDIS_WITH_PASSWORD, "redis-cli"], command)
    } else {
        words(["redis-cli"], command)
    }
}

/// Returns the words that look a host name up the way every program in the pod does.
pub(super) fn resolve(host: &str) -> Vec<String> {
    words(["getent", "hosts", host], [])
}

fn words<'a>(head: impl IntoIterator<Item = &'a str>, tail: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    head.into_iter().chain(tail).map(str::to_owned).collect()
}
