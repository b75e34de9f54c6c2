//! Following one object until it is gone or ready.

use std::time::Duration;

use super::task::Task;
use crate::cluster::{ClusterError, Follower, Seen};
use crate::live::Live;
use crate::plan::Change;

/// How often an object is read that the watch does not show.
const POLL: Duration = Duration::from_secs(2);

/// A view of one object. A watch by label shows an object that lost its label as gone; whether it is, a read tells.
pub(super) struct Sight<'a> {
    task: &'a Task,
    change: &'a Change,
    follower: Follower,
    lost: bool,
}

impl<'a> Sight<'a> {
    /// Begins with what was written, where something was.
    pub(super) fn of(task: &'a Task, change: &'a Change, written: Option<&Live>) -> Self {
        let follower = task.watches.follow(&change.object, &change.api_version, written);
        Self { task, change, follower, lost: false }
    }

    /// Returns what is seen next; may be dropped and called again.
    pub(super) async fn next(&mut self) -> Result<Seen, ClusterError> {
        if self.lost {
            tokio::time::sleep(POLL).await;
        } else {
            match self.follower.next().await? {
                Seen::Gone => self.lost = true,
                live => return Ok(live),
            }
        }
        let live = self.task.cluster.get(&self.change.object, &self.change.api_version).await?;
        Ok(live.map_or(Seen::Gone, Seen::Live))
    }
}
