//! What a check asks. How the answer is judged is `verify`'s.

use crate::resource::ObjectRef;

/// One verification node of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name, unique in the stack; may hold spaces.
    pub name: String,
    /// What is asked.
    pub kind: CheckKind,
    /// The objects it is about: it runs after them.
    pub about: Vec<ObjectRef>,
    /// True if the check disturbs the service (deletes a pod); then it runs only on request.
    pub disruptive: bool,
}

/// What a check asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckKind {
    /// The object is ready by its kind's own rule.
    Ready(ObjectRef),
    /// A query answers, in a pod of a workload, through `psql`.
    Sql {
        /// The workload whose first ready pod runs the query.
        workload: ObjectRef,
        /// The container, where the pod has several.
        container: Option<String>,
        /// Database user.
        user: String,
        /// Database name.
        database: String,
        /// The query.
        query: String,
        /// The text that the query must print, without trailing white space; `None`: any answer will do.
        expect: Option<String>,
        /// The Secret and key whose value must be accepted as password over TCP; `None`: the local socket.
        password: Option<(ObjectRef, String)>,
    },
    /// Over TCP a password that is not the right one does not open the database.
    RefusesPassword {
        /// The workload whose first ready pod tries it.
        workload: ObjectRef,
        /// The container, where the pod has several.
        container: Option<String>,
        /// Database user.
        user: String,
        /// Database name.
        database: String,
    },
    /// `redis-cli` with these words answers so.
    Redis {
        /// The workload whose first ready pod is asked.
        workload: ObjectRef,
        /// The command's words.
        command: Vec<String>,
        /// The text that must come back; lines are compared without trailing white space.
        expect: String,
        /// The Secret and key that hold the password, where one is set.
        password: Option<(ObjectRef, String)>,
    },
    /// The Service has at least one ready endpoint.
    Endpoints(ObjectRef),
    /// The Service's name resolves from a pod of the workload.
    Resolves {
        /// The workload from whose pod the lookup is made.
        workload: ObjectRef,
        /// The host name.
        host: String,
    },
    /// The claim is bound.
    ClaimBound(ObjectRef),
    /// Every container of the workload has the requests and limits that were declared.
    Resources(ObjectRef),
    /// The limits that a container of the workload declares are those of the control group that it runs in.
    Limits {
        /// The workload whose first ready pod is looked into.
        workload: ObjectRef,
        /// The container.
        container: String,
    },
    /// The ServiceAccount may do exactly this table, and nothing through a wildcard.
    Access {
        /// The ServiceAccount.
        account: ObjectRef,
        /// What it must be allowed to do.
        allowed: Vec<AccessRule>,
    },
    /// The data is still there after the workload's pod was deleted and came back.
    SurvivesRestart(ObjectRef),
}

/// Verbs on a resource of a group, as RBAC writes them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccessRule {
    /// API group, empty for the core group.
    pub group: String,
    /// Resource, such as `pods`, or with a subresource `pods/log`.
    pub resource: String,
    /// Verbs.
    pub verbs: Vec<String>,
}
