//! A run that died: what is known of it, told before anything else.

use super::talk::Streams;
use crate::state::Interrupted;

/// Tells of an interrupted run. What it left unfinished needs no surgery: the plan reads every object anyway, and what it
/// made without recording carries our label and manager.
pub(super) fn tell(interrupted: Option<&Interrupted>, streams: &Streams) {
    let Some(run) = interrupted else { return };
    let header = &run.header;
    if run.alive {
        streams.insist(&format!(
            "note: `{}` is going on since {}; what is shown here may change under it\n",
            header.command,
            moment(header.started)
        ));
        return;
    }
    streams.insist(&format!(
        "note: `{}`, begun {}, did not come to its end: {} done, {} failed, {} unknown, which are looked up now\n",
        header.command,
        moment(header.started),
        run.done,
        run.failed,
        run.unfinished.len()
    ));
}

/// A moment for people, in seconds.
fn moment(moment: jiff::Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
