//! What was put on a host that stays when the stack goes, and taking it away.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::reach::{self, Reach};
use super::way::{Again, Way};
use super::{bootstrap, spec};
use crate::aws::Tags;
use crate::base::{Address, Error, Outputs, Result};
use crate::contract::{Context, Found, Presence, Target};
use crate::operations::change::Place;
use crate::operations::manifest;
use crate::ssh::Transport;
use crate::ssh::session::Patience;

/// A host that does not answer within this is told to be unknown.
const PATIENCE: Duration = Duration::from_secs(15);

/// A host that holds something of the stack.
pub(super) struct Remains {
    cx: Context,
    way: Way,
    session: Arc<dyn Transport>,
    sudo: bool,
    address: Address,
}

impl Remains {
    async fn made(&self) -> Result<Vec<String>> {
        let again = self.again();
        manifest::made(&self.place(&again)).await
    }

    fn again(&self) -> Again<'_> {
        Again {
            cx: &self.cx,
            way: &self.way,
        }
    }

    fn place<'a>(&'a self, again: &'a Again<'a>) -> Place<'a> {
        Place {
            session: &*self.session,
            again,
            sudo: self.sudo,
            stack: &self.cx.stack,
            name: &self.address.name,
        }
    }
}

/// Those that were looked at in this run, by id.
#[derive(Default)]
struct Seen(Mutex<HashMap<String, Arc<Remains>>>);

/// Looks at one.
pub(super) async fn look(cx: &Context, target: Target<'_>) -> Result<Option<Found>> {
    let Some(spec) = spec(target.node)? else {
        return Ok(None);
    };
    if spec.bootstrap.is_some() {
        return bootstrap::remains(cx, &spec, target).await;
    }
    let (way, id) = match reach::reach(&cx.folder, &spec, target)? {
        Reach::NotYet => return Ok(None),
        Reach::NotRunning { id, state } => {
            return Err(
                Error::failed(format!("{id} is {state}, so nobody can look at it"))
                    .hint("start it, and run `destroy` again"),
            );
        }
        Reach::At { way, id, .. } => (way, id),
    };
    let patience = Patience {
        booting: PATIENCE,
        first_start: false,
    };
    let doing = |what: &str| cx.progress.doing(target.address, what);
    let session = way.open(cx, patience, &doing).await?;
    let remains = Remains {
        cx: cx.clone(),
        way,
        session,
        sudo: spec.sudo,
        address: target.address.clone(),
    };
    let made = remains.made().await?;
    if made.is_empty() {
        return Ok(None);
    }
    let remains = Arc::new(remains);
    let seen = cx.aws.shared::<Seen>();
    let mut seen = seen.0.lock().unwrap_or_else(PoisonError::into_inner);
    seen.insert(id.clone(), Arc::clone(&remains));
    Ok(Some(Found {
        id,
        name: None,
        tags: Tags::default(),
        outputs: Outputs::default().with("remains", made.len()),
        parts: Vec::new(),
        live: remains,
    }))
}

/// Takes away what was put there, and tells what had to be left.
pub(super) async fn take_away(cx: &Context, live: &Found) -> Result<()> {
    let Some(remains) = live.live.downcast_ref::<Remains>() else {
        return Ok(());
    };
    let doing = |what: &str| cx.progress.doing(&remains.address, what);
    let again = remains.again();
    for left in manifest::undo(&remains.place(&again), &doing).await? {
        let text = format!("left on {}: {left}", remains.address);
        cx.progress.note(&text);
    }
    Ok(())
}

/// Asks again.
pub(super) async fn presence(cx: &Context, id: &str) -> Presence {
    let remains = {
        let seen = cx.aws.shared::<Seen>();
        let seen = seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(id).cloned()
    };
    let Some(remains) = remains else {
        return Presence::Absent;
    };
    match remains.made().await {
        Ok(made) if made.is_empty() => Presence::Absent,
        Ok(made) => Presence::Present(format!("{} things noted there", made.len())),
        Err(error) => Presence::unknown(&error),
    }
}
