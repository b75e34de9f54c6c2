//! Where the testbed's level `api` keeps its things, if it is up. See `tests/testbed/README.md`.

use std::env;
use std::path::{Path, PathBuf};

/// Files of a running level.
pub struct Testbed {
    /// kubectl of the server's own version.
    pub kubectl: PathBuf,
    /// Folder of the kubeconfigs `admin`, `reader` and `nobody`.
    pub folder: PathBuf,
    /// The API server's audit log.
    pub audit: PathBuf,
}

impl Testbed {
    fn find() -> Option<Self> {
        let kubeconfig = env::var_os("MATHISON_TESTBED_KUBECONFIG")
            .map(PathBuf::from)
            .or_else(|| Some(testbed_home()?.join("api/admin.kubeconfig")))?;
        Self::at(&kubeconfig)
    }

    /// Finds the running level, at `MATHISON_TESTBED_KUBECONFIG` (the administrator's), else where the testbed puts it; or
    /// says how to start it. What was asked for must not pass because it did not run.
    pub fn expect() -> Self {
        Self::find().expect("the testbed is not up: start it with `tests/testbed/testbed api up`")
    }

    /// Finds the running level `node`, at `MATHISON_NODE_KUBECONFIG` or where the testbed puts it.
    pub fn expect_node() -> Self {
        let named = env::var_os("MATHISON_NODE_KUBECONFIG").map(PathBuf::from);
        let kubeconfig = named.or_else(|| Some(testbed_home()?.join("node/admin.kubeconfig")));
        let found = kubeconfig.and_then(|path| Self::at(&path));
        found.expect("the testbed is not up: start it with `tests/testbed/testbed node up`")
    }

    fn at(kubeconfig: &Path) -> Option<Self> {
        if !kubeconfig.is_file() {
            return None;
        }
        let folder = kubeconfig.parent()?.to_owned();
        let kubectl = match env::var_os("MATHISON_TESTBED_KUBECTL") {
            Some(path) => PathBuf::from(path),
            None => folder.parent()?.join("bin/kubectl"),
        };
        let audit = folder.join("log/audit.log");
        Some(Self { kubectl, folder, audit })
    }
}

/// Finds the administrator's kubeconfig of the level `bare`, at `MATHISON_BARE_KUBECONFIG`, else where the testbed puts it.
pub fn bare_kubeconfig() -> Option<PathBuf> {
    let named = env::var_os("MATHISON_BARE_KUBECONFIG").map(PathBuf::from);
    named.or_else(|| Some(testbed_home()?.join("bare/admin.kubeconfig"))).filter(|path| path.is_file())
}

fn testbed_home() -> Option<PathBuf> {
    if let Some(home) = env::var_os("TESTBED_HOME") {
        return Some(home.into());
    }
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".cache")))?;
    Some(cache.join("mathison-testbed"))
}
